"""Marks of a conversation's picture: barge-ins, responses, false alarms, no answers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from espnet2_duplex.metrics.score_page.ranking import ACTS

BARGE_IN_ROW, RESPONSE_ROW, OTHER_ROW = 8, 22, 36  # below the top of the marks


@dataclass(frozen=True)
class Timeline:
    """Where times and lanes are in a picture; all but `duration` in pixels.

    Attributes:
        duration: seconds.
        left: where time begins.
        width: from there to the end of the recording.
        marks_top: lane between user and agent.
        user_bar: top of the bars of the user's turns.
        agent_bar: top of the bars of the agent's turns.
        bottom: of the agent's waveform.
    """

    duration: float
    left: int
    width: int
    marks_top: int
    user_bar: int
    agent_bar: int
    bottom: int

    @property
    def pixels_per_second(self) -> float:
        """Scale of the time axis."""
        return self.width / self.duration

    def x(self, seconds: float) -> float:
        """Where a time is."""
        return round(self.left + seconds * self.pixels_per_second, 1)


def draw_marks(time: Timeline, fields: Mapping) -> Iterator[str]:
    """Marks of everything that turn taking found.

    Args:
        time: of the picture.
        fields: a line of conversations.jsonl.
    """
    for barge_in in fields["barge_ins"]:
        yield from _barge_in(time, barge_in)
    alarms = {each["start"] for each in fields["false_alarms"]}
    for alarm in fields["false_alarms"]:
        yield from _fault(time, alarm["start"], "false alarm", OTHER_ROW)
    for response in fields["responses"]:
        if response["start"] not in alarms:
            yield from _response(time, response)
    for user_turn in fields["unanswered"]:
        end = fields["user_turns"][user_turn]["end"]
        yield from _fault(time, end, "no answer", RESPONSE_ROW + 4)
    for reaction in fields["reactions"]:
        for act in ACTS:
            if reaction.get(act):
                yield from _fault(time, reaction["start"], act, OTHER_ROW)


def _barge_in(time: Timeline, barge_in: Mapping) -> Iterator[str]:
    """A line at the user's onset, an arrow from there to the agent's stop."""
    onset, stop = time.x(barge_in["onset"]), time.x(barge_in["stop"])
    if not barge_in["stopped"]:
        state, text = "bad", f"{barge_in['latency']:.2f} s, not stopped"
    elif barge_in["in_time"]:
        state, text = "good", f"{barge_in['latency']:.2f} s"
    else:
        state, text = "late", f"{barge_in['latency']:.2f} s, late"
    if barge_in["natural_end"]:
        text += ", at its own end"
    title = f"barge-in at {barge_in['onset']:.2f} s: {text}"
    y = time.marks_top + BARGE_IN_ROW
    yield f'<path class="onset" d="M{onset} {time.user_bar}V{time.bottom}"/>'
    yield _arrow(onset, stop, y, state, title)
    if barge_in["stopped"]:
        yield f'<path class="stop {state}" d="M{stop} {time.agent_bar}V{time.bottom}"/>'
    yield _label(time, stop + 4, y + 4, text, state)


def _response(time: Timeline, response: Mapping) -> Iterator[str]:
    """An arrow from the user's end to the agent's start; backwards if that is early."""
    start = time.x(response["start"])
    end = time.x(response["start"] - response["latency"])
    y = time.marks_top + RESPONSE_ROW
    text = f"{response['latency']:.2f} s"
    state = "answer"
    if response["latency"] < 0:
        state, text = "late", f"early, {text}"
    title = f"response to user turn {response['user_turn'] + 1}: {text}"
    yield _arrow(end, start, y, state, title)
    yield _label(time, max(start, end) + 4, y + 4, text, state)


def _fault(time: Timeline, seconds: float, text: str, row: int) -> Iterator[str]:
    x, y = time.x(seconds), time.marks_top + row
    title = f"{text} at {seconds:.2f} s"
    yield (
        f'<path class="point bad" d="M{x} {y}l-5 -8h10z">'
        f"<title>{escape(title)}</title></path>"
    )
    yield _label(time, x + 7, y, text, "bad")


def _arrow(start: float, end: float, y: int, state: str, title: str) -> str:
    head = -4 if end >= start else 4
    return (
        f'<path class="arrow {state}" d="M{start} {y}H{end}m{head} -3L{end} {y}'
        f'l{head} 3"><title>{escape(title)}</title></path>'
    )


def _label(time: Timeline, x: float, y: int, text: str, state: str) -> str:
    """Beside its mark, on the left of what is at the right end of the picture."""
    if x + 6 * len(text) > time.left + time.width:
        return (
            f'<text class="label {state}" x="{time.left + time.width}" y="{y - 7}" '
            f'text-anchor="end">{escape(text)}</text>'
        )
    return f'<text class="label {state}" x="{x:.1f}" y="{y}">{escape(text)}</text>'
