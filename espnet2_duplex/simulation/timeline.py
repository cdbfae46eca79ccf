"""The paper's operations on turns: gap, concatenation, barge-in, impatience (Sec. 4, 5.2).

Laying out two exchanges of question and answer; the user barges in at the second
question (``pauses_seconds[0] < 0``)::

    user    |question 0|                   |question 1|
    agent              :    |answer 0------|-:         :    |answer 1------|
                       <gap->              <-cut       <gap->
              lead                                                          tail

The agent waits ``gap_seconds`` after the user's end (Sec. 4.1: keeps it from barging
in) and falls silent ``cut_seconds`` after the user's onset (Sec. 4.2). A turn that is
cut keeps its whole text: what does not fit before its end is the alignment's matter.
Times are seconds, kept to the microsecond.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from espnet2_duplex.conversation import (
    CUT_SECONDS,
    GAP_SECONDS,
    Conversation,
    Turn,
)
from espnet2_duplex.timing import FrameClock, microseconds, whole_microseconds


@dataclass(frozen=True)
class Utterance:
    """What will be one turn, before it has a place in time.

    Attributes:
        role: "user" or "agent".
        text: what is said.
        seconds: length of its audio.
        start: seconds, where it must begin; None leaves that to :func:`lay_out`.
    """

    role: str
    text: str
    seconds: float
    start: float | None = None


def lay_out(
    id: str,
    utterances: Sequence[Utterance],
    *,
    lead_seconds: float,
    pauses_seconds: Sequence[float],
    tail_seconds: float,
    gap_seconds: float = GAP_SECONDS,
    cut_seconds: float = CUT_SECONDS,
    clock: FrameClock = FrameClock(),
    on_frames: bool = True,
) -> Conversation:
    """Place utterances one after the other on one clock (Sec. 4.1, 4.2).

    The conversation ends on a frame, so that both its streams have the same frames.

    Args:
        id: of the new conversation.
        utterances: one or more, of alternating roles.
        lead_seconds: silence before the first turn.
        pauses_seconds: for each user turn that follows an agent's, the silence between
            them. Negative: the user barges in so long before the agent's end, and the
            agent stops ``cut_seconds`` after the user's onset (or where it would have
            ended anyway). Not heeded where the user's start is given.
        tail_seconds: silence after the last turn.
        gap_seconds: silence between the end of a user turn and its answer.
        cut_seconds: see ``pauses_seconds``.
        clock: frames of the conversation.
        on_frames: whether agent turns begin on frames, as they must at inference: each
            user turn that is answered ends with less than a frame of silence, so that
            the gap after it is exact. (If the user's speech were moved instead, a
            recording would always lie on the frames in the same way, and a model would
            know no other.)

    Raises:
        ValueError: roles do not alternate, the number of pauses is wrong, or a user
            would barge in before the agent has begun.
    """
    _check_alternation(id, utterances)
    _check_pauses(id, utterances, pauses_seconds)
    placing = _Placing(lead_seconds, gap_seconds, clock if on_frames else None)
    pauses = iter(pauses_seconds)
    turns: list[Turn] = []
    for index, utterance in enumerate(utterances):
        previous = turns[-1] if turns else None
        if utterance.role == "agent":
            start = placing.agent_start(utterance, previous)
            end = start + utterance.seconds
        else:
            pause = 0.0 if previous is None else next(pauses)
            start = whole_microseconds(placing.user_start(utterance, previous, pause))
            end = start + utterance.seconds
            if index + 1 < len(utterances):
                end = placing.answered_end(utterance, start)
        if utterance.role == "user" and previous is not None:
            turns[-1] = _cut(id, previous, start, cut_seconds)
        turns.append(_turn(utterance, start, end))
    end = max(turn.end for turn in turns) + tail_seconds
    duration = whole_microseconds(clock.seconds(clock.ceil_frames(end)))
    return Conversation(id, _sorted(turns), duration)


def impatient_pauses(
    answers_seconds: Sequence[float],
    pauses_seconds: Sequence[float],
    *,
    heard_seconds: float,
    gap_seconds: float = GAP_SECONDS,
) -> list[float]:
    """Pauses that halve the silence between each user turn and the next (Sec. 5.2).

    The silence is the user's own: from the end of a user turn to the start of the next,
    that is the gap, the answer and the pause. Where the half of it ends within the
    answer, the pause becomes negative: a barge-in for :func:`lay_out`.

    Args:
        answers_seconds: length of the answer before each pause.
        pauses_seconds: between an answer and the next user turn.
        heard_seconds: of each answer are heard in any case, as there would be nothing
            to interrupt otherwise.
        gap_seconds: silence between the end of a user turn and its answer.
    """
    halved = []
    for answer, pause in zip(answers_seconds, pauses_seconds, strict=True):
        onset = (gap_seconds + answer + pause) / 2  # after the end of the user turn
        onset = max(onset, gap_seconds + min(heard_seconds, answer))
        halved.append(whole_microseconds(onset - gap_seconds - answer))
    return halved


def _check_alternation(id: str, utterances: Sequence[Utterance]) -> None:
    roles = [utterance.role for utterance in utterances]
    if not roles or any(one == two for one, two in zip(roles, roles[1:])):
        raise ValueError(
            f"conversation {id}: the roles are {', '.join(roles) or 'none'}; expected "
            "user and agent in turn, so join neighbours of one role"
        )


def _check_pauses(
    id: str, utterances: Sequence[Utterance], pauses_seconds: Sequence[float]
) -> None:
    wanted = sum(utterance.role == "user" for utterance in utterances[1:])
    if len(pauses_seconds) != wanted:
        raise ValueError(
            f"conversation {id}: {len(pauses_seconds)} pauses were given; expected "
            f"{wanted}, one before each user turn that follows an agent's"
        )


@dataclass(frozen=True)
class _Placing:
    """Where turns begin, in seconds.

    Attributes:
        lead_seconds: silence before the first turn.
        gap_seconds: silence between the end of a user turn and its answer.
        clock: on whose frames agent turns begin; None for anywhere.
    """

    lead_seconds: float
    gap_seconds: float
    clock: FrameClock | None

    def agent_start(self, utterance: Utterance, previous: Turn | None) -> float:
        """Of an agent's turn."""
        start = utterance.start
        if start is None and previous is None:
            start = self.lead_seconds
        elif start is None:
            start = previous.end + self.gap_seconds
        if self.clock is None:
            return start
        # Only moves what the user's end has not put on a frame already.
        return self.clock.seconds(self.clock.nearest_frame(start))

    def user_start(
        self, utterance: Utterance, previous: Turn | None, pause_seconds: float
    ) -> float:
        """Of a user's turn."""
        if utterance.start is not None:
            return utterance.start
        return self.lead_seconds if previous is None else previous.end + pause_seconds

    def answered_end(self, utterance: Utterance, start: float) -> float:
        """End of a user's turn that the agent answers on a frame."""
        end = start + utterance.seconds
        if self.clock is None or utterance.start is not None:
            return end
        answer = self.clock.ceil_frames(end + self.gap_seconds)
        return self.clock.seconds(answer) - self.gap_seconds


def _cut(id: str, agent: Turn, onset: float, cut_seconds: float) -> Turn:
    """The agent's turn, ended ``cut_seconds`` after a user's onset within it."""
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


def _sorted(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    return tuple(sorted(turns, key=lambda turn: microseconds(turn.start)))
