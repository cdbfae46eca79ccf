"""Turn taking: barge-in, false alarms, response (Sec. 5.2), as counts that add.

What is counted stands in `events`, the definitions that the paper leaves open in
`options`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from espnet2_duplex.conversation import Turn
from espnet2_duplex.metrics.counts import Counts, Latencies, share
from espnet2_duplex.metrics.turn_taking.events import find_events
from espnet2_duplex.metrics.turn_taking.options import TurnTakingOptions
from espnet2_duplex.metrics.turn_taking.records import (
    BargeIn,
    FalseAlarm,
    TurnTakingEvents,
)
from espnet2_duplex.metrics.turn_taking.spans import Span

MICROSECONDS_PER_MINUTE = 60_000_000


@dataclass(frozen=True)
class BargeInCounts(Counts):
    """What happened when the user began while the agent spoke.

    Attributes:
        all_latencies: from the user's onset to the agent's stop, of every event; up to
            the end of the recording where the agent did not stop.
        success_latencies: those of the successes.
        num_unstopped: events in which the agent spoke to the end of the recording.
        num_with_text: events in which the agent's text is known.
        num_natural_ends: of these, those in which all of it could be said by the stop:
            the agent may not have heard the user at all. See `natural_end` for which
            voices this is known.
    """

    all_latencies: Latencies = Latencies()
    success_latencies: Latencies = Latencies()
    num_unstopped: int = 0
    num_with_text: int = 0
    num_natural_ends: int = 0

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

    @property
    def natural_end_rate(self) -> float | None:
        """Share of the events with text, None without such."""
        return share(self.num_natural_ends, self.num_with_text)


@dataclass(frozen=True)
class FalseAlarmCounts(Counts):
    """How often the agent began while the user was speaking.

    Attributes:
        num_user_turns: user turns.
        num: user turns during which at least one agent segment began.
        num_segments: such agent segments.
        microseconds: length of the recordings.
        num_wide: as `num`, with the wide tolerance.
        num_segments_wide: as `num_segments`, with the wide tolerance.
    """

    num_user_turns: int = 0
    num: int = 0
    num_segments: int = 0
    microseconds: int = 0
    num_wide: int = 0
    num_segments_wide: int = 0

    @property
    def rate(self) -> float | None:
        """Share of the user turns, None without user turns."""
        return share(self.num, self.num_user_turns)

    @property
    def per_minute(self) -> float | None:
        """Segments per minute of recording."""
        return share(self.num_segments * MICROSECONDS_PER_MINUTE, self.microseconds)

    @property
    def rate_wide(self) -> float | None:
        """As `rate`, with the wide tolerance."""
        return share(self.num_wide, self.num_user_turns)

    @property
    def per_minute_wide(self) -> float | None:
        """As `per_minute`, with the wide tolerance."""
        return share(
            self.num_segments_wide * MICROSECONDS_PER_MINUTE, self.microseconds
        )


@dataclass(frozen=True)
class ResponseCounts(Counts):
    """How the agent came after the user.

    Attributes:
        first_latencies: from the end of the first user turn to the response, one per
            conversation that has one; negative: an early start.
        latencies: the same of every user turn that has a response.
        num_answerable: user turns that left time for an answer.
        num_answered: of these, those with a response, early or not. The latencies also
            have the responses to turns that left less time, which no rate counts.
    """

    first_latencies: Latencies = Latencies()
    latencies: Latencies = Latencies()
    num_answerable: int = 0
    num_answered: int = 0

    @property
    def rate_answered(self) -> float | None:
        """Share of the answerable user turns."""
        return share(self.num_answered, self.num_answerable)

    @property
    def num_early_first(self) -> int:
        """Conversations whose first response began before the user's end."""
        return self.first_latencies.num_negative

    @property
    def rate_early_first(self) -> float | None:
        """Share of the first responses."""
        return share(self.num_early_first, len(self.first_latencies))


@dataclass(frozen=True)
class TurnTakingCounts(Counts):
    """Everything this module measures, of one or more conversations."""

    barge_in: BargeInCounts = BargeInCounts()
    false_alarm: FalseAlarmCounts = FalseAlarmCounts()
    response: ResponseCounts = ResponseCounts()


def count_turn_taking(
    agent_segments: Sequence[Span],
    user_turns: Sequence[Span],
    duration_seconds: float,
    options: TurnTakingOptions = TurnTakingOptions(),
    written_turns: Sequence[Turn] = (),
    characters_per_second: float | None = None,
) -> TurnTakingCounts:
    """Counts of one conversation; arguments as those of `find_events`."""
    return count_events(
        find_events(
            agent_segments,
            user_turns,
            duration_seconds,
            options,
            written_turns,
            characters_per_second,
        )
    )


def count_events(events: TurnTakingEvents) -> TurnTakingCounts:
    """Counts of one conversation's events."""
    first = [response for response in events.responses if response.user_turn == 0]
    num_answered = len(events.answered)
    return TurnTakingCounts(
        _count_barge_ins(events.barge_ins),
        FalseAlarmCounts(
            num_user_turns=events.num_user_turns,
            num=_num_turns(events.false_alarms),
            num_segments=len(events.false_alarms),
            microseconds=events.duration_microseconds,
            num_wide=_num_turns(events.wide_false_alarms),
            num_segments_wide=len(events.wide_false_alarms),
        ),
        ResponseCounts(
            Latencies(response.latency_microseconds for response in first),
            Latencies(response.latency_microseconds for response in events.responses),
            num_answerable=num_answered + len(events.unanswered),
            num_answered=num_answered,
        ),
    )


def _count_barge_ins(barge_ins: Sequence[BargeIn]) -> BargeInCounts:
    natural_ends = [barge_in.is_natural_end for barge_in in barge_ins]
    return BargeInCounts(
        Latencies(barge_in.latency_microseconds for barge_in in barge_ins),
        Latencies(one.latency_microseconds for one in barge_ins if one.is_in_time),
        num_unstopped=sum(not barge_in.is_stopped for barge_in in barge_ins),
        num_with_text=sum(is_natural is not None for is_natural in natural_ends),
        num_natural_ends=natural_ends.count(True),
    )


def _num_turns(alarms: Sequence[FalseAlarm]) -> int:
    """User turns that have one."""
    return len({alarm.user_turn for alarm in alarms})
