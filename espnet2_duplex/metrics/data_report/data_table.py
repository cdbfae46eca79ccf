"""A table of a corpus: cells as texts, for the page and for Markdown."""

from dataclasses import dataclass

from espnet2_duplex.metrics.page_parts import ABSENT


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


def markdown_lines(table: DataTable) -> list[str]:
    """The table in Markdown, the paper's rows in italics."""
    lines = [table.headings, tuple("---" for _ in table.headings), *table.rows]
    lines += [tuple(f"*{cell}*" for cell in row) for row in table.paper_rows]
    return [f"|{'|'.join(cell.replace('|', '/') for cell in row)}|" for row in lines]


def number_text(value: float | None) -> str:
    """With two decimals."""
    return ABSENT if value is None else f"{value:.2f}"


def percent_text(fraction: float | None) -> str:
    """With one decimal."""
    return ABSENT if fraction is None else f"{100 * fraction:.1f}"
