"""When a turn begins and ends: after another one, on a frame, or where it must."""

from dataclasses import dataclass, replace

from espnet2_duplex.conversation import CUT_SECONDS, GAP_SECONDS, Turn
from espnet2_duplex.timing import FrameClock, microseconds, whole_microseconds


@dataclass(frozen=True)
class Utterance:
    """What will be one turn, before it has a place in time.

    Attributes:
        role: "user" or "agent".
        text: what is said.
        seconds: length of its audio.
        start: seconds, where its source has it begin; None leaves that to
            :func:`~espnet2_duplex.simulation.timeline.lay_out`.
        end: seconds, where its source has it end, so that nobody cuts it; None likewise.
    """

    role: str
    text: str
    seconds: float
    start: float | None = None
    end: float | None = None

    @property
    def is_timed(self) -> bool:
        """Whether its start and its end are given, as in a recording."""
        return self.start is not None and self.end is not None


@dataclass(frozen=True)
class TurnRules:
    """How one turn follows another.

    Attributes:
        gap_seconds: silence between the end of a user turn and its answer.
        cut_seconds: what the agent still says after a user's onset within its turn.
        on_frames: whether agent turns begin on frames, as they must at inference: each
            user turn that is answered ends with less than a frame of silence, so that
            the gap after it is exact. (If the user's speech were moved instead, a
            recording would always lie on the frames in the same way, and a model would
            know no other.) An agent turn whose start is given moves, as a whole, to the
            nearest frame.
        clock: frames of the conversation.
    """

    gap_seconds: float = GAP_SECONDS
    cut_seconds: float = CUT_SECONDS
    on_frames: bool = True
    clock: FrameClock = FrameClock()


@dataclass(frozen=True)
class TurnTimes:
    """Gives the utterances of a conversation their times, in seconds.

    Attributes:
        id: of the conversation, for errors.
        lead_seconds: silence before the first turn.
        rules: of the others.
    """

    id: str
    lead_seconds: float
    rules: TurnRules

    def agent_turn(
        self, utterance: Utterance, before: Utterance | None, previous: Turn | None
    ) -> Turn:
        """A turn of the agent, after `previous`, which was made of `before`.

        Raises:
            ValueError: its given start lies in a user's turn whose times are open.
        """
        start = utterance.start
        if start is None and previous is None:
            start = self.lead_seconds
        elif start is None:
            start = previous.end + self.rules.gap_seconds
        elif previous is not None and not before.is_timed:
            self._check_user_has_ended(utterance, previous)
        if self.rules.on_frames:
            # Only moves what the user's end has not put on a frame already.
            clock = self.rules.clock
            start = clock.seconds(clock.nearest_frame(start))
        return _turn(utterance, start, start + utterance.seconds)

    def _check_user_has_ended(self, agent: Utterance, user: Turn) -> None:
        if microseconds(agent.start) < microseconds(user.end):
            raise ValueError(
                f"conversation {self.id}: the agent's turn {agent.text!r} starts at "
                f"{agent.start:.6g} s, before the user's turn {user.text!r} ends at "
                f"{user.end:.6g} s; leave out the agent's start, or, if they did "
                "overlap, give the user's start and end, too"
            )

    def user_turn(
        self,
        utterance: Utterance,
        after: Utterance | None,
        previous: Turn | None,
        pause_seconds: float,
    ) -> Turn:
        """A turn of the user, after `previous` and before `after`."""
        start = utterance.start
        if start is None and previous is None:
            start = self.lead_seconds
        elif start is None:
            start = previous.end + pause_seconds
        start = whole_microseconds(start)
        end = start + utterance.seconds
        is_answered = after is not None and after.start is None
        if is_answered and utterance.start is None and self.rules.on_frames:
            end = self._end_before_answer(end)
        return _turn(utterance, start, end)

    def _end_before_answer(self, end: float) -> float:
        """The least end from which the gap leads to a frame."""
        clock, gap_seconds = self.rules.clock, self.rules.gap_seconds
        return clock.seconds(clock.ceil_frames(end + gap_seconds)) - gap_seconds

    def cut(self, agent: Turn, user: Turn) -> Turn:
        """The agent's turn, ended where the user's onset within it ends it.

        Raises:
            ValueError: the user begins before the agent; names the conversation.
        """
        if microseconds(user.start) <= microseconds(agent.start):
            raise ValueError(
                f"conversation {self.id}: the user begins at {user.start:.6g} s, before "
                f"the agent's turn of {agent.start:.6g} s has begun; barge in by less "
                "than the answer's length"
            )
        if microseconds(user.start) >= microseconds(agent.end):
            return agent
        end = min(agent.end, user.start + self.rules.cut_seconds)
        return replace(agent, end=whole_microseconds(end))


def _turn(utterance: Utterance, start: float, end: float) -> Turn:
    times = (whole_microseconds(start), whole_microseconds(end))
    return Turn(utterance.role, *times, utterance.text)
