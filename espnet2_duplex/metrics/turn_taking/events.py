"""What happened between user and agent in one conversation, event by event (Sec. 5.2).

The agent's activity is measured on its audio, the user's is known from the turns::

    user    |turn 0----|                     |turn 1------|
    agent               <-response->|segment 0-----|       <-response->|segment 1---|
                                             <stop->

A segment can only respond to what it has heard: it is the response to the last user turn
that had begun when it began, if it outlasts that turn. It is early if it begins before
the turn ends; a turn with a response is answered, early or not.

Every user turn is compared with every agent segment at once, as arrays (U, 1) and (A,)
of whole microseconds. The same in plain loops: `reference`.
"""

from collections.abc import Sequence

import numpy as np

from espnet2_duplex.conversation import Turn
from espnet2_duplex.metrics.turn_taking.natural_end import WrittenText
from espnet2_duplex.metrics.turn_taking.options import TurnTakingOptions
from espnet2_duplex.metrics.turn_taking.records import (
    BargeIn,
    FalseAlarm,
    Response,
    TurnTakingEvents,
)
from espnet2_duplex.metrics.turn_taking.spans import (
    Span,
    first_in_rows,
    in_microseconds,
)
from espnet2_duplex.timing import microseconds

Spans = tuple[np.ndarray, np.ndarray]  # starts and ends, microseconds, in time order


def find_events(
    agent_segments: Sequence[Span],
    user_turns: Sequence[Span],
    duration_seconds: float,
    options: TurnTakingOptions = TurnTakingOptions(),
    written_turns: Sequence[Turn] = (),
    characters_per_second: float | None = None,
) -> TurnTakingEvents:
    """Events of one conversation.

    Args:
        agent_segments: where the agent speaks, already merged; disjoint.
        user_turns: disjoint.
        duration_seconds: length of the recording.
        options: see there.
        written_turns: the agent's own text, for natural ends.
        characters_per_second: the agent's speed, for natural ends; None: they are not
            known.
    """
    agent, user = in_microseconds(agent_segments), in_microseconds(user_turns)
    duration = microseconds(duration_seconds)
    written = WrittenText.of(written_turns, characters_per_second)
    responses = _find_responses(agent, user, duration)
    answered, unanswered = _find_answered(responses, user, duration, options)
    return TurnTakingEvents(
        num_user_turns=len(user[0]),
        duration_microseconds=duration,
        barge_ins=_find_barge_ins(agent, user, duration, options, written),
        false_alarms=_find_false_alarms(agent, user, options.tolerance_seconds),
        wide_false_alarms=_find_false_alarms(
            agent, user, options.wide_tolerance_seconds
        ),
        responses=responses,
        answered=answered,
        unanswered=unanswered,
    )


def _find_barge_ins(
    agent: Spans,
    user: Spans,
    duration: int,
    options: TurnTakingOptions,
    written: WrittenText,
) -> tuple[BargeIn, ...]:
    start, end = agent  # (A,)
    onset, user_end = (times[:, np.newaxis] for times in user)  # (U, 1)
    ripe = start + microseconds(options.min_activity_seconds)
    turn, segment = first_in_rows((ripe <= onset) & (onset < end))  # both (E,)
    onset, user_end, stop = onset[turn], user_end[turn], end[segment, np.newaxis]
    is_stopped = stop < duration
    is_in_time = is_stopped & (stop - onset <= microseconds(options.success_seconds))
    if options.resuming_undoes_success:
        is_resumed = ((stop < start) & (start < user_end)).any(axis=1, keepdims=True)
        is_in_time &= ~is_resumed
    columns = (onset, np.minimum(stop, duration), is_stopped, is_in_time)
    rows = zip(turn.tolist(), *(column.ravel().tolist() for column in columns))
    return tuple(_barge_in(written, *row) for row in rows)


def _barge_in(
    written: WrittenText, turn: int, onset: int, stop: int, stopped: bool, in_time: bool
) -> BargeIn:
    is_said = written.is_said(onset, stop)
    # An agent that speaks to the end of the recording has come to no end.
    is_natural_end = None if is_said is None else is_said and stopped
    return BargeIn(turn, onset, stop, stopped, in_time, is_natural_end)


def _find_false_alarms(
    agent: Spans, user: Spans, tolerance_seconds: float
) -> tuple[FalseAlarm, ...]:
    start, _ = agent
    onset, user_end = (times[:, np.newaxis] for times in user)
    latest = user_end - microseconds(tolerance_seconds)
    turn, segment = np.nonzero((onset <= start) & (start < latest))
    return tuple(map(FalseAlarm, turn.tolist(), start[segment].tolist()))


def _find_responses(agent: Spans, user: Spans, duration: int) -> tuple[Response, ...]:
    """First segment that begins from the user's onset to the next one and outlasts the
    user turn: one that had begun before was not said in response."""
    start, end = agent
    onset, user_end = (times[:, np.newaxis] for times in user)
    is_next = (onset <= start) & (start < _next_onset(user, duration))
    turn, segment = first_in_rows(is_next & (user_end < end))
    starts = start[segment]
    latencies = starts - user[1][turn]
    return tuple(map(Response, turn.tolist(), starts.tolist(), latencies.tolist()))


def _find_answered(
    responses: Sequence[Response],
    user: Spans,
    duration: int,
    options: TurnTakingOptions,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Indices of the answerable user turns: those with a response, those without."""
    time_left = _next_onset(user, duration).ravel() - user[1]
    min_answer = microseconds(options.min_answer_seconds)
    answerable = np.flatnonzero(time_left >= min_answer).tolist()
    has_response = {response.user_turn for response in responses}
    return (
        tuple(turn for turn in answerable if turn in has_response),
        tuple(turn for turn in answerable if turn not in has_response),
    )


def _next_onset(user: Spans, duration: int) -> np.ndarray:
    """(U, 1): where the next user turn begins, for the last one the recording ends."""
    return np.append(user[0], duration)[1:, np.newaxis]
