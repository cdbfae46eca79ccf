"""All scores of a run as one HTML file: tables, distributions, single conversations.

Everything is inside the file, sound as well, so that it can be sent and opened from
disk. The same scores give the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from espnet2_duplex.metrics.page_parts import (
    Heading,
    Row,
    Table,
    note,
    render_frame,
    render_meanings,
    render_table,
    section,
)
from espnet2_duplex.metrics.score_column import Column
from espnet2_duplex.metrics.score_columns import COLUMN_GROUPS
from espnet2_duplex.metrics.score_definitions import definitions_of
from espnet2_duplex.metrics.score_page.conversations import (
    Selection,
    num_bytes,
    render_conversations,
    select_conversations,
)
from espnet2_duplex.metrics.score_page.distributions import render_distributions
from espnet2_duplex.metrics.score_page.paper_figures import Results
from espnet2_duplex.metrics.score_page.paper_tables import (
    COUNTERPARTS,
    TABLE_2_NOTE,
    TABLE_3_NOTE,
    differences_note,
    paper_table_2,
    paper_table_3,
    wide_table,
)
from espnet2_duplex.metrics.score_page.ranking import (
    PROBLEM,
    FaultLimits,
    RankedConversation,
    rank_conversations,
)
from espnet2_duplex.metrics.score_page.style import SCRIPT, STYLE


@dataclass(frozen=True)
class ScoredSet:
    """A set after scoring.

    Attributes:
        folder: <decode dir>/<set>, with <id>/input.wav and <id>/output.wav.
        results: content of its results.json.
        conversations: lines of its conversations.jsonl.
    """

    folder: Path
    results: Mapping
    conversations: Sequence[Mapping]

    @property
    def name(self) -> str:
        """Of the set."""
        return self.results["set"]


@dataclass(frozen=True)
class PageOptions:
    """What the page holds.

    Attributes:
        max_examples: conversations with picture and sound, of each set.
        max_bytes: of the page; what does not fit is left out, the worst cases last.
        limits: from where on something is a fault.
        counterparts: set -> the paper's dataset that is made like it.
        seed: of the intervals.
    """

    max_examples: int = 30
    max_bytes: int = 20_000_000
    limits: FaultLimits = FaultLimits()
    counterparts: Mapping[str, str] = field(default_factory=lambda: COUNTERPARTS)
    seed: int = 0


def render_score_page(
    name: str,
    sets: Sequence[ScoredSet],
    baselines: Mapping[str, Results] | None = None,
    tables: Mapping[str, Sequence[Column]] = COLUMN_GROUPS,
    options: PageOptions = PageOptions(),
) -> str:
    """The page of a run.

    Args:
        name: of the system that was scored.
        sets: in the order of the tables.
        baselines: name of another system -> set -> its results.json; for the tables.
        tables: title -> columns of the tables of all scores.
        options: see there.

    Raises:
        ValueError: there is no set, the sound of a conversation is missing or
            unreadable, or the page without any conversation is above `max_bytes`.
    """
    if not sets:
        raise ValueError("there is no scored set; score at least one")
    ranked = rank_conversations(
        {each.name: each.conversations for each in sets}, options.limits
    )
    scored = [each for each in ranked if PROBLEM not in each.tags]
    problems = [each for each in ranked if PROBLEM in each.tags]
    head = _head_parts(name, sets, baselines or {}, tables, options)
    head += _problems_part(problems)
    nothing = render_conversations(scored, Selection((), (), len(scored)))
    size = num_bytes(_frame(name, sets, head + nothing))
    if size > options.max_bytes:
        raise ValueError(
            f"the page is to have at most {options.max_bytes} bytes, but its tables "
            f"alone have {size}; allow more"
        )
    folders = {each.name: each.folder for each in sets}
    selection = select_conversations(
        scored, folders, options.max_examples, options.max_bytes - size
    )
    content = head + render_conversations(scored, selection)
    return _frame(name, sets, content)


def _frame(name: str, sets: Sequence[ScoredSet], content: str) -> str:
    num = sum(len(each.conversations) for each in sets)
    seconds = sum(
        fields.get("duration") or 0.0 for each in sets for fields in each.conversations
    )
    names = ", ".join(each.name for each in sets)
    headline = f"{num:,} conversations, {seconds / 60:,.1f} minutes; sets: {names}"
    return render_frame(name, headline, content, STYLE, SCRIPT)


def _head_parts(
    name: str,
    sets: Sequence[ScoredSet],
    baselines: Mapping[str, Results],
    tables: Mapping[str, Sequence[Column]],
    options: PageOptions,
) -> str:
    systems = {name: {each.name: each.results for each in sets}, **baselines}
    table_2 = paper_table_2(systems, options.counterparts)
    table_3 = paper_table_3(systems, options.counterparts)
    wide = {title: wide_table(systems, columns) for title, columns in tables.items()}
    differences = differences_note(systems)
    return "".join(
        (
            _table_part(
                "Turn taking and speech quality (Table 2)",
                table_2,
                TABLE_2_NOTE,
                differences,
            ),
            _table_part(
                "Reasoning quality (Table 3)", table_3, TABLE_3_NOTE, differences
            ),
            *(
                _table_part(title, table, differences)
                for title, table in wide.items()
                if len(table.headings) > table.num_labels
            ),
            render_distributions(
                {each.name: each.conversations for each in sets},
                definitions_of(sets[0].results),
                options.seed,
            ),
        )
    )


def _table_part(title: str, table: Table, *texts: str) -> str:
    notes = "".join(map(note, texts))
    return section(
        title, render_table(table, title) + notes + render_meanings(table.headings)
    )


def _problems_part(problems: Sequence[RankedConversation]) -> str:
    """Conversations that could not be scored and why; nothing without any."""
    if not problems:
        return ""
    rows = tuple(
        Row((each.id, each.set_name, each.fields["problem"])) for each in problems
    )
    table = Table((Heading("conversation"), Heading("set"), Heading("why")), rows)
    html = render_table(table, "conversations that were not scored")
    text = "They are in no figure of this page."
    return section(
        f"Not scored ({len(problems)})",
        f'<div class="problems">{html}</div>{note(text)}',
    )
