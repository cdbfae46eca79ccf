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

from espnet2_duplex.conversation import GAP_SECONDS, Conversation, Turn
from espnet2_duplex.simulation.turn_times import TurnRules, TurnTimes, Utterance
from espnet2_duplex.timing import microseconds, whole_microseconds


def lay_out(
    id: str,
    utterances: Sequence[Utterance],
    *,
    lead_seconds: float,
    pauses_seconds: Sequence[float],
    tail_seconds: float,
    rules: TurnRules = TurnRules(),
) -> Conversation:
    """Place utterances one after the other on one clock (Sec. 4.1, 4.2).

    The conversation ends on a frame, so that both its streams have the same frames.
    Turns whose start and end are given stay what they are, also where they overlap: a
    user's "uh-huh" in a recorded call does not cut the agent.

    Args:
        id: of the new conversation.
        utterances: one or more, of alternating roles.
        lead_seconds: silence before the first turn.
        pauses_seconds: for each user turn that follows an agent's, the silence between
            them. Negative: the user barges in so long before the agent's end, and the
            agent is cut (or ends where it would have ended anyway, if that is
            earlier). Not heeded where the user's start is given.
        tail_seconds: silence after the last turn.
        rules: of gap, cut and frames.

    Raises:
        ValueError: roles do not alternate, the number of pauses is wrong, a user would
            barge in before the agent has begun, an agent's given start lies in a user's
            turn whose times are not given, or turns of one role overlap.
    """
    _check_alternation(id, utterances)
    _check_pauses(id, utterances, pauses_seconds)
    turns = _place(TurnTimes(id, lead_seconds, rules), utterances, pauses_seconds)
    end = max(turn.end for turn in turns) + tail_seconds
    clock = rules.clock
    duration = whole_microseconds(clock.seconds(clock.ceil_frames(end)))
    return Conversation(id, _sorted(turns), duration)


def _place(
    times: TurnTimes, utterances: Sequence[Utterance], pauses_seconds: Sequence[float]
) -> list[Turn]:
    """The turn of each utterance."""
    pauses = iter(pauses_seconds)
    turns: list[Turn] = []
    before: Utterance | None = None
    for utterance, after in zip(utterances, [*utterances[1:], None]):
        previous = turns[-1] if turns else None
        if utterance.role == "agent":
            turns.append(times.agent_turn(utterance, before, previous))
        else:
            pause = 0.0 if previous is None else next(pauses)
            user = times.user_turn(utterance, after, previous, pause)
            if before is not None and not before.is_timed:
                turns[-1] = times.cut(previous, user)
            turns.append(user)
        before = utterance
    return turns


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


def _sorted(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    return tuple(sorted(turns, key=lambda turn: microseconds(turn.start)))
