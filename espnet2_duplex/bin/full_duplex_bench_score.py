"""Scores the samples of a task of Full-Duplex-Bench; faults of one spoil no other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tqdm import tqdm

from espnet2_duplex.bin.full_duplex_bench_files import BenchSample
from espnet2_duplex.bin.full_duplex_bench_task import BenchTask, SampleScore
from espnet2_duplex.bin.full_duplex_bench_transcripts import (
    Recogniser,
    Recording,
    transcribe_recordings,
)
from espnet2_duplex.metrics.full_duplex_bench.judging import Judge, ask


@dataclass
class Scored:
    """What came out.

    Attributes:
        scores: by the id of the sample.
        problems: by the id of the sample, one sentence each.
        judge_problem: why no question was answered, None if they were.
    """

    scores: dict[str, SampleScore] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    judge_problem: str | None = None


def transcribe_samples(
    samples: Sequence[BenchSample],
    task: BenchTask,
    load_recogniser: Callable[[], Recogniser | None],
) -> dict[str, str]:
    """Write the words that a task needs and that are not there.

    Args:
        samples: of the task.
        task: says what it needs.
        load_recogniser: called only if something must be transcribed; None where there
            is nobody.
    Returns:
        Problems by the id of the sample.
    """
    problems: dict[str, str] = {}
    owners: dict[Recording, str] = {}
    for sample in samples:
        try:
            for recording in task.recordings(sample):
                if recording.lacks_words:
                    owners[recording] = sample.id
        except ValueError as problem:
            problems[sample.id] = str(problem)
    wanted = [
        recording
        for recording, id in owners.items()
        if recording.wav.is_file() and id not in problems
    ]
    for recording, id in owners.items():
        if not recording.wav.is_file():
            problems.setdefault(
                id,
                f"{recording.wav} does not exist; let a system write it (the command "
                "run).",
            )
    recogniser = load_recogniser() if wanted else None
    if recogniser is not None:
        transcribe_recordings(
            wanted, recogniser, lambda r, text: problems.setdefault(owners[r], text)
        )
    elif wanted:
        for recording in wanted:
            problems.setdefault(
                owners[recording],
                f"{recording.transcript} has no words of {recording.wav.name}; give "
                "--asr_model to make them.",
            )
    return problems


def score_samples(
    samples: Sequence[BenchSample],
    task: BenchTask,
    judge: Judge | None,
    problems: dict[str, str],
) -> Scored:
    """Score what can be scored.

    Args:
        samples: of the task, with their words.
        task: how to score one.
        judge: answers the questions; None leaves them open.
        problems: samples that are known to be no good; left out.
    """
    scored = Scored(problems=dict(problems))
    left = [sample for sample in samples if sample.id not in problems]
    for sample in tqdm(left, unit="sample", desc="scoring"):
        try:
            scored.scores[sample.id] = task.score(sample)
        except ValueError as problem:
            scored.problems[sample.id] = str(problem)
    if judge is not None:
        _answer_questions(scored, judge)
    return scored


def _answer_questions(scored: Scored, judge: Judge) -> None:
    asked = {id: score for id, score in scored.scores.items() if score.question}
    if not asked:
        return
    questions = [score.question for score in asked.values()]
    try:
        answers = ask(judge, [q.chat for q in questions], questions[0].parse)
    except ValueError as problem:
        scored.judge_problem = str(problem)
        answers = [None] * len(questions)
    for (id, score), question, answer in zip(asked.items(), questions, answers):
        counts = score.counts + question.count(answer)
        row = score.row | {question.key: answer}
        scored.scores[id] = replace(score, counts=counts, row=row)
