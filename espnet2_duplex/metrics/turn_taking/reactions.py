"""What the agent did at sounds that are no turn: the `events` of the data.

This is not in the paper. A backchannel or a noise is no reason to stop, nor to begin; a
pause inside a user turn is no end of the turn::

    user    |turn ...  <pause> ... turn|           backchannel           noise
    agent                 ^ taken?        |segment ----^ stopped? --|     ^ answered?

All events are compared with all segments and turns at once, as arrays (E, 1) and (A,)
or (U,) of whole microseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from espnet2_duplex.conversation import Turn
from espnet2_duplex.events import Event
from espnet2_duplex.metrics.option_checks import check_not_negative
from espnet2_duplex.metrics.turn_taking.natural_end import WrittenText
from espnet2_duplex.metrics.turn_taking.spans import (
    Span,
    first_in_rows,
    in_microseconds,
)
from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, microseconds

NEVER = np.iinfo(np.int64).max  # microseconds


@dataclass(frozen=True)
class ReactionOptions:
    """Definitions, as far as possible those of turn taking.

    Attributes:
        min_activity_seconds: an agent segment must have begun so long before a sound to
            be disturbed by it: three frames, as for barge-ins.
        success_seconds: an agent that stops until so long after the beginning of a
            sound stopped for it: the time in which it would have to stop for a turn
            (Sec. 5.2).
        answer_seconds: an agent that begins until so long after the end of a sound
            answered it: 0.64 s of silence, as before all answers (Sec. 4.1), and 0.5 s
            for the model to be slower than that.

    Raises:
        ValueError: a time is negative or not finite.
    """

    min_activity_seconds: float = 0.24
    success_seconds: float = 1.5
    answer_seconds: float = 1.14

    def __post_init__(self) -> None:
        check_not_negative(self)


@dataclass(frozen=True)
class Reaction:
    """One event and whether the agent did what it should not.

    Attributes:
        kind: of the event.
        start_microseconds: of the event.
        end_microseconds: of the event.
        act: "stopped" (at a sound inside its speech), "taken" (the turn, in the user's
            pause) or "answered" (a sound in silence).
        is_done: whether it did.
        is_natural_end: of a stop: all that the agent had written could be said by then;
            None where it did not stop or wrote nothing. See `natural_end` for which
            voices this holds.
    """

    kind: str
    start_microseconds: int
    end_microseconds: int
    act: str
    is_done: bool
    is_natural_end: bool | None = None

    def to_dict(self) -> dict:
        """As it stands in conversations.jsonl; times in seconds."""
        return {
            "kind": self.kind,
            "start": self.start_microseconds / MICROSECONDS_PER_SECOND,
            "end": self.end_microseconds / MICROSECONDS_PER_SECOND,
            self.act: self.is_done,
        }


@dataclass(frozen=True)
class _Timeline:
    """Times in microseconds: agent and user (A,), (U,); events (E, 1)."""

    agent: tuple[np.ndarray, np.ndarray]
    user: tuple[np.ndarray, np.ndarray]
    events: tuple[np.ndarray, np.ndarray]
    duration: int


def find_reactions(
    agent_segments: Sequence[Span],
    user_turns: Sequence[Span],
    events: Sequence[Event],
    duration_seconds: float,
    options: ReactionOptions = ReactionOptions(),
    written_turns: Sequence[Turn] = (),
    characters_per_second: float | None = None,
) -> tuple[Reaction, ...]:
    """Reactions to the events of one conversation, in the order of the events.

    Left out, because what the agent does there says nothing about the event: sounds
    that begin during a user turn or when the agent has just begun; pauses outside user
    turns and those that begin while the agent speaks; sounds in silence before the
    agent has answered the user turn ahead of them.

    Args:
        agent_segments: where the agent speaks, already merged; disjoint.
        user_turns: disjoint.
        events: of the data.
        duration_seconds: length of the recording.
        options: see there.
        written_turns: the agent's own text, for natural ends.
        characters_per_second: the agent's speed, the same; None: not known.
    """
    events = sorted(events, key=_times)
    onset, end = (times[:, np.newaxis] for times in in_microseconds(events))
    agent, user = in_microseconds(agent_segments), in_microseconds(user_turns)
    time = _Timeline(agent, user, (onset, end), microseconds(duration_seconds))
    written = WrittenText.of(written_turns, characters_per_second)
    is_pause = np.array([event.kind == "pause" for event in events], dtype=bool)
    in_turn = _is_inside(onset, *user)
    is_sound = ~is_pause & ~in_turn
    found = {
        **_stops(time, is_sound, options, written),
        **_takes(time, is_pause & in_turn),
        **_answers(time, is_sound, options),
    }
    return tuple(
        Reaction(events[index].kind, *_times(events[index]), *found[index])
        for index in sorted(found)
    )


def _times(span: Span) -> tuple[int, int]:
    return microseconds(span.start), microseconds(span.end)


def _is_inside(moment: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(E,): moments (E, 1) that lie in any span (N,)."""
    return ((start <= moment) & (moment < end)).any(axis=1)


