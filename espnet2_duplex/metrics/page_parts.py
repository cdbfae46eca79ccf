"""Parts of an HTML page that is one file and opens from disk: frame, tables, notes."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

ABSENT = "–"  # in a cell: not measured

# Light and dark by the reader's system; the focus of the keyboard is always visible.
STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--dim:#5d6878;--line:#dfe3ea;
--back:#f6f7f9;--card:#fff;--accent:#2f6f8f;--tag:#e6f0f4}
@media (prefers-color-scheme:dark){:root{--ink:#e4e8ee;--dim:#9aa5b4;--line:#333c48;
--back:#12161b;--card:#1a2027;--accent:#7cc0e0;--tag:#22343e}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.5rem 4rem;max-width:1320px;color:var(--ink);
background:var(--back);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;
overflow-wrap:break-word}
h1{margin:0;font-size:1.7rem}
h2{margin:0 0 .6rem;font-size:1.15rem}
h3{margin:0 0 .4rem;font-size:1rem;font-weight:600}
header p,.note{color:var(--dim)}
.note{margin:.6rem 0;max-width:90ch;font-size:.9rem}
section{margin-top:1.4rem;padding:1.2rem 1.4rem;background:var(--card);
border:1px solid var(--line);border-radius:10px}
.scroll{overflow-x:auto}
table{border-collapse:separate;border-spacing:0;font-size:.86rem;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .6rem;text-align:right;border-bottom:1px solid var(--line);
vertical-align:top;white-space:nowrap}
thead th{color:var(--dim);font-weight:600;white-space:normal;vertical-align:bottom}
thead th[title]{text-decoration:underline dotted;text-underline-offset:3px;cursor:help}
th.label{text-align:left;font-weight:600}
tr>th:first-child{position:sticky;left:0;background:var(--card)}
tr.paper>*{color:var(--dim);font-weight:400;font-style:italic}
tr.group>*{border-top:2px solid var(--line)}
summary{color:var(--accent);cursor:pointer;font-size:.9rem}
details{margin:.4rem 0}
td small{display:block;color:var(--dim);font-size:.78em}
h3 small,figcaption small{color:var(--dim);font-weight:400}
figure{margin:0}
figcaption{font-weight:600;font-size:.9rem}
.plots{display:grid;gap:1rem 1.4rem;
grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr))}
.tag{display:inline-block;padding:.05rem .5rem;border-radius:9px;background:var(--tag);
color:var(--accent);font-size:.75rem;font-weight:600}
.key{margin:0 0 .8rem;font-size:.86rem}
.key span{display:inline-block;margin-right:1.1rem}
.key i{display:inline-block;width:.85em;height:.85em;margin-right:.35em;
border-radius:2px;vertical-align:-.08em}
.texts th,.texts td{text-align:left;white-space:normal}
article{padding:1rem 0;border-top:1px solid var(--line)}
dt{font-weight:600;font-size:.9rem}
dd{margin:0 0 .4rem 1rem;font-size:.9rem;max-width:90ch}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.scroll:focus-visible{outline-offset:-3px}
@media (max-width:600px){body{padding:1rem .6rem 3rem}section{padding:.9rem .8rem}}
"""
FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{headline}</p>
</header>
<main>
{content}
</main>
{script}</body>
</html>
"""


@dataclass(frozen=True)
class Heading:
    """Of a column.

    Attributes:
        text: with the unit.
        meaning: one line; "" where the text says it all.
    """

    text: str
    meaning: str = ""


@dataclass(frozen=True)
class Row:
    """Of a table.

    Attributes:
        cells: texts; lines after the first are small.
        css_class: "paper" for the paper's figures, "group" where a group begins, both
            with a blank between them, or "".
    """

    cells: tuple[str, ...]
    css_class: str = ""


@dataclass(frozen=True)
class Table:
    """Cells as texts.

    Attributes:
        headings: of all columns.
        rows: each as long as `headings`.
        num_labels: columns at the left that name the row.
    """

    headings: tuple[Heading, ...]
    rows: tuple[Row, ...]
    num_labels: int = 1


def render_frame(
    title: str, headline: str, content: str, style: str, script: str
) -> str:
    """The whole page; `style` comes after the common one.

    Args:
        title: text.
        headline: text.
        content: HTML.
        style: CSS.
        script: JavaScript, or "".
    """
    return FRAME.format(
        title=escape(title),
        headline=escape(headline),
        content=content,
        style=STYLE + style,
        script=f"<script>{script}</script>\n" if script else "",
    )


def render_table(table: Table, label: str) -> str:
    """The table as HTML; one that is too wide scrolls by itself.

    Args:
        table: of texts.
        label: what it shows, for those who hear the page.
    """
    heads = "".join(
        f'<th scope="col"{css}{_tooltip(heading.meaning)}>{escape(heading.text)}</th>'
        for heading, css in zip(table.headings, _label_classes(table))
    )
    rows = "".join(_table_row(row, table) for row in table.rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def render_meanings(headings: Sequence[Heading]) -> str:
    """The meanings of columns, for those who cannot hover over a heading."""
    lines = "".join(
        f"<dt>{escape(heading.text)}</dt><dd>{escape(heading.meaning)}</dd>"
        for heading in headings
        if heading.meaning
    )
    return (
        f"<details><summary>What the columns mean</summary><dl>{lines}</dl></details>"
    )


def rows_with_paper(
    ours: Iterable[tuple[str, ...]], paper: Iterable[tuple[str, ...]]
) -> tuple[Row, ...]:
    """Measured rows, and the paper's as a group below them; both are cells."""
    below = (
        Row(cells, "paper" if n else "paper group") for n, cells in enumerate(paper)
    )
    return (*map(Row, ours), *below)


def section(title: str, content: str) -> str:
    """A card with a heading; `content` is HTML."""
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def note(text: str) -> str:
    """A paragraph of dim text, nothing for ""."""
    return f'<p class="note">{escape(text)}</p>' if text else ""


def data_url(kind: str, content: bytes) -> str:
    """A file inside the page.

    Args:
        kind: MIME type.
        content: of the file.
    """
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _table_row(row: Row, table: Table) -> str:
    cells = "".join(
        (
            f'<th scope="row"{css}>{_lines(cell)}</th>'
            if css
            else f"<td>{_lines(cell)}</td>"
        )
        for cell, css in zip(row.cells, _label_classes(table))
    )
    css_class = f' class="{row.css_class}"' if row.css_class else ""
    return f"<tr{css_class}>{cells}</tr>"


def _lines(cell: str) -> str:
    first, *others = escape(cell).split("\n")
    return f"{first}<small>{'<br>'.join(others)}</small>" if others else first


def _label_classes(table: Table) -> list[str]:
    """Of each column; those that name the row are headings of it."""
    num_others = len(table.headings) - table.num_labels
    return [' class="label"'] * table.num_labels + [""] * num_others


def _tooltip(meaning: str) -> str:
    return f' title="{escape(meaning)}"' if meaning else ""
