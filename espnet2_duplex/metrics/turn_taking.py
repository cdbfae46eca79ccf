"""Turn taking: barge-in, false alarms, response (Sec. 5.2).

The agent's activity is measured on its audio, the user's is known from the turns::

    user    |turn 0----|                     |turn 1------|
    agent               <-response->|segment 0-----|       <-response->|segment 1---|
                                             <stop->

The paper names the metrics; what it leaves open is an option here. All comparisons are
made in whole microseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from espnet2_duplex.metrics.counts import Counts, Latencies, share
from espnet2_duplex.timing import microseconds


class Span(Protocol):
    """Anything with a start and an end in seconds: a Segment, a Turn."""

    start: float
    end: float


@dataclass(frozen=True)
class TurnTakingOptions:
    """Definitions that the paper leaves open.

    Attributes:
        min_activity_seconds: an agent segment must have begun so long before the user's
            onset to be interrupted by it.
        success_seconds: a stop is in time until so long after the onset (Sec. 5.2).
        resuming_undoes_success: whether an agent that stops in time but speaks again
            during the same user turn has failed.
        tolerance_seconds: the agent may begin so long before the user's end (Sec. 5.2).
        min_answer_seconds: user turns that leave less time than this before the next
            user turn or the end of the recording are not counted as answered or
            unanswered: 0.64 s of silence (Sec. 4.1) and 0.4 s to be heard.
    """

    min_activity_seconds: float = 0.24
    success_seconds: float = 1.5
    resuming_undoes_success: bool = False
    tolerance_seconds: float = 0.1
    min_answer_seconds: float = 1.04


@dataclass(frozen=True)
class BargeInCounts(Counts):
    """What happened when the user began while the agent spoke.

    Attributes:
        all_latencies: from the user's onset to the agent's stop, of every event; up to
            the end of the recording where the agent did not stop.
        success_latencies: those of the successes.
        num_unstopped: events in which the agent spoke to the end of the recording.
    """

    all_latencies: Latencies = Latencies()
    success_latencies: Latencies = Latencies()
    num_unstopped: int = 0

    @property
    def num_events(self) -> int:
        """User turns that began inside an agent segment."""
        return len(self.all_latencies)

    @property
    def num_success(self) -> int:
        """Events in which the agent stopped in time."""
        return len(self.success_latencies)

    @property
    def success_rate(self) -> float | None:
        """Share of the events, None without events."""
        return share(self.num_success, self.num_events)


@dataclass(frozen=True)
class FalseAlarmCounts(Counts):
    """How often the agent began while the user was speaking.

    Attributes:
        num_user_turns: user turns.
        num: user turns during which at least one agent segment began.
        num_segments: such agent segments.
        microseconds: length of the recordings.
    """

    num_user_turns: int = 0
    num: int = 0
    num_segments: int = 0
    microseconds: int = 0

    @property
    def rate(self) -> float | None:
        """Share of the user turns, None without user turns."""
        return share(self.num, self.num_user_turns)

    @property
    def per_minute(self) -> float | None:
        """Segments per minute of recording."""
        return share(self.num_segments * 60_000_000, self.microseconds)


@dataclass(frozen=True)
class ResponseCounts(Counts):
    """How the agent came after the user.

    Attributes:
        first_latencies: from the end of the first user turn to the response, one per
            conversation that has one; negative: an early start.
        latencies: the same of every user turn.
        num_answerable: user turns that left time for an answer.
        num_answered: of these, those that an agent segment followed.
    """

    first_latencies: Latencies = Latencies()
    latencies: Latencies = Latencies()
    num_answerable: int = 0
    num_answered: int = 0

    @property
    def rate_answered(self) -> float | None:
        """Share of the answerable user turns."""
        return share(self.num_answered, self.num_answerable)


@dataclass(frozen=True)
class TurnTakingCounts(Counts):
    """Everything this module measures, of one or more conversations."""

    barge_in: BargeInCounts = field(default=BargeInCounts())
    false_alarm: FalseAlarmCounts = field(default=FalseAlarmCounts())
    response: ResponseCounts = field(default=ResponseCounts())


def count_turn_taking(
    agent_segments: Sequence[Span],
    user_turns: Sequence[Span],
    duration_seconds: float,
    options: TurnTakingOptions = TurnTakingOptions(),
) -> TurnTakingCounts:
    """Counts of one conversation.

    Args:
        agent_segments: where the agent speaks, already merged; disjoint.
        user_turns: disjoint.
        duration_seconds: length of the recording.
        options: see there.
    """
    agent = _in_microseconds(agent_segments)
    user = _in_microseconds(user_turns)
    duration = microseconds(duration_seconds)
    return TurnTakingCounts(
        count_barge_ins(agent, user, duration, options),
        count_false_alarms(agent, user, duration, options),
        count_responses(agent, user, duration, options),
    )


def count_barge_ins(agent, user, duration, options) -> BargeInCounts:
    """Events: user turns whose onset lies inside an agent segment that had begun.

    The stop is the end of that segment. An agent that speaks to the end of the
    recording has not stopped, however soon that end comes.

    Args:
        agent: (start, end) in microseconds, sorted.
        user: the same.
        duration: microseconds.
        options: see there.
    """
    latencies, in_time, num_unstopped = [], [], 0
    min_activity = microseconds(options.min_activity_seconds)
    for onset, user_end in user:
        stops = [end for start, end in agent if start + min_activity <= onset < end]
        if not stops:
            continue
        stop = stops[0]
        latencies.append(stop - onset)
        num_unstopped += stop >= duration
        resumed = any(stop < start < user_end for start, _ in agent)
        if (
            stop < duration
            and stop - onset <= microseconds(options.success_seconds)
            and not (resumed and options.resuming_undoes_success)
        ):
            in_time.append(stop - onset)
    return BargeInCounts(Latencies(latencies), Latencies(in_time), num_unstopped)


def count_false_alarms(agent, user, duration, options) -> FalseAlarmCounts:
    """Agent segments that begin during a user turn, unless that turn is about to end.

    Arguments as those of `count_barge_ins`.
    """
    tolerance = microseconds(options.tolerance_seconds)
    alarms = [
        sum(onset <= start < end - tolerance for start, _ in agent)
        for onset, end in user
    ]
    return FalseAlarmCounts(
        num_user_turns=len(user),
        num=sum(number > 0 for number in alarms),
        num_segments=sum(alarms),
        microseconds=duration,
    )


def count_responses(agent, user, duration, options) -> ResponseCounts:
    """Latency of the response to each user turn, and how many were answered.

    The response is the first agent segment that ends after the user turn and starts
    before the next user turn; not one that had begun before the user's onset and
    stopped for it in time. A user turn is answered if an agent segment begins between
    its end (less the tolerance) and the next user turn.

    Arguments as those of `count_barge_ins`.
    """
    tolerance = microseconds(options.tolerance_seconds)
    latencies: list[int | None] = []
    num_answerable = num_answered = 0
    limits = [start for start, _ in user[1:]] + [duration]
    for (onset, user_end), limit in zip(user, limits):
        in_time = onset + microseconds(options.success_seconds)
        responses = [
            start
            for start, end in agent
            if end > user_end
            and start < limit
            and not (start < onset and end <= in_time)
        ]
        latencies.append(responses[0] - user_end if responses else None)
        if limit - user_end >= microseconds(options.min_answer_seconds):
            num_answerable += 1
            num_answered += any(
                user_end - tolerance <= start < limit for start, _ in agent
            )
    return ResponseCounts(
        Latencies(time for time in latencies[:1] if time is not None),
        Latencies(time for time in latencies if time is not None),
        num_answerable,
        num_answered,
    )


def _in_microseconds(spans: Sequence[Span]) -> list[tuple[int, int]]:
    return sorted((microseconds(span.start), microseconds(span.end)) for span in spans)
