"""Distributions of a corpus: one picture and one line of a table for each."""

from html import escape

from espnet2_duplex.conversation import CUT_SECONDS, GAP_SECONDS
from espnet2_duplex.metrics.data_report.distribution import Distribution
from espnet2_duplex.metrics.data_report.figures import (
    Histogram,
    draw_histogram,
    source_colors,
)
from espnet2_duplex.metrics.data_report.page_cells import data_table, picture
from espnet2_duplex.metrics.data_report.report import DataReport
from espnet2_duplex.metrics.data_report.statistics import CorpusCounts
from espnet2_duplex.metrics.data_report.tables import distribution_table
from espnet2_duplex.metrics.page_parts import note

TOKENS_PER_FRAME = "tokens per frame, agent"
GAP = "gap, user to agent, s"
CUT = "cut after a barge-in, s"
PAPER_SECONDS = {GAP: GAP_SECONDS, CUT: CUT_SECONDS}


def distributions_part(report: DataReport) -> str:
    """Key of the colours, pictures, table, and what was listened to; HTML."""
    table = distribution_table(named_distributions(report.training))
    names = [row[0] for row in table.rows if row[0] != TOKENS_PER_FRAME]
    figures = (figure(name, report) for name in names)
    plots = f'<div class="plots">{"".join(figures)}</div>'
    text = (
        "Colours are sources. The outermost bars hold all that lies beyond them. Values "
        "of the table are to a hundredth."
    )
    return (
        _key(report)
        + plots
        + data_table(table, "distributions")
        + note(text)
        + note(_listened(report))
    )


def named_distributions(counts: CorpusCounts) -> dict[str, Distribution]:
    """All distributions by the name of the quantity."""
    return {
        "conversation, s": counts.durations,
        "turns per conversation": counts.turns,
        "exchanges per conversation": counts.exchanges,
        "user turn, s": counts.user_turns,
        "agent turn, s": counts.agent_turns,
        GAP: counts.gaps,
        "heard gap, user to agent, s": counts.heard_gaps,
        "pause, agent to user, s": counts.pauses,
        "overlap, s": counts.overlaps,
        CUT: counts.cuts,
        "agent's own end after a barge-in, s": counts.own_ends,
        "late end after a barge-in, s": counts.late_ends,
        "in-turn pause, s": counts.in_turn_pauses,
        "backchannel, s": counts.backchannels,
        "noise, s": counts.noises,
        "words a second, agent": counts.words_per_second,
        "words a second, user": counts.user_words_per_second,
        TOKENS_PER_FRAME: counts.tokens.per_frame,
    }


def figure(name: str, report: DataReport) -> str:
    """One of :func:`named_distributions` as a picture with its name; HTML."""
    by_source = {
        source: named_distributions(counts)[name]
        for source, counts in report.named_sources.items()
    }
    number = sum(len(values) for values in by_source.values())
    caption = f"{escape(name)} <small>({number:,})</small>"
    if not number:
        return f"<figure><figcaption>{caption}</figcaption>{note('None.')}</figure>"
    is_whole = name.endswith("per conversation")
    axis = "seconds" if name.endswith(", s") else ""
    unit = 100 if is_whole else 1
    histogram = Histogram(axis, by_source, PAPER_SECONDS.get(name), unit)
    svg = draw_histogram(histogram, source_colors(report.named_sources))
    return f"<figure><figcaption>{caption}</figcaption>{picture(svg, name)}</figure>"


def _listened(report: DataReport) -> str:
    parts = [
        f"{name}: {found.total.num_clean} of {found.total.num_listened}"
        for name, found in report.sets.items()
        if found.total.num_listened
    ]
    if not parts:
        return "Heard gaps were not measured."
    return (
        "Heard gaps were measured in those of a sample of conversations whose user "
        f"channel is silent between the turns: {', '.join(parts)}."
    )


def _key(report: DataReport) -> str:
    items = (
        f'<span><i style="background:{color}"></i>{escape(source)}</span>'
        for source, color in source_colors(report.named_sources).items()
    )
    return f'<p class="key">{"".join(items)}</p>'
