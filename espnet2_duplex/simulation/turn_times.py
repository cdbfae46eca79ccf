"""When a turn begins and ends: after another one, on a frame, or where it must."""

from dataclasses import dataclass, replace

from espnet2_duplex.conversation import Turn
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
class TurnTimes:
    """Gives utterances their times, in seconds.

    Attributes:
        id: of the conversation, for errors.
        lead_seconds: silence before the first turn.
        gap_seconds: silence between the end of a user turn and its answer.
        clock: on whose frames agent turns begin; None for anywhere.
    """

    id: str
    lead_seconds: float
    gap_seconds: float
    clock: FrameClock | None

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
            start = previous.end + self.gap_seconds
        elif previous is not None and not before.is_timed:
            self._check_user_has_ended(utterance, previous)
        if self.clock is not None:
            # Only moves what the user's end has not put on a frame already.
            start = self.clock.seconds(self.clock.nearest_frame(start))
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
        if is_answered and utterance.start is None and self.clock is not None:
            answer = self.clock.ceil_frames(end + self.gap_seconds)
            end = self.clock.seconds(answer) - self.gap_seconds
        return _turn(utterance, start, end)


def cut(id: str, agent: Turn, onset: float, cut_seconds: float) -> Turn:
    """The agent's turn, ended `cut_seconds` after a user's onset within it.

    Raises:
        ValueError: the onset comes before the agent has begun; names the conversation.
    """
    if microseconds(onset) <= microseconds(agent.start):
        raise ValueError(
            f"conversation {id}: the user begins at {onset:.6g} s, before the agent's "
            f"turn of {agent.start:.6g} s has begun; barge in by less than the answer's "
            "length"
        )
    if microseconds(onset) >= microseconds(agent.end):
        return agent
    return replace(agent, end=whole_microseconds(min(agent.end, onset + cut_seconds)))


def _turn(utterance: Utterance, start: float, end: float) -> Turn:
    times = (whole_microseconds(start), whole_microseconds(end))
    return Turn(utterance.role, *times, utterance.text)
