"""Who speaks when: silences between turns, overlaps and barge-ins of a conversation.

Two exchanges; the user barges in at the second question::

    user    |question 0|              |question 1|
    agent              : |answer 0------|        : |answer 1|        |question ...
                       gap            :cut       gap          pause
                                      overlap

All is read off the turns; the audio is not listened to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from espnet2_duplex.conversation import Conversation, Turn
from espnet2_duplex.metrics.data_report.limits import OutlierLimits
from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, microseconds


@dataclass(frozen=True)
class Silence:
    """Time between the end of one speaker and the start of the other.

    Attributes:
        before: turn that ended.
        after: turn of the other role that began.
    """

    before: Turn
    after: Turn

    @property
    def seconds(self) -> float:
        """Length, 0 or more."""
        return _difference(self.after.start, self.before.end)


class Ending(Enum):
    """How an agent turn ends that a user barges into.

    Attributes:
        CUT: the limits' cut after the user's onset (Sec. 4.2: 0.64 s).
        OWN: earlier. The turn was at its end already, nobody cut it.
        LATE: later.
    """

    CUT = "cut"
    OWN = "own end"
    LATE = "late"


@dataclass(frozen=True)
class BargeIn:
    """A user turn whose onset lies inside an agent turn.

    Attributes:
        user: turn that interrupts.
        agent: turn that is interrupted.
    """

    user: Turn
    agent: Turn

    @property
    def cut_seconds(self) -> float:
        """What the agent still says after the user's onset (Sec. 4.2: 0.64 s)."""
        return _difference(self.agent.end, self.user.start)

    def ending(self, limits: OutlierLimits) -> Ending:
        """Of the agent's turn; the cut may be off by the tolerance of the limits."""
        excess = microseconds(self.cut_seconds - limits.cut_seconds)
        if abs(excess) <= microseconds(limits.tolerance_seconds):
            return Ending.CUT
        return Ending.OWN if excess < 0 else Ending.LATE


def gaps(conversation: Conversation) -> list[Silence]:
    """From the user's end to the agent's answer (Sec. 4.1: 0.64 s).

    For each agent turn: its start minus the end of the latest user turn that ended
    before it. An agent turn that begins while the user speaks has no gap, and neither
    has one that follows another agent turn: the user has had an answer already.
    """
    return _silences(conversation.user_turns, conversation.agent_turns)


def pauses(conversation: Conversation) -> list[Silence]:
    """From the agent's end to the user's next turn: :func:`gaps`, roles exchanged."""
    return _silences(conversation.agent_turns, conversation.user_turns)


def barge_ins(conversation: Conversation) -> list[BargeIn]:
    """User turns whose onset lies inside an agent turn, its first instant included."""
    return [
        BargeIn(user, agent)
        for user in conversation.user_turns
        for agent in conversation.agent_turns
        if agent.start <= user.start < agent.end
    ]


def agent_interruptions(conversation: Conversation) -> list[BargeIn]:
    """Agent turns that begin inside a user turn, after its first instant."""
    return [
        BargeIn(user, agent)
        for agent in conversation.agent_turns
        for user in conversation.user_turns
        if user.start < agent.start < user.end
    ]


def overlaps_seconds(conversation: Conversation) -> list[float]:
    """Lengths of the stretches in which a user and an agent turn are both active."""
    return [
        _difference(min(user.end, agent.end), max(user.start, agent.start))
        for user in conversation.user_turns
        for agent in conversation.agent_turns
        if max(user.start, agent.start) < min(user.end, agent.end)
    ]


def num_exchanges(conversation: Conversation) -> int:
    """User turns that an agent turn follows, in the order of their starts."""
    roles = [turn.role for turn in conversation.turns]
    return sum(pair == ("user", "agent") for pair in zip(roles, roles[1:]))


def _silences(leading: Sequence[Turn], following: Sequence[Turn]) -> list[Silence]:
    """First turn of `following` after each end in `leading`, where that is silent."""
    found = []
    previous_start = -1.0
    for turn in following:
        ended = [lead for lead in leading if lead.end <= turn.start]
        is_inside = any(lead.start <= turn.start < lead.end for lead in leading)
        if ended and not is_inside and previous_start < ended[-1].end:
            found.append(Silence(ended[-1], turn))
        previous_start = turn.start
    return found


def _difference(late: float, early: float) -> float:
    """Without the error of a float subtraction."""
    return (microseconds(late) - microseconds(early)) / MICROSECONDS_PER_SECOND
