"""Scores the samples of a task of Full-Duplex-Bench; faults of one spoil no other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tqdm import tqdm

from espnet2_duplex.metrics.full_duplex_bench.judging import Judge, ask
from espnet2_duplex.scoring.full_duplex_bench.files import BenchSample
from espnet2_duplex.scoring.full_duplex_bench.task import BenchTask, SampleScore
from espnet2_duplex.scoring.full_duplex_bench.transcripts import (
    Recogniser,
    Recording,
    transcribe_recordings,
)


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
    owners, problems = _missing_words(samples, task)
    if not owners:
        return problems
    recogniser = load_recogniser()
    if recogniser is not None:
        transcribe_recordings(
            list(owners),
            recogniser,
            lambda recording, text: problems.setdefault(owners[recording], text),
        )
        return problems
    for recording, id in owners.items():
        problems.setdefault(
            id,
            f"{recording.transcript} has no words of {recording.wav.name}; give "
            "--asr_model to make them.",
        )
    return problems


def _missing_words(
    samples: Sequence[BenchSample], task: BenchTask
) -> tuple[dict[Recording, str], dict[str, str]]:
    """What must be transcribed -> its sample, and the problems of other samples."""
    owners: dict[Recording, str] = {}
    problems: dict[str, str] = {}
    for sample in samples:
        try:
            missing = [r for r in task.recordings(sample) if r.lacks_words]
        except ValueError as problem:
            problems[sample.id] = str(problem)
            continue
        for recording in missing:
            if not recording.wav.is_file():
                problems[sample.id] = (
                    f"{recording.wav} does not exist; let a system write it (the "
                    "command run)."
                )
        if sample.id not in problems:
            owners |= dict.fromkeys(missing, sample.id)
    return owners, problems


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
