"""The definitions of `events` once more, in plain loops.

Nothing but the tests calls this module: it is read beside the fast code and must give
the same events. Each function follows the words of one definition.
"""

from collections.abc import Sequence

from espnet2_duplex.conversation import Turn
from espnet2_duplex.metrics.turn_taking.options import TurnTakingOptions
from espnet2_duplex.metrics.turn_taking.records import (
    BargeIn,
    FalseAlarm,
    Response,
    TurnTakingEvents,
)
from espnet2_duplex.metrics.turn_taking.spans import Span
from espnet2_duplex.timing import microseconds


def find_events_reference(
    agent_segments: Sequence[Span],
    user_turns: Sequence[Span],
    duration_seconds: float,
    options: TurnTakingOptions = TurnTakingOptions(),
    written_turns: Sequence[Turn] = (),
    characters_per_second: float | None = None,
) -> TurnTakingEvents:
    """Plain twin of `events.find_events`, same arguments."""
    agent = sorted(map(_times, agent_segments))
    user = sorted(map(_times, user_turns))
    duration = microseconds(duration_seconds)
    barge_ins, responses, answered, unanswered = [], [], [], []
    for index, (onset, user_end) in enumerate(user):
        limit = user[index + 1][0] if index + 1 < len(user) else duration
        barge_in = _barge_in(index, onset, user_end, agent, duration, options)
        if barge_in is not None:
            is_natural = _is_natural_end(barge_in, written_turns, characters_per_second)
            barge_ins.append(BargeIn(*barge_in, is_natural_end=is_natural))
        start = _response_start(onset, user_end, limit, agent)
        if start is not None:
            responses.append(Response(index, start, start - user_end))
        if limit >= user_end + microseconds(options.min_answer_seconds):
            (unanswered if start is None else answered).append(index)
    return TurnTakingEvents(
        num_user_turns=len(user),
        duration_microseconds=duration,
        barge_ins=tuple(barge_ins),
        false_alarms=_false_alarms(agent, user, options.tolerance_seconds),
        wide_false_alarms=_false_alarms(agent, user, options.wide_tolerance_seconds),
        responses=tuple(responses),
        answered=tuple(answered),
        unanswered=tuple(unanswered),
    )


def _barge_in(index, onset, user_end, agent, duration, options) -> tuple | None:
    """Fields of the barge-in at a user's onset but the last, None if it is none.

    The user interrupts a segment that has lasted for the minimum and goes on beyond the
    onset. The agent has stopped if that segment ends before the recording does; in time
    if at most so much after the onset; on request only if no other segment begins
    before the user has finished.
    """
    for start, end in agent:
        has_lasted = onset - start >= microseconds(options.min_activity_seconds)
        if not has_lasted or end <= onset:
            continue
        if end >= duration:
            return index, onset, duration, False, False
        is_in_time = end - onset <= microseconds(options.success_seconds)
        if options.resuming_undoes_success:
            for other_start, _ in agent:
                if end < other_start < user_end:
                    is_in_time = False
        return index, onset, end, True, is_in_time
    return None


def _is_natural_end(barge_in, written_turns, characters_per_second) -> bool | None:
    """Whether the last text begun before the onset was complete at the stop.

    Its last word could be said if the middle of that word comes before the stop. An
    agent that did not stop came to no end.
    """
    _, onset, stop, is_stopped, _ = barge_in
    last = None
    for turn in written_turns:
        if microseconds(turn.start) < onset:
            if last is None or turn.start > last.start:
                last = turn
    if last is None or characters_per_second is None or not last.text.strip():
        return None
    words = last.text.split()
    middle = len(" ".join(words)) - len(words[-1]) / 2
    seconds = (stop - microseconds(last.start)) / 1_000_000
    return is_stopped and middle <= seconds * characters_per_second


def _false_alarms(agent, user, tolerance_seconds) -> tuple[FalseAlarm, ...]:
    """The agent begins while the user has longer to go than the tolerance."""
    alarms = []
    for index, (onset, user_end) in enumerate(user):
        for start, _ in agent:
            has_begun = start >= onset
            to_go = user_end - start
            if has_begun and to_go > microseconds(tolerance_seconds):
                alarms.append(FalseAlarm(index, start))
    return tuple(alarms)


def _response_start(onset, user_end, limit, agent) -> int | None:
    """Where the agent begins in response to a user turn, None if it does not.

    It begins no sooner than the user does, for before it cannot know of the turn, and
    before the next user turn. It is still speaking after the user has ended.
    """
    for start, end in agent:
        if onset <= start < limit and end > user_end:
            return start
    return None


def _times(span: Span) -> tuple[int, int]:
    return microseconds(span.start), microseconds(span.end)
