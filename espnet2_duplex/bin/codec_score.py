"""Score codecs on recorded sentences: the table of Sec. 6.3, with sound to listen to.

Usage (from the recipe's folder):

    python -m espnet2_duplex.bin.codec_score --data_dir data/codec_test \
        --codec istft=pretrained/codec_istft --output_dir exp/codec_score --nj 2

writes into --output_dir results.json, RESULTS.md (the table), report.html (the table
and examples, one file), and for each codec <name>/wav and <name>/sentences.jsonl (the
scores of every sentence). What was scored before is not done again unless its
recording, its codec or the choice of its judge has changed.
"""

import argparse
import logging
import re
import sys
import time
from collections.abc import Collection
from pathlib import Path

import torch
from tqdm import tqdm

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.codec_judging import System, Task, missing_task, run_tasks
from espnet2_duplex.bin.codec_reports import PAGE_FILE, to_results, write_reports
from espnet2_duplex.bin.codec_sentences import (
    Record,
    Sentence,
    read_records,
    read_sentences,
    write_records,
)
from espnet2_duplex.bin.score_arguments import ASR_MODEL
from espnet2_duplex.codec.abs_codec import AbsCodec
from espnet2_duplex.codec.fsq import CodebookUsage
from espnet2_duplex.metrics.asr.interface import FULL_WINDOW_SECONDS, AsrOptions
from espnet2_duplex.metrics.codec_report.results import CodecShape, SystemScores
from espnet2_duplex.metrics.codec_report.table import make_table, markdown_lines
from espnet2_duplex.metrics.speech.judges import (
    MOS_CHOICES,
    SPEAKER_ENCODERS,
    JudgeOptions,
    judge_makers,
)

DEFAULT_CODEC = "istft=pretrained/codec_istft"
ORIGINAL = "original"
SECONDS_BETWEEN_SAVES = 5.0


def get_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data_dir", type=Path, default="data/codec_test", help="wav.scp and text"
    )
    parser.add_argument(
        "--codec",
        action="append",
        metavar="NAME=DIR",
        help=f"DIR holds codec.yaml and codec.pth; repeatable ({DEFAULT_CODEC})",
    )
    parser.add_argument("--output_dir", type=Path, required=True)
    parser.add_argument("--nj", type=int, default=1, help="Processes, a thread each")
    parser.add_argument("--num_examples", type=int, default=12, help="To listen to")
    group = parser.add_argument_group("judges")
    group.add_argument("--asr_model", default=ASR_MODEL, help="Whisper: folder or name")
    group.add_argument("--no_asr", action="store_true", help="No CER")
    group.add_argument(
        "--mos", choices=MOS_CHOICES, default="dnsmos", help="squim: with DNSMOS"
    )
    group.add_argument(
        "--speaker_encoder", choices=SPEAKER_ENCODERS, default="resemblyzer"
    )
    group.add_argument("--no_pesq", action="store_true", help="No PESQ")
    return parser


def options_from(args: argparse.Namespace) -> JudgeOptions:
    """Judges from the command line."""
    # In shorter windows Whisper now and then says the end of a sentence twice, which
    # costs more characters than a good codec does.
    asr = AsrOptions(
        args.asr_model,
        window_seconds=FULL_WINDOW_SECONDS,
        batch_size=1,
        num_workers=1,
    )
    return JudgeOptions(
        asr=None if args.no_asr else asr,
        mos=args.mos,
        speaker_encoder=args.speaker_encoder,
        pesq=not args.no_pesq,
    )


