"""The statistics of a corpus as one HTML file that opens from disk."""

from collections.abc import Mapping
from html import escape

from espnet2_duplex.conversation import CUT_SECONDS, GAP_SECONDS
from espnet2_duplex.metrics.data_report.counts import DataReport
from espnet2_duplex.metrics.data_report.distribution import Distribution
from espnet2_duplex.metrics.data_report.figures import (
    Histogram,
    draw_histogram,
    draw_hours,
    source_colors,
)
from espnet2_duplex.metrics.data_report.outliers import meanings
from espnet2_duplex.metrics.data_report.page_style import DEFINITIONS, STYLE
from espnet2_duplex.metrics.data_report.statistics import CorpusCounts
from espnet2_duplex.metrics.data_report.tables import (
    DataTable,
    distribution_table,
    paper_table,
    summary_table,
    timing_table,
)
from espnet2_duplex.metrics.page_parts import (
    Heading,
    Table,
    data_url,
    note,
    render_frame,
    render_table,
    rows_with_paper,
    section,
)

OUTLIER_HEADINGS = ("Set", "Conversation", "Reason")
TOKENS_PER_FRAME = "tokens per frame, agent"


def render_page(report: DataReport) -> str:
    """The page: nothing in it comes from elsewhere, same report, same bytes."""
    total = report.total
    sections = [
        section("As the paper's Table 1", _paper_part(report)),
        section("Sources", _sources_part(report)),
        section("Distributions", _distributions_part(report)),
        section("Text tokens and frames", _tokens_part(report)),
        section("Time", _timing_part(report)),
        section("Outliers", _outliers_part(report)),
        section("Definitions", _definitions_part()),
    ]
    headline = (
        f"{total.num_conversations:,} conversations, {total.hours:,.2f} hours, "
        f"{len(total.speakers):,} user voices; sets: {', '.join(report.sets)}"
    )
    content = "\n".join(sections)
    return render_frame("The conversations", headline, content, STYLE, script="")


def named_distributions(counts: CorpusCounts) -> dict[str, Distribution]:
    """All distributions by the name of the quantity."""
    return {
        "conversation, s": counts.durations,
        "turns per conversation": counts.turns,
        "exchanges per conversation": counts.exchanges,
        "user turn, s": counts.user_turns,
        "agent turn, s": counts.agent_turns,
        "gap, user to agent, s": counts.gaps,
        "pause, agent to user, s": counts.pauses,
        "overlap, s": counts.overlaps,
        "cut after a barge-in, s": counts.cuts,
        "in-turn pause, s": counts.in_turn_pauses,
        "backchannel, s": counts.backchannels,
        "noise, s": counts.noises,
        "words a second, agent": counts.words_per_second,
        TOKENS_PER_FRAME: counts.tokens.per_frame,
    }


def _paper_part(report: DataReport) -> str:
    table = _texts(paper_table(report.sources, report.infos), "datasets")
    return table + note("Rows in italics are the paper's.")


def _sources_part(report: DataReport) -> str:
    rows = {**report.sources, "all": report.total}
    sets = {name: statistics.total for name, statistics in report.sets.items()}
    return (
        f'<div class="wide">{_picture(draw_hours(report.sources), "hours")}</div>'
        + _table(summary_table("Source", rows), "sources")
        + _table(summary_table("Set", sets), "sets")
        + note("Turns and exchanges are means, gap and cut medians.")
    )


def _distributions_part(report: DataReport) -> str:
    marks = {
        "gap, user to agent, s": GAP_SECONDS,
        "cut after a barge-in, s": CUT_SECONDS,
    }
    table = distribution_table(named_distributions(report.total))
    names = [row[0] for row in table.rows if row[0] != TOKENS_PER_FRAME]
    figures = (_figure(name, report, marks.get(name)) for name in names)
    text = (
        "Colours are sources. The outermost bars hold all that lies beyond them. Values "
        "of the table are to a hundredth."
    )
    plots = f'<div class="plots">{"".join(figures)}</div>'
    return _key(report) + plots + _table(table, "distributions") + note(text)


