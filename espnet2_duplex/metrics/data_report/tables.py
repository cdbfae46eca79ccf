"""The counts of a corpus as tables with one line for each source or set."""

from collections.abc import Callable, Mapping

from espnet2_duplex.metrics.data_report.data_table import (
    DataTable,
    number_text,
    percent_text,
)
from espnet2_duplex.metrics.data_report.distribution import Distribution
from espnet2_duplex.metrics.data_report.statistics import SECONDS_PER_HOUR, CorpusCounts
from espnet2_duplex.metrics.page_parts import ABSENT

type Columns = Mapping[str, Callable[[CorpusCounts], str]]

HOURS_COLUMNS: Columns = {
    "conversations": lambda counts: f"{counts.num_conversations}",
    "hours": lambda counts: f"{counts.hours:.2f}",
    "user h": lambda counts: _hours(counts.user_turns.sum),
    "agent h": lambda counts: _hours(counts.agent_turns.sum),
    "overlap h": lambda counts: _hours(counts.overlaps.sum),
    "silence h": lambda counts: _hours(counts.silence_seconds),
    "speakers": lambda counts: f"{len(counts.speakers)}",
    "turns": lambda counts: number_text(counts.turns.mean),
    "exchanges": lambda counts: number_text(counts.exchanges.mean),
    "tokens dropped %": lambda counts: percent_text(counts.tokens.dropped_share),
}
TURN_TAKING_COLUMNS: Columns = {
    "gap s": lambda counts: number_text(counts.gaps.percentile(50)),
    "heard gap s (5–95 %)": lambda counts: _range(counts.heard_gaps),
    "barge-ins": lambda counts: f"{counts.num_barge_ins}",
    "that cut": lambda counts: f"{len(counts.cuts)}",
    "own end": lambda counts: f"{len(counts.own_ends)}",
    "late": lambda counts: f"{len(counts.late_ends)}",
    "with barge-in %": lambda counts: percent_text(counts.barge_in_share),
    "cut s": lambda counts: number_text(counts.cuts.percentile(50)),
    "agent interrupts": lambda counts: f"{counts.num_interruptions}",
    "in-turn pauses": lambda counts: f"{len(counts.in_turn_pauses)}",
    "backchannels": lambda counts: f"{len(counts.backchannels)}",
    "noises": lambda counts: f"{len(counts.noises)}",
}


def hours_table(heading: str, rows: Mapping[str, CorpusCounts]) -> DataTable:
    """Hours, speakers, turns and dropped tokens.

    Args:
        heading: what the rows are, for example "Source".
        rows: name -> counts.
    """
    return _table(heading, rows, HOURS_COLUMNS)


def turn_taking_table(heading: str, rows: Mapping[str, CorpusCounts]) -> DataTable:
    """Gaps, barge-ins, interruptions and events; arguments as of :func:`hours_table`."""
    return _table(heading, rows, TURN_TAKING_COLUMNS)


def distribution_table(distributions: Mapping[str, Distribution]) -> DataTable:
    """How many, mean and percentiles of each distribution, by name."""
    headings = ("", "number", "mean", "least", "5 %", "median", "95 %", "most")
    rows = []
    for name, values in distributions.items():
        percentiles = (values.percentile(percent) for percent in (0, 5, 50, 95, 100))
        cells = (values.mean, *percentiles)
        rows.append((name, f"{len(values)}", *map(number_text, cells)))
    return DataTable(headings, tuple(rows))


def tokens_table(rows: Mapping[str, CorpusCounts]) -> DataTable:
    """Text tokens against frames; `rows` is source -> counts."""
    cells = []
    for name, counts in rows.items():
        found = counts.tokens
        losing = found.num_turns_dropping / max(found.num_turns, 1)
        shares = (found.dropped_share or 0, found.dropped_share_uncut or 0, losing)
        numbers = f"{found.num_turns}", f"{found.num_tokens}"
        per_frame = f"{found.per_frame.mean or 0:.2f}"
        percents = (f"{100 * share:.2f}" for share in shares)
        cells.append((name, *numbers, per_frame, *percents))
    headings = ("Source", "agent turns", "tokens", "tokens per frame")
    headings += ("dropped %", "dropped %, not cut", "turns that lose text %")
    return DataTable(headings, tuple(cells))


def _table(
    heading: str, rows: Mapping[str, CorpusCounts], columns: Columns
) -> DataTable:
    cells = tuple(
        (name, *(cell(counts) for cell in columns.values()))
        for name, counts in rows.items()
    )
    return DataTable((heading, *columns), cells)


def _hours(seconds: float) -> str:
    return f"{seconds / SECONDS_PER_HOUR:.2f}"


def _range(values: Distribution) -> str:
    """Median, and where nine tenths of the values lie."""
    if not len(values):
        return ABSENT
    least, median, most = (values.percentile(percent) for percent in (5, 50, 95))
    return f"{median:.2f} ({least:.2f}–{most:.2f})"
