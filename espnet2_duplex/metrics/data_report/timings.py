"""Time that the stages of a corpus took, and what the whole would have taken.

A stage may have been stopped and gone on, and some of its work may be older than the
file of times. Where its lines say how much they did, the time of the whole is estimated
from them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from espnet2_duplex.metrics.counts import share
from espnet2_duplex.metrics.data_report.data_table import DataTable, number_text
from espnet2_duplex.metrics.page_parts import ABSENT

WORD = r"(?!\d+\.?\d*(?:\s|$))\S+"  # a number is none
LEAST_SHARE = (
    0.1  # of the items; of fewer, the start of a run would be most of the time
)
LINE = re.compile(rf"({WORD}(?:\s+{WORD})*)\s+(\d+\.?\d*)(?:\s+(\d+)\s+(\d+))?")


@dataclass(frozen=True)
class Timing:
    """One run of a stage.

    Attributes:
        stage: name; all runs of it do parts of the same work.
        seconds: that the run took.
        num_done: items that this run made, without those that were there before; None
            if it does not tell.
        num_total: items of the whole stage, however many runs make them.
    """

    stage: str
    seconds: float
    num_done: int | None = None
    num_total: int | None = None


@dataclass(frozen=True)
class StageTime:
    """All runs of one stage.

    Attributes:
        stage: name.
        num_runs: lines of it.
        seconds: of the whole stage; None if too few of its items were timed to tell.
        num_done: items that were timed; None if no run tells.
        num_total: items of the stage, as the last run has it.
    """

    stage: str
    num_runs: int
    seconds: float | None
    num_done: int | None = None
    num_total: int | None = None

    @property
    def remark(self) -> str:
        """How the time was found, "" if it was just measured."""
        if self.num_done == self.num_total:
            return ""
        if self.seconds is None:
            return f"only {self.num_done:,} of {self.num_total:,} timed"
        return f"estimated from {self.num_done:,} of {self.num_total:,}"


def parse_timing(line: str) -> Timing:
    """A line "stage seconds" or "stage seconds num_done num_total".

    The name of a stage may have several words, but none that is a number.

    Raises:
        ValueError: the line is not like that.
    """
    found = LINE.fullmatch(line.strip())
    if not found:
        raise ValueError(
            f"it reads {line!r}; expected a stage, its seconds, and perhaps how many "
            "items the run made and how many there are"
        )
    stage, seconds, *numbers = found.groups()
    if numbers[0] is None:
        return Timing(stage, float(seconds))
    return Timing(stage, float(seconds), *map(int, numbers))


def stage_times(timings: Iterable[Timing]) -> list[StageTime]:
    """The runs of each stage put together, in the order of their first runs.

    Where any run of a stage tells how much it did, the others do not count: their work
    is not known, and the estimate covers it.
    """
    stages: dict[str, list[Timing]] = {}
    for timing in timings:
        stages.setdefault(timing.stage, []).append(timing)
    return [_stage_time(stage, runs) for stage, runs in stages.items()]


def all_seconds(stages: Iterable[StageTime]) -> float:
    """Of those stages whose time is known."""
    return sum(stage.seconds or 0.0 for stage in stages)


def timing_table(timings: Sequence[Timing], hours: float) -> DataTable:
    """Time of each stage of the data, from its beginning to its end.

    Args:
        timings: one for each run; a stage that was stopped has several.
        hours: of conversation that came out.
    """
    stages = stage_times(timings)
    unknown = [stage.stage for stage in stages if stage.seconds is None]
    rows = [
        (stage.stage, f"{stage.num_runs}", *_cells(stage.seconds, hours), stage.remark)
        for stage in stages
    ]
    remark = f"without {', '.join(unknown)}" if unknown else ""
    cells = _cells(all_seconds(stages), hours)
    rows.append(("all", f"{len(timings)}", *cells, remark))
    headings = ("stage", "runs", "seconds", "seconds per hour of conversation", "")
    return DataTable(headings, tuple(rows))


def _stage_time(stage: str, runs: Sequence[Timing]) -> StageTime:
    telling = [run for run in runs if run.num_done is not None]
    if not telling:
        return StageTime(stage, len(runs), sum(run.seconds for run in runs))
    num_done = sum(run.num_done for run in telling)
    num_total = telling[-1].num_total
    seconds = sum(run.seconds for run in telling)
    if num_done < num_total:
        is_known = num_done > LEAST_SHARE * num_total
        seconds = seconds * num_total / num_done if is_known else None
    return StageTime(stage, len(runs), seconds, min(num_done, num_total), num_total)


def _cells(seconds: float | None, hours: float) -> tuple[str, str]:
    if seconds is None:
        return ABSENT, ABSENT
    return f"{seconds:.1f}", number_text(share(seconds, hours))
