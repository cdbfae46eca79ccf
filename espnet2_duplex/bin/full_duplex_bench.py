#!/usr/bin/env python3
"""Full-Duplex-Bench v1 and v1.5, offline, with our model or any other system.

run: lets a system listen to every <root>/.../input.wav and writes output.wav beside it
(with --output_root: into the same folders there). Answers that are there are kept.
score: transcribes what has no words of this recogniser yet, writes
results_<task>_<mode>.json and samples_<task>_<mode>.jsonl, and prints the table with
the published rows. Words that others wrote, with Full-Duplex-Bench's asr.py say, are
taken as they are.

Both end with exit code 3 if single samples failed; the others are done all the same.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.full_duplex_bench_arguments import (
    NONE,
    add_common_options,
    add_run_options,
    add_score_options,
)
from espnet2_duplex.bin.full_duplex_bench_run import (
    is_done,
    jobs_of,
    run_command,
    run_model,
    split_command,
)
from espnet2_duplex.chat.backend import Backend, open_backend
from espnet2_duplex.metrics.activity import ActivityOptions, make_detector
from espnet2_duplex.metrics.asr.interface import (
    PACKAGES,
    AsrOptions,
    make_transcriber,
)
from espnet2_duplex.metrics.versions import versions_of
from espnet2_duplex.scoring.full_duplex_bench.files import find_samples
from espnet2_duplex.scoring.full_duplex_bench.results import (
    Sources,
    to_results,
    to_table,
    write_results,
)
from espnet2_duplex.scoring.full_duplex_bench.score import (
    count_recognisers,
    score_samples,
    transcribe_samples,
)
from espnet2_duplex.scoring.full_duplex_bench.task import BenchTask, ScoreOptions
from espnet2_duplex.scoring.full_duplex_bench.transcripts import (
    Recogniser,
    RecogniserName,
)
from espnet2_duplex.scoring.full_duplex_bench.v1 import (
    Backchannel,
    PauseHandling,
    SmoothTurnTaking,
    UserInterruption,
)
from espnet2_duplex.scoring.full_duplex_bench.v15 import OverlapHandling

EXIT_PROBLEMS = 3


def run(args: argparse.Namespace) -> int:
    """Answer the recordings of a task; returns the exit code."""
    samples = find_samples(Path(args.root), _output_root(args), args.task)
    if args.command:
        split_command(args.command)
    jobs = jobs_of(samples, args.task)
    todo = [job for job in jobs if not is_done(job)]
    problems: list[str] = []
    if todo and args.command:
        run_command(todo, args.command, problems.append)
    elif todo:
        run_model(todo, load_model(args), args.batch_size, problems.append)
    print(
        f"{len(jobs)} recordings: {len(jobs) - len(todo)} were there, "
        f"{len(todo) - len(problems)} written, {len(problems)} failed"
    )
    return report_problems(problems)


def load_model(args: argparse.Namespace):
    """Our model, from --model_tag or --train_config and --model_file."""
    if not (args.model_tag or (args.train_config and args.model_file)):
        raise ValueError(
            "no system is named; give --model_tag, or --train_config and --model_file, "
            "or --command"
        )
    from espnet2_duplex.bin.duplex_s2s_inference import DuplexSpeech2Speech

    return DuplexSpeech2Speech.from_pretrained(
        model_tag=args.model_tag,
        train_config=args.train_config,
        model_file=args.model_file,
        device="cuda" if args.ngpu else "cpu",
        seed=args.seed,
        text_temperature=args.text_temperature,
        speech_temperature=args.speech_temperature,
        top_k=args.top_k,
    )


def score(args: argparse.Namespace) -> int:
    """Score a task; returns the exit code."""
    options = ScoreOptions(mode=args.mode)
    output_root = _output_root(args)
    samples = find_samples(Path(args.root), output_root, args.task)
    judge = load_judge(args)
    task = make_task(args, options, has_judge=judge is not None)
    problems = transcribe_samples(
        samples,
        task,
        recogniser_name(args),
        lambda name: load_recogniser(args, name, options.activity),
    )
    scored = score_samples(samples, task, judge, problems)
    good = [sample for sample in samples if sample.id in scored.scores]
    sources = Sources(count_recognisers(good, task), judge and judge.name)
    results = to_results(args.task, samples, scored, options, sources)
    path = write_results(output_root, results, scored)
    print(f"\n{to_table(results, args.name)}\n\nwritten: {path}")
    sentences = [f"{id}: {text}" for id, text in scored.problems.items()]
    if scored.judge_problem:
        sentences.append(f"the judge: {scored.judge_problem}")
    return report_problems(sentences)


def make_task(
    args: argparse.Namespace, options: ScoreOptions, *, has_judge: bool
) -> BenchTask:
    """The task that the command line names.

    Raises:
        ValueError: --icc_distribution is not of its kind.
    """
    if args.task == "backchannel":
        return Backchannel(options, args.icc_distribution)
    if args.task == "v1.5":
        return OverlapHandling(options, has_judge=has_judge)
    tasks = {
        "pause_handling": PauseHandling,
        "turn_taking": SmoothTurnTaking,
        "user_interruption": UserInterruption,
    }
    return tasks[args.task](options)


def load_judge(args: argparse.Namespace) -> Backend | None:
    """The language model that judges, None for none.

    Raises:
        ValueError: it is not there.
    """
    if args.judge == NONE or args.task not in ("user_interruption", "v1.5"):
        return None
    return open_backend(args.judge, model=args.judge_model, cache=args.judge_cache)


def recogniser_name(args: argparse.Namespace) -> RecogniserName | None:
    """Who shall transcribe, None for nobody."""
    if args.asr_model == NONE:
        return None
    package = PACKAGES[args.asr_engine]
    version = versions_of([package])[package]
    return RecogniserName(args.asr_engine, args.asr_model, version)


def load_recogniser(
    args: argparse.Namespace, name: RecogniserName, activity: ActivityOptions
) -> Recogniser:
    """Who transcribes.

    Raises:
        ValueError: the model is not there.
    """
    options = AsrOptions(
        name.model,
        engine=name.engine,
        device="cuda" if args.ngpu else "cpu",
        with_words=True,
    )
    try:
        transcribe = make_transcriber(options)
    except ValueError as problem:
        # Most commands do without a recogniser by another option.
        sentence = str(problem).replace("--no_asr", f"--asr_model {NONE}")
        raise ValueError(sentence) from problem
    return Recogniser(name, make_detector(activity), transcribe)


def report_problems(sentences: Sequence[str]) -> int:
    """Print a line each; returns the exit code."""
    for sentence in sentences:
        print(f"problem: {sentence}", file=sys.stderr)
    return EXIT_PROBLEMS if sentences else 0


def _output_root(args: argparse.Namespace) -> Path:
    return Path(args.output_root or args.root)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="run|score")
    for act, add_options in ((run, add_run_options), (score, add_score_options)):
        command = commands.add_parser(
            act.__name__,
            help=act.__doc__,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        command.set_defaults(act=act)
        add_common_options(command)
        add_options(command)
    return parser


def main(cmd=None):
    """Run or score."""
    args = get_parser().parse_args(cmd)
    code = args.act(args)
    if code:
        raise SystemExit(code)


if __name__ == "__main__":
    sys.exit(run_cli(main))
