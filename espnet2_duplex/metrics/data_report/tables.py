"""The counts of a corpus as tables: the paper's Table 1, and one line per source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from espnet2_duplex.metrics.counts import share
from espnet2_duplex.metrics.data_report.distribution import Distribution
from espnet2_duplex.metrics.data_report.statistics import SECONDS_PER_HOUR, CorpusCounts
from espnet2_duplex.metrics.page_parts import ABSENT

YES, NO = "✓", "✗"
# Table 1 of the paper.
PAPER_ROWS = (
    ("Spoken QA", "ASR-QA", "20k", "Mix", "Augment", NO),
    ("Spoken QA", "MS MARCO", "0.2k", "TTS", "Augment", NO),
    ("Spoken QA", "Alpaca", "0.2k", "TTS", "Augment", NO),
    ("Spoken QA", "Internal SFT", "3k", "TTS", "Real", YES),
    ("Conversation", "UltraChat", "3k", "TTS", "Augment", YES),
    ("Conversation", "Topic", "0.3k", "TTS", "Augment", YES),
)


@dataclass(frozen=True)
class SourceInfo:
    """What the turns do not tell of a dataset.

    Attributes:
        name: as a reader should see it, for example "MS MARCO".
        task: "Spoken QA" or "Conversation".
        speech: of the user: "TTS", "Real" or "Mix".
        multi_turn: how its conversations come to have several exchanges: "Real" if the
            texts have them, "Augment" if single exchanges were joined (Sec. 4.2).
    """

    name: str
    task: str = ABSENT
    speech: str = ABSENT
    multi_turn: str = ABSENT


@dataclass(frozen=True)
class DataTable:
    """Cells as texts.

    Attributes:
        headings: of the columns.
        rows: measured.
        paper_rows: the paper's, below them.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    paper_rows: tuple[tuple[str, ...], ...] = ()


def paper_table(
    sources: Mapping[str, CorpusCounts], infos: Mapping[str, SourceInfo]
) -> DataTable:
    """Table 1 of the paper for this corpus, and the paper's own rows.

    Args:
        sources: source -> its counts.
        infos: source -> what is known of it; may lack sources.
    """
    rows = []
    for source, counts in sources.items():
        info = infos.get(source, SourceInfo(source))
        longest = counts.exchanges.percentile(100) or 0
        multi_turn = info.multi_turn if longest > 1 else NO
        barge_in = YES if counts.num_with_barge_in else NO
        hours = hours_text(counts.hours)
        rows.append((info.task, info.name, hours, info.speech, multi_turn, barge_in))
    order = ("Spoken QA", "Conversation")
    rows.sort(key=lambda row: order.index(row[0]) if row[0] in order else len(order))
    headings = ("Task", "Dataset", "#Hours", "Speech", "Multi-turn", "Barge-in")
    return DataTable(headings, tuple(rows), PAPER_ROWS)


def summary_table(heading: str, rows: Mapping[str, CorpusCounts]) -> DataTable:
    """Hours, speakers, turns, barge-ins and dropped tokens.

    Args:
        heading: what the rows are, for example "Source".
        rows: name -> counts.
    """
    columns = {
        heading: lambda name, counts: name,
        "conversations": lambda name, counts: f"{counts.num_conversations}",
        "hours": lambda name, counts: f"{counts.hours:.2f}",
        "user h": lambda name, counts: _hours(counts.user_turns.sum),
        "agent h": lambda name, counts: _hours(counts.agent_turns.sum),
        "overlap h": lambda name, counts: _hours(counts.overlaps.sum),
        "silence h": lambda name, counts: _hours(counts.silence_seconds),
        "speakers": lambda name, counts: f"{len(counts.speakers)}",
        "turns": lambda name, counts: _number(counts.turns.mean),
        "exchanges": lambda name, counts: _number(counts.exchanges.mean),
        "barge-ins": lambda name, counts: f"{len(counts.cuts)}",
        "with barge-in %": lambda name, counts: _percent(counts.barge_in_share),
        "gap s": lambda name, counts: _number(counts.gaps.percentile(50)),
        "cut s": lambda name, counts: _number(counts.cuts.percentile(50)),
        "backchannels": lambda name, counts: f"{len(counts.backchannels)}",
        "tokens dropped %": lambda name, counts: _percent(counts.tokens.dropped_share),
    }
    return DataTable(
        tuple(columns),
        tuple(
            tuple(cell(name, counts) for cell in columns.values())
            for name, counts in rows.items()
        ),
    )


def distribution_table(distributions: Mapping[str, Distribution]) -> DataTable:
    """How many, mean and percentiles of each distribution, by name."""
    headings = ("", "number", "mean", "least", "5 %", "median", "95 %", "most")
    rows = []
    for name, values in distributions.items():
        percentiles = (values.percentile(percent) for percent in (0, 5, 50, 95, 100))
        cells = (values.mean, *percentiles)
        rows.append((name, f"{len(values)}", *map(_number, cells)))
    return DataTable(headings, tuple(rows))


def timing_table(timings: Sequence[tuple[str, float]], hours: float) -> DataTable:
    """Time of each stage of the data, from its beginning to its end.

    Args:
        timings: stage and seconds, one for each run; a stage that was stopped has
            several.
        hours: of conversation that came out.
    """
    stages: dict[str, list[float]] = {}
    for stage, seconds in timings:
        stages.setdefault(stage, []).append(seconds)
    stages["all"] = [seconds for _, seconds in timings]
    rows = []
    for name, times in stages.items():
        per_hour = share(sum(times), hours)
        cells = f"{len(times)}", f"{sum(times):.1f}", _number(per_hour)
        rows.append((name, *cells))
    headings = ("stage", "runs", "seconds", "seconds per hour of conversation")
    return DataTable(headings, tuple(rows))


def markdown_lines(table: DataTable) -> list[str]:
    """The table in Markdown, the paper's rows in italics."""
    lines = [table.headings, tuple("---" for _ in table.headings), *table.rows]
    lines += [tuple(f"*{cell}*" for cell in row) for row in table.paper_rows]
    return [f"|{'|'.join(cell.replace('|', '/') for cell in row)}|" for row in lines]


def hours_text(hours: float) -> str:
    """Hours as in the paper's table ("0.2k"), but below 100 with their fraction."""
    return f"{hours / 1000:.1f}k" if hours >= 100 else f"{hours:.2f}"


def _hours(seconds: float) -> str:
    return f"{seconds / SECONDS_PER_HOUR:.2f}"


def _number(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.2f}"


def _percent(fraction: float | None) -> str:
    return ABSENT if fraction is None else f"{100 * fraction:.1f}"
