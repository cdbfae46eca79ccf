"""Tables and pictures of the page of a corpus."""

from html import escape

from espnet2_duplex.metrics.data_report.data_table import DataTable
from espnet2_duplex.metrics.page_parts import (
    Heading,
    Table,
    data_url,
    render_table,
    rows_with_paper,
)


def data_table(table: DataTable, label: str) -> str:
    """A table of numbers; HTML. `label` is for those who hear the page."""
    headings = tuple(map(Heading, table.headings))
    rows = rows_with_paper(table.rows, table.paper_rows)
    return render_table(Table(headings, rows), label)


def text_table(table: DataTable, label: str) -> str:
    """A table of words: its cells begin at the left and may have several lines."""
    return f'<div class="texts">{data_table(table, label)}</div>'


def picture(svg: str, name: str) -> str:
    """An SVG as a file of its own, so that the ids inside pictures do not meet."""
    source = data_url("image/svg+xml", svg.encode())
    return f'<img alt="{escape(name)}" src="{source}">'