def _tokens_part(report: DataReport) -> str:
    tokens = report.total.tokens
    if not tokens.num_turns:
        return note("Not counted: give local/report_data.py a --token_model.")
    headings = ("Source", "agent turns", "tokens", "tokens per frame")
    headings += ("dropped %", "dropped %, not cut", "turns that lose text %")
    rows = []
    for name, counts in {**report.sources, "all": report.total}.items():
        found = counts.tokens
        losing = found.num_turns_dropping / max(found.num_turns, 1)
        shares = (found.dropped_share or 0, found.dropped_share_uncut or 0, losing)
        cells = [f"{found.num_turns}", f"{found.num_tokens}"]
        cells += [f"{found.per_frame.mean or 0:.2f}"]
        rows.append((name, *cells, *(f"{100 * share:.2f}" for share in shares)))
    figure = _figure(TOKENS_PER_FRAME, report, None)
    text = (
        "A turn of more than one token a frame loses text; the paper gives no figure."
    )
    table = _table(DataTable(headings, tuple(rows)), "text tokens")
    return f'<div class="plots">{figure}</div>{table}{note(text)}'


def _timing_part(report: DataReport) -> str:
    if not report.timings:
        return note("Not measured: give local/report_data.py --timings.")
    return _table(timing_table(report.timings, report.total.hours), "time of stages")


def _outliers_part(report: DataReport) -> str:
    parts = []
    for kind, meaning in meanings(report.limits).items():
        tallies = {name: s.outliers for name, s in report.sets.items()}
        number = sum(tally.num[kind] for tally in tallies.values())
        if not number:
            continue
        rows = tuple(
            (name, outlier.id, outlier.reason)
            for name, tally in tallies.items()
            for outlier in tally.listed.get(kind, ())
        )
        rest = (
            f"{number - len(rows):,} more are not listed." if number > len(rows) else ""
        )
        parts.append(
            f"<details><summary>{escape(kind)}: {number:,} ({escape(meaning)})</summary>"
            f"{_texts(DataTable(OUTLIER_HEADINGS, rows), kind)}{note(rest)}</details>"
        )
    return "".join(parts) or note("None.")


def _definitions_part() -> str:
    lines = (
        f"<dt>{escape(name)}</dt><dd>{escape(meaning)}</dd>"
        for name, meaning in DEFINITIONS.items()
    )
    return f"<dl>{''.join(lines)}</dl>"


def _figure(name: str, report: DataReport, mark: float | None) -> str:
    by_source: Mapping[str, Distribution] = {
        source: named_distributions(counts)[name]
        for source, counts in report.sources.items()
    }
    number = sum(len(values) for values in by_source.values())
    caption = f"{escape(name)} <small>({number:,})</small>"
    if not number:
        return f"<figure><figcaption>{caption}</figcaption>{note('None.')}</figure>"
    is_whole = name.endswith("per conversation")
    axis = "seconds" if name.endswith(", s") else ""
    histogram = Histogram(axis, by_source, mark, unit=100 if is_whole else 1)
    picture = draw_histogram(histogram, source_colors(report.sources))
    return (
        f"<figure><figcaption>{caption}</figcaption>{_picture(picture, name)}</figure>"
    )


def _key(report: DataReport) -> str:
    items = (
        f'<span><i style="background:{color}"></i>{escape(source)}</span>'
        for source, color in source_colors(report.sources).items()
    )
    return f'<p class="key">{"".join(items)}</p>'


def _table(table: DataTable, label: str) -> str:
    headings = tuple(map(Heading, table.headings))
    rows = rows_with_paper(table.rows, table.paper_rows)
    return render_table(Table(headings, rows), label)


def _texts(table: DataTable, label: str) -> str:
    """A table of words: its cells begin at the left and may have several lines."""
    return f'<div class="texts">{_table(table, label)}</div>'


def _picture(svg: str, name: str) -> str:
    # As a file of its own, so that the ids inside pictures do not meet.
    source = data_url("image/svg+xml", svg.encode())
    return f'<img alt="{escape(name)}" src="{source}">'
