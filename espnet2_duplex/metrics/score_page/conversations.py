"""The part of the page with single conversations: filter, examples, table."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from espnet2_duplex.metrics.page_parts import note, section
from espnet2_duplex.metrics.score_page.examples import (
    ROW_HEADINGS,
    render_example,
    render_row,
)
from espnet2_duplex.metrics.score_page.ranking import TAGS, RankedConversation

PICTURE_KEY = (
    ("arrow good", "barge-in to stop, in time"),
    ("arrow late", "late, or an early start"),
    ("arrow bad", "not stopped"),
    ("arrow answer", "user's end to response"),
    ("point bad", "false alarm, no answer, disturbed by an event"),
)


@dataclass(frozen=True)
class Selection:
    """HTML of conversations, worst first.

    Attributes:
        examples: with picture and sound.
        rows: figures of the others.
        num_left_out: those for which there was no room.
    """

    examples: Sequence[str]
    rows: Sequence[str]
    num_left_out: int


def select_conversations(
    scored: Sequence[RankedConversation],
    folders: Mapping[str, Path],
    max_examples: int,
    room: int,
) -> Selection:
    """Every conversation is a row, the worst ones are examples, as far as room goes.

    Args:
        scored: the worst first.
        folders: set -> <decode dir>/<set>.
        max_examples: of each set.
        room: bytes.

    Raises:
        ValueError: the sound of a conversation is missing or unreadable.
    """
    rows: dict[int, str] = {}
    for index, each in enumerate(scored):
        row = render_row(each)
        if num_bytes(row) > room:
            break
        rows[index] = row
        room -= num_bytes(row)
    num_left_out = len(scored) - len(rows)
    examples: list[str] = []
    num_of_set: Counter[str] = Counter()
    for index, each in enumerate(scored[: len(rows)]):
        if num_of_set[each.set_name] >= max_examples:
            continue
        example = render_example(each, folders[each.set_name] / each.id)
        growth = num_bytes(example) - num_bytes(rows[index])
        if growth > room:
            break
        room -= growth
        examples.append(example)
        num_of_set[each.set_name] += 1
        del rows[index]
    return Selection(examples, list(rows.values()), num_left_out)


def render_conversations(
    scored: Sequence[RankedConversation],
    selection: Selection,
) -> str:
    """Filter, examples and the table of the others, as a section.

    Args:
        scored: all conversations.
        selection: of them.
    """
    heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in ROW_HEADINGS)
    left_out = ""
    if selection.num_left_out:
        left_out = f"{selection.num_left_out:,} more found no room on this page."
    rest = (
        '<h3>The others</h3><div class="scroll rest" tabindex="0" role="region" '
        'aria-label="the other conversations"><table><thead><tr>'
        f"{heads}</tr></thead><tbody>{''.join(selection.rows)}</tbody></table></div>"
    )
    text = (
        "The worst come first. Click into a picture to play from there; the agent is on "
        "the left, the user on the right. A shaded stretch is what the agent was heard "
        "to say; texts in italics are a transcript that differs from what it wrote."
    )
    return section(
        "Conversations",
        f"{note(text)}{_picture_key()}{_filter(scored)}{''.join(selection.examples)}"
        f"{rest}{note(left_out)}",
    )


def num_bytes(html: str) -> int:
    """Size of a text in a file."""
    return len(html.encode())


def _filter(scored: Sequence[RankedConversation]) -> str:
    tags = Counter(tag for each in scored for tag in each.tags)
    sets = Counter(each.set_name for each in scored)
    return (
        f'<form class="filter">{_choice("set", "Set", sets, sets)}'
        f'{_choice("tag", "What is wrong", TAGS, tags)}'
        '<span id="shown" role="status"></span></form>'
    )


def _choice(key: str, label: str, names: Iterable[str], counts: Counter[str]) -> str:
    lines = "".join(
        f'<option value="{escape(name)}">{escape(name)} ({counts[name]})</option>'
        for name in names
        if counts[name]
    )
    return (
        f'<label>{label} <select name="{key}"><option value="">all</option>{lines}'
        "</select></label>"
    )


def _picture_key() -> str:
    items = "".join(
        f'<span><svg width="16" height="10" aria-hidden="true"><path class="{css}" '
        f'd="{"M6 9l-5 -8h10z" if css.startswith("point") else "M0 5H15"}"/></svg> '
        f"{escape(text)}</span>"
        for css, text in PICTURE_KEY
    )
    return f'<p class="key">{items}</p>'
