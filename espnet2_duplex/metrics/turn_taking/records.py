"""The events of turn taking in one conversation, as values (Sec. 5.2).

Inside, times are whole microseconds; `to_dict` gives the seconds that stand in
conversations.jsonl. How they are found stands in `events`.
"""

from dataclasses import dataclass

from espnet2_duplex.timing import MICROSECONDS_PER_SECOND


@dataclass(frozen=True)
class BargeIn:
    """A user turn whose onset lies inside an agent segment that had begun.

    Attributes:
        user_turn: its index.
        onset_microseconds: where the user begins.
        stop_microseconds: end of the agent's segment, at most that of the recording.
        is_stopped: the segment ends before the recording does. An agent that speaks to
            the end has not stopped, however soon that end comes.
        is_in_time: it stopped within the limit of Sec. 5.2.
        is_natural_end: all that the agent had written could be said by the stop, so it
            may have come to its own end; None where it wrote nothing. Judged at the
            speed of one voice, see `natural_end`.
    """

    user_turn: int
    onset_microseconds: int
    stop_microseconds: int
    is_stopped: bool
    is_in_time: bool
    is_natural_end: bool | None

    @property
    def latency_microseconds(self) -> int:
        """From the user's onset to the agent's stop."""
        return self.stop_microseconds - self.onset_microseconds

    def to_dict(self) -> dict:
        """As it stands in conversations.jsonl; times in seconds."""
        return {
            "user_turn": self.user_turn,
            "onset": self.onset_microseconds / MICROSECONDS_PER_SECOND,
            "stop": self.stop_microseconds / MICROSECONDS_PER_SECOND,
            "latency": self.latency_microseconds / MICROSECONDS_PER_SECOND,
            "in_time": self.is_in_time,
            "stopped": self.is_stopped,
            "natural_end": self.is_natural_end,
        }


@dataclass(frozen=True)
class FalseAlarm:
    """An agent segment that begins during a user turn that is not about to end."""

    user_turn: int
    start_microseconds: int

    def to_dict(self) -> dict:
        """As it stands in conversations.jsonl; times in seconds."""
        return {
            "user_turn": self.user_turn,
            "start": self.start_microseconds / MICROSECONDS_PER_SECOND,
        }


@dataclass(frozen=True)
class Response:
    """The agent segment that began in response to a user turn, during or after it.

    Attributes:
        user_turn: its index.
        start_microseconds: of the segment.
        latency_microseconds: from the end of the user turn; negative: an early start.
    """

    user_turn: int
    start_microseconds: int
    latency_microseconds: int

    def to_dict(self) -> dict:
        """As it stands in conversations.jsonl; times in seconds."""
        return {
            "user_turn": self.user_turn,
            "start": self.start_microseconds / MICROSECONDS_PER_SECOND,
            "latency": self.latency_microseconds / MICROSECONDS_PER_SECOND,
        }


@dataclass(frozen=True)
class TurnTakingEvents:
    """Everything that was found in one conversation; user turns by index, in order.

    Attributes:
        num_user_turns: user turns.
        duration_microseconds: of the recording.
        barge_ins: at most one per user turn.
        false_alarms: one per agent segment and user turn in which it begins.
        wide_false_alarms: those that remain with the wide tolerance.
        responses: at most one per user turn.
        answered: user turns that left time for an answer and have a response. Turns
            that left less may have one, too, but are neither answered nor unanswered.
        unanswered: user turns that left time for an answer and have no response.
    """

    num_user_turns: int
    duration_microseconds: int
    barge_ins: tuple[BargeIn, ...]
    false_alarms: tuple[FalseAlarm, ...]
    wide_false_alarms: tuple[FalseAlarm, ...]
    responses: tuple[Response, ...]
    answered: tuple[int, ...]
    unanswered: tuple[int, ...]

    def to_dict(self) -> dict:
        """The lists of conversations.jsonl; times in seconds."""
        return {
            "barge_ins": [barge_in.to_dict() for barge_in in self.barge_ins],
            "false_alarms": [alarm.to_dict() for alarm in self.false_alarms],
            "responses": [response.to_dict() for response in self.responses],
            "answered": list(self.answered),
            "unanswered": list(self.unanswered),
        }
