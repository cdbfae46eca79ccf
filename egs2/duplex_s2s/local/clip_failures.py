"""Which clips of a list have failed: kept by each job, judged once for the whole list."""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from clips import Clip, failures_file, missing_clips

from espnet2_duplex.jsonl import read_jsonl, write_jsonl

MIN_FAILURES = 5  # that are always allowed: a small corpus may lose one sentence, too
MAX_SHOWN_FAILURES = 3


@dataclass(frozen=True)
class Failure:
    """A clip that cannot be had, and why."""

    clip: Clip
    reason: str


def too_many(num_failed: int, num_clips: int, max_share: float) -> bool:
    """Whether failed clips are no longer the odd sentence but a fault of the whole.

    All of them always are, and up to `MIN_FAILURES` else never; beyond these the limit
    is a share of the clips.
    """
    if num_failed == num_clips:
        return num_clips > 0
    return num_failed > max(MIN_FAILURES, max_share * num_clips)


def write_failures(
    failures: Iterable[Failure], clips: Path, name: str, job: int
) -> Path:
    """Keep what failed in a job; returns the file.

    Args:
        failures: none of them is worth a file, too.
        clips: folder of all clips.
        name: of the list.
        job: its number.
    """
    path = failures_file(clips, f"{name}.{job}")
    write_jsonl(path, [{**asdict(f.clip), "reason": f.reason} for f in failures])
    return path


def job_files(clips: Path, name: str) -> list[Path]:
    """What jobs have kept of a list, also those of a run with more jobs."""
    of_a_job = re.compile(rf"failed\.{re.escape(name)}\.\d+\.jsonl")
    every = clips.glob("failed.*.jsonl")
    return sorted(path for path in every if of_a_job.fullmatch(path.name))


def forget_failures(clips: Path, name: str) -> None:
    """Remove what jobs of earlier runs have kept of a list."""
    for path in job_files(clips, name):
        path.unlink()


def failures_of(planned: Sequence[Clip], clips: Path, name: str) -> list[Failure]:
    """Clips of a list that have no wav after all jobs, in the list's order.

    Args:
        planned: the list.
        clips: folder of all clips.
        name: of the list.

    Raises:
        ValueError: a clip has neither a wav nor a reason why not.
    """
    files = job_files(clips, name)
    reasons = {row["id"]: row["reason"] for path in files for row in read_jsonl(path)}
    missing = missing_clips(planned, clips)
    untried = [clip for clip in missing if clip.id not in reasons]
    if untried:
        raise ValueError(
            f"{len(untried)} of the {len(planned)} {name} clips have not been spoken, "
            f"the first is {clips / untried[0].path}; run all jobs of the list again, "
            "which keep the clips that are there."
        )
    return [Failure(clip, reasons[clip.id]) for clip in missing]


def summary(failures: Sequence[Failure], num_clips: int, listed: Path) -> str:
    """A sentence without its full stop: how many have failed, and the first ones."""
    shown = "; ".join(
        f"{failure.clip.voice} {failure.clip.text!r} ({failure.reason})"
        for failure in failures[:MAX_SHOWN_FAILURES]
    )
    return f"{len(failures)} of {num_clips} clips failed, see {listed}: {shown}"


def warn(failures: Sequence[Failure], num_clips: int, listed: Path) -> None:
    """Tell what has failed, if anything."""
    if failures:
        told = summary(failures, num_clips, listed)
        print(f"warning: {told}.", file=sys.stderr, flush=True)


def check_list(
    planned: Sequence[Clip], clips: Path, name: str, max_share: float
) -> None:
    """Tell what has failed of a list, once all of its jobs are done.

    Args:
        planned: the list.
        clips: folder of all clips.
        name: of the list.
        max_share: of the clips that may fail, see `too_many`.

    Raises:
        ValueError: too many have, or not all were tried.
    """
    failures, listed = failures_of(planned, clips, name), clips / f"failed.{name}.*"
    if too_many(len(failures), len(planned), max_share):
        remedy = "Change these texts or voices, or allow more with --max_failed_share"
        if len(failures) == len(planned):
            remedy = "Mend the engine, its settings or these texts: nothing was spoken"
        raise ValueError(f"{summary(failures, len(planned), listed)}. {remedy}.")
    warn(failures, len(planned), listed)
    print(f"{len(planned) - len(failures)} {name} clips are in {clips}", flush=True)
