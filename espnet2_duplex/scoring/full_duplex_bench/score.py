"""Scores the samples of a task of Full-Duplex-Bench; faults of one spoil no other."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import batched

from tqdm import tqdm

from espnet2_duplex.chat.asking import Asked, BadAnswer, ask
from espnet2_duplex.chat.backend import Refused, Unavailable
from espnet2_duplex.metrics.full_duplex_bench.judging import NUM_TRIES, other_try
from espnet2_duplex.scoring.full_duplex_bench.files import BenchSample
from espnet2_duplex.scoring.full_duplex_bench.task import BenchTask, SampleScore
from espnet2_duplex.scoring.full_duplex_bench.transcripts import (
    Recogniser,
    RecogniserName,
    Recording,
    transcribe_recordings,
    writer_of,
)

QUESTIONS_AT_A_TIME = 16


@dataclass
class Scored:
    """What came out.

    Attributes:
        scores: by the id of the sample.
        problems: by the id of the sample, one sentence each.
        judge_problem: why some questions were not asked, None if all were.
    """

    scores: dict[str, SampleScore] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    judge_problem: str | None = None


def transcribe_samples(
    samples: Sequence[BenchSample],
    task: BenchTask,
    recogniser: RecogniserName | None,
    load: Callable[[RecogniserName], Recogniser],
) -> dict[str, str]:
    """Write the words that a task needs and that are not there.

    Args:
        samples: of the task.
        task: says what it needs.
        recogniser: who transcribes; words that another one wrote here are made again.
            None is nobody.
        load: called only if something must be transcribed.
    Returns:
        Problems by the id of the sample.
    """
    owners, problems = _missing_words(samples, task, recogniser)
    if recogniser is None:
        for recording, id in owners.items():
            problems.setdefault(
                id,
                f"{recording.transcript} has no words of {recording.wav.name} as the "
                "task needs them; give --asr_model to make them.",
            )
    elif owners:
        transcribe_recordings(
            list(owners),
            load(recogniser),
            lambda recording, text: problems.setdefault(owners[recording], text),
        )
    return problems


def count_recognisers(
    samples: Sequence[BenchSample], task: BenchTask
) -> Counter[RecogniserName | None]:
    """Who wrote the words of samples, None for who did not sign -> transcripts."""
    transcripts = [
        recording.transcript
        for sample in samples
        for recording in task.recordings(sample)
        if recording.transcript.is_file()
    ]
    return Counter(map(writer_of, transcripts))


def _missing_words(
    samples: Sequence[BenchSample],
    task: BenchTask,
    recogniser: RecogniserName | None,
) -> tuple[dict[Recording, str], dict[str, str]]:
    """What must be transcribed -> its sample, and the problems of other samples."""
    owners: dict[Recording, str] = {}
    problems: dict[str, str] = {}
    for sample in samples:
        try:
            recordings = task.recordings(sample)
            missing = [r for r in recordings if r.lacks_words(recogniser)]
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
    judge: Asked | None,
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


def _answer_questions(scored: Scored, judge: Asked) -> None:
    """Put what the judge says into the scores; what it does not say is a failure."""
    left = [id for id, score in scored.scores.items() if score.open_figure]
    if not left:
        return
    with tqdm(total=len(left), unit="sample", desc="judging") as bar:
        for ids in batched(left, QUESTIONS_AT_A_TIME):
            questions = [scored.scores[id].open_figure.question for id in ids]
            answers = [None] * len(ids)
            if scored.judge_problem is None:
                try:
                    answers = ask(judge, questions, other_try, NUM_TRIES)
                except Unavailable as problem:
                    scored.judge_problem = str(problem)
            for id, answer in zip(ids, answers, strict=True):
                scored.scores[id] = _answered(scored.scores[id], answer)
            bar.update(len(ids))


def _answered(score: SampleScore, answer) -> SampleScore:
    """With the judge's answer, or None or what is wrong with it."""
    key, failure = score.open_figure.key, {}
    if isinstance(answer, BadAnswer | Refused):
        answer, failure = None, {f"{key}_failure": str(answer)}
    counts = score.counts + score.open_figure.count(answer)
    return replace(score, counts=counts, row=score.row | {key: answer} | failure)