def systems_from(codecs: list[str], output_dir: Path) -> list[System]:
    """The recordings, then the codecs of the command line.

    Raises:
        ValueError: an entry is not NAME=DIR, a name is taken, or a file is missing.
    """
    systems = [System(ORIGINAL, output_dir / ORIGINAL)]
    for entry in codecs:
        name, _, folder = entry.partition("=")
        if not re.fullmatch(r"[\w.+-]+", name) or name.startswith(".") or not folder:
            raise ValueError(
                f"--codec is {entry!r}; expected NAME=DIR with letters, digits and "
                "._+- in the name"
            )
        if name in [system.name for system in systems]:
            raise ValueError(
                f"--codec has the name {name!r}, which is taken; give every codec its "
                f"own name, and none {ORIGINAL!r}"
            )
        systems.append(System.of_codec(name, Path(folder), output_dir))
    return systems


def complete_records(
    systems: list[System],
    sentences: list[Sentence],
    options: JudgeOptions,
    num_jobs: int,
) -> dict[str, dict[str, Record]]:
    """Score what is not scored yet; records by system and sentence.

    What is done when a run is stopped stays done, but for the last seconds.
    """
    records = {system.name: read_records(system.records_file) for system in systems}
    tasks = [
        task
        for system in systems
        for sentence in sentences
        if (
            task := missing_task(
                system, sentence, records[system.name].get(sentence.id), options
            )
        )
    ]
    saved = time.monotonic()
    done: list[Task] = []
    progress = tqdm(
        zip(tasks, run_tasks(tasks, options, num_jobs)),
        total=len(tasks),
        unit="sentence",
        disable=not tasks,
    )
    try:
        for task, record in progress:
            progress.set_description(task.system.name)
            records[task.system.name][record.id] = record
            done.append(task)
            if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                _save(done, records)
                done, saved = [], time.monotonic()
    finally:
        _save(done, records)
    return records


def _save(done: list[Task], records: dict[str, dict[str, Record]]) -> None:
    for system in {task.system for task in done}:
        found = records[system.name]
        write_records(system.records_file, (found[name] for name in sorted(found)))


def codec_shape(codec: AbsCodec, records: list[Record]) -> CodecShape:
    """What a codec sends, and how much of its codebooks these sentences use."""
    codes = torch.cat(
        [torch.tensor(r.codes).view(r.num_frames, codec.num_codebooks) for r in records]
    )
    usage = CodebookUsage.measure(codes, codec.codebook_size)
    return CodecShape(
        codec.sample_rate,
        float(codec.frame_rate),
        codec.num_codebooks,
        codec.codebook_size,
        usage.num_used,
        usage.entropy_bits,
        len(codes),
    )


def score(
    systems: list[System],
    sentences: list[Sentence],
    options: JudgeOptions,
    num_jobs: int,
) -> list[SystemScores]:
    """Scores of all systems, the recordings first."""
    codecs = {system.name: system.load() for system in systems if system.codec_dir}
    records = complete_records(systems, sentences, options, num_jobs)
    judges = judge_makers(options)
    scored = []
    for system in systems:
        found = [records[system.name][sentence.id] for sentence in sentences]
        codec = codecs.get(system.name)
        scored.append(
            SystemScores(
                system.name,
                [_merged(record, judges) for record in found],
                codec_shape(codec, found) if codec else None,
            )
        )
    return scored


def _merged(record: Record, judges: Collection[str]) -> dict:
    """Scores of these judges; those of earlier runs' other judges stay in the file."""
    return {key: value for name in judges for key, value in record.scores[name].items()}


def main(cmd=None):
    """Score codecs; see the module's docstring."""
    args = get_parser().parse_args(cmd)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if args.nj < 1:
        raise ValueError(f"--nj is {args.nj}; expected 1 or more processes")
    options = options_from(args)
    systems = systems_from(args.codec or [DEFAULT_CODEC], args.output_dir)
    sentences = read_sentences(args.data_dir)
    scored = score(systems, sentences, options, args.nj)
    results = to_results(args.data_dir, sentences, scored, options)
    write_reports(
        args.output_dir, results, systems, sentences, scored, args.num_examples
    )
    print("\n".join(markdown_lines(make_table(results["systems"]))))
    logging.info("Wrote %s", args.output_dir / PAGE_FILE)


if __name__ == "__main__":
    sys.exit(run_cli(main))
