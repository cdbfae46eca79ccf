"""The statistics of a corpus as one HTML file that opens from disk."""

from html import escape

from espnet2_duplex.metrics.data_report.data_table import DataTable
from espnet2_duplex.metrics.data_report.figures import draw_hours
from espnet2_duplex.metrics.data_report.outliers import meanings
from espnet2_duplex.metrics.data_report.page_cells import (
    data_table,
    picture,
    text_table,
)
from espnet2_duplex.metrics.data_report.page_distributions import (
    TOKENS_PER_FRAME,
    distributions_part,
    figure,
)
from espnet2_duplex.metrics.data_report.page_style import DEFINITIONS, STYLE
from espnet2_duplex.metrics.data_report.paper_table import paper_table
from espnet2_duplex.metrics.data_report.report import DataReport
from espnet2_duplex.metrics.data_report.tables import (
    hours_table,
    tokens_table,
    turn_taking_table,
)
from espnet2_duplex.metrics.data_report.timings import timing_table
from espnet2_duplex.metrics.page_parts import note, render_frame, section

OUTLIER_HEADINGS = ("Set", "Conversation", "Reason")


def render_page(report: DataReport) -> str:
    """The page: nothing in it comes from elsewhere, same report, same bytes."""
    training, total = report.training, report.total
    subject = report.subject
    sections = [
        section(f"As the paper's Table 1: {subject}", _paper_part(report)),
        section(f"Sources: {subject}", _sources_part(report)),
        section("Sets", _sets_part(report)),
        section(f"Distributions: {subject}", distributions_part(report)),
        section(f"Text tokens and frames: {subject}", _tokens_part(report)),
        section("Time", _timing_part(report)),
        section("Outliers: all sets", _outliers_part(report)),
        section("Definitions", _definitions_part()),
    ]
    headline = (
        f"{subject}: {training.num_conversations:,} conversations, "
        f"{training.hours:,.2f} hours, {len(training.speakers):,} user voices"
    )
    if report.train_set is not None:
        headline += (
            f"; all sets ({', '.join(report.sets)}): "
            f"{total.num_conversations:,} conversations, {total.hours:,.2f} hours"
        )
    content = "\n".join(sections)
    return render_frame("The conversations", headline, content, STYLE, script="")


def _paper_part(report: DataReport) -> str:
    table = text_table(paper_table(report.sources, report.infos), "datasets")
    return table + note("Rows in italics are the paper's.")


def _sources_part(report: DataReport) -> str:
    rows = {**report.named_sources, "all": report.training}
    return (
        f'<div class="wide">{picture(draw_hours(report.named_sources), "hours")}</div>'
        + data_table(hours_table("Source", rows), "hours of the sources")
        + data_table(turn_taking_table("Source", rows), "turn taking of the sources")
        + note("Turns and exchanges are means, gap and cut medians.")
    )


def _sets_part(report: DataReport) -> str:
    rows = {name: statistics.total for name, statistics in report.sets.items()}
    rows["all sets"] = report.total
    return data_table(hours_table("Set", rows), "hours of the sets") + data_table(
        turn_taking_table("Set", rows), "turn taking of the sets"
    )


def _tokens_part(report: DataReport) -> str:
    model = report.token_model
    if model is None:
        return note("Not counted: give local/report_data.py a --token_model.")
    rows = {**report.named_sources, "all": report.training}
    text = (
        f"Counted with {model.path}, a vocabulary of {model.size:,}. A turn of more than "
        "one token a frame loses text; the paper gives no figure."
    )
    plots = f'<div class="plots">{figure(TOKENS_PER_FRAME, report)}</div>'
    return plots + data_table(tokens_table(rows), "text tokens") + note(text)


def _timing_part(report: DataReport) -> str:
    if not report.timings:
        return note("Not measured: give local/report_data.py --timings.")
    text = "Hours of conversation are those of all sets."
    table = timing_table(report.timings, report.total.hours)
    return data_table(table, "time of stages") + note(text)


def _outliers_part(report: DataReport) -> str:
    kinds = meanings(report.limits).items()
    parts = [_outliers_of_kind(kind, meaning, report) for kind, meaning in kinds]
    return ("".join(parts) or note("None.")) + note(_audio_remark(report))


def _outliers_of_kind(kind: str, meaning: str, report: DataReport) -> str:
    tallies = {name: found.outliers for name, found in report.sets.items()}
    number = sum(tally.num[kind] for tally in tallies.values())
    if not number:
        return ""
    rows = tuple(
        (name, outlier.id, outlier.reason)
        for name, tally in tallies.items()
        for outlier in tally.listed.get(kind, ())
    )
    rest = f"{number - len(rows):,} more are not listed." if number > len(rows) else ""
    return (
        f"<details><summary>{escape(kind)}: {number:,} ({escape(meaning)})</summary>"
        f"{text_table(DataTable(OUTLIER_HEADINGS, rows), kind)}{note(rest)}</details>"
    )


def _audio_remark(report: DataReport) -> str:
    checked, number = report.total.num_audio_checked, report.total.num_conversations
    if checked == number:
        return ""
    if not checked:
        return "Audio: not checked; --check_audio of local/report_data.py does."
    return (
        f"Audio: checked in {checked:,} of {number:,} conversations; --check_audio of "
        "local/report_data.py does the others."
    )


def _definitions_part() -> str:
    lines = (
        f"<dt>{escape(name)}</dt><dd>{escape(meaning)}</dd>"
        for name, meaning in DEFINITIONS.items()
    )
    return f"<dl>{''.join(lines)}</dl>"
