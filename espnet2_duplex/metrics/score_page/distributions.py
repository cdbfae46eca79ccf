"""The part of the page with distributions of times and with rates."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from espnet2_duplex.conversation import GAP_SECONDS
from espnet2_duplex.metrics.page_parts import note, section
from espnet2_duplex.metrics.score_page.estimates import (
    ANSWER,
    EARLY,
    IN_TIME,
    LATE,
    NOT_STOPPED,
    RATES,
    Estimate,
    Times,
    first_response_times,
    rates,
    response_times,
    stop_times,
)
from espnet2_duplex.metrics.score_page.plots import (
    TimeAxis,
    css_name,
    draw_rates,
    draw_times,
)

NOTE = (
    "One bar is one frame (80 ms); the outermost bars hold all that lies beyond them. "
    "The dot above is the first mean of the list, the line through it the interval that "
    "holds 95 % of 2,000 resamples of the conversations (bootstrap); it has no width "
    "where all conversations are alike."
)


@dataclass(frozen=True)
class Kind:
    """Times that have pictures.

    Attributes:
        title: of the pictures.
        measure: conversations of a set and a seed -> its times.
        meaning: of a time, and of the dashed lines.
        marks: seconds of the dashed lines.
    """

    title: str
    measure: Callable[[Sequence[Mapping], int], Times]
    meaning: str
    marks: tuple[float, ...]


def kinds(definitions: Mapping[str, float]) -> tuple[Kind, ...]:
    """All times of the page.

    Args:
        definitions: see `definitions_of`.
    """
    cut, limit = definitions["cut_seconds"], definitions["success_seconds"]
    return (
        Kind(
            "Stop after a barge-in",
            stop_times,
            "Seconds from the user's onset to the end of the agent's speech, every "
            "barge-in; of one that was not stopped, to the end of the recording. "
            f"Dashed: the {cut:g} s after which the agent of the data stops, and the "
            f"{limit:g} s within which a stop is in time.",
            (cut, limit),
        ),
        Kind(
            "First response",
            first_response_times,
            "Seconds from the end of the first user turn to the agent's speech; below "
            f"0 it began early. Dashed: the {GAP_SECONDS:g} s that the data leave.",
            (GAP_SECONDS,),
        ),
        Kind(
            "Response of every turn",
            response_times,
            "The same of every user turn.",
            (GAP_SECONDS,),
        ),
    )


def render_distributions(
    sets: Mapping[str, Sequence[Mapping]], definitions: Mapping[str, float], seed: int
) -> str:
    """Times and rates of every set, as a section.

    Args:
        sets: name -> lines of conversations.jsonl; those with a problem are left out.
        definitions: that the sets were scored with, see `definitions_of`.
        seed: of the intervals.
    """
    sets = {
        name: [fields for fields in conversations if not fields["problem"]]
        for name, conversations in sets.items()
    }
    parts = [_key()]
    for kind in kinds(definitions):
        times = {name: kind.measure(found, seed) for name, found in sets.items()}
        figures = _figures(times, kind.marks)
        parts.append(f"<h3>{escape(kind.title)}</h3>{note(kind.meaning)}{figures}")
    found = {name: rates(conversations, seed) for name, conversations in sets.items()}
    parts.append(f"<h3>Rates</h3>{_rates(found)}")
    return section("Distributions", note(NOTE) + "".join(parts))


def _figures(by_set: Mapping[str, Times], marks: Sequence[float]) -> str:
    every = [
        seconds
        for times in by_set.values()
        for values in times.groups.values()
        for seconds in values
    ]
    axis = TimeAxis.around(every, marks)
    empty = [name for name, times in by_set.items() if not any(times.groups.values())]
    figures = (
        draw_times(name, times, axis)
        for name, times in by_set.items()
        if name not in empty
    )
    text = f"None in {', '.join(empty)}." if empty else ""
    return f'<div class="plots">{"".join(figures)}</div>{note(text)}'


def _rates(by_set: Mapping[str, Sequence[Estimate]]) -> str:
    found = {
        name: {estimate.name: estimate for estimate in estimates}
        for name, estimates in by_set.items()
    }
    figures = (
        draw_rates(rate, {name: each.get(rate) for name, each in found.items()})
        for rate in RATES
        if any(rate in each for each in found.values())
    )
    return f'<div class="plots">{"".join(figures)}</div>'


def _key() -> str:
    groups = ((IN_TIME, ANSWER), (LATE,), (NOT_STOPPED, EARLY))
    items = (
        f'<span><svg width="11" height="11" aria-hidden="true"><rect width="11" '
        f'height="11" class="{css_name(names[0])}"/></svg> {escape(" / ".join(names))}'
        "</span>"
        for names in groups
    )
    return f'<p class="key">{"".join(items)}</p>'