def _stops(
    time: _Timeline,
    is_candidate: np.ndarray,
    options: ReactionOptions,
    written: WrittenText,
) -> dict[int, tuple]:
    """Sounds inside the agent's speech: does its segment end soon after?

    Not if a user turn begins before that end: then it is the stop of a barge-in.
    """
    start, end = time.agent
    onset, _ = time.events
    ripe = start + microseconds(options.min_activity_seconds)
    is_inside = (ripe <= onset) & (onset < end) & is_candidate[:, np.newaxis]
    event, segment = first_in_rows(is_inside)  # both (N,)
    onset, stop = onset[event, 0], end[segment]
    is_soon = stop - onset <= microseconds(options.success_seconds)
    is_stopped = is_soon & (stop < time.duration) & (stop <= _next(time.user, onset))
    return {
        index: ("stopped", done, written.is_said(*moments) if done else None)
        for index, done, *moments in zip(
            event.tolist(), is_stopped.tolist(), onset.tolist(), stop.tolist()
        )
    }


def _takes(time: _Timeline, is_candidate: np.ndarray) -> dict[int, tuple]:
    """Pauses: does an agent segment begin in one?"""
    start, _ = time.agent
    onset, end = time.events
    is_taken = ((onset <= start) & (start < end)).any(axis=1)
    is_candidate = is_candidate & ~_speaks(time)
    return {
        index: ("taken", bool(is_taken[index]))
        for index in np.flatnonzero(is_candidate).tolist()
    }


def _answers(
    time: _Timeline, is_candidate: np.ndarray, options: ReactionOptions
) -> dict[int, tuple]:
    """Sounds in silence: does an agent segment begin soon, before the user does?"""
    start, _ = time.agent
    onset, end = time.events
    latest = end + microseconds(options.answer_seconds)
    is_soon = (onset <= start) & (start <= latest) & (start < _next(time.user, onset))
    is_answered = is_soon.any(axis=1)
    is_candidate = is_candidate & ~_speaks(time) & ~_owes_answer(time)
    return {
        index: ("answered", bool(is_answered[index]))
        for index in np.flatnonzero(is_candidate).tolist()
    }


def _speaks(time: _Timeline) -> np.ndarray:
    """(E,): the agent began before the event and goes on."""
    start, end = time.agent
    onset, _ = time.events
    return ((start < onset) & (onset < end)).any(axis=1)


def _owes_answer(time: _Timeline) -> np.ndarray:
    """(E,): since the last user turn began, no segment that outlasts it has ended.

    An agent that begins then may answer that turn.
    """
    start, end = time.agent
    user_start, user_end = time.user
    onset, _ = time.events
    num_before = np.searchsorted(user_end, onset, side="right")  # (E, 1)
    last_start = np.append(0, user_start)[num_before]
    last_end = np.append(0, user_end)[num_before]
    has_answered = (last_start <= start) & (last_end < end) & (end <= onset)
    return (num_before.ravel() > 0) & ~has_answered.any(axis=1)


def _next(user: tuple[np.ndarray, np.ndarray], moment: np.ndarray) -> np.ndarray:
    """Onset of the first user turn after each moment, same shape."""
    onsets = np.append(user[0], NEVER)
    return onsets[np.searchsorted(user[0], moment, side="right")]
