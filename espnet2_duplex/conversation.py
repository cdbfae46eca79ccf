"""Turns and conversations, and the paper's operations on them (Sec. 4 and 5.2).

Laying out two exchanges of question and answer; the user barges in at the second
question (``pauses_seconds[0] < 0``)::

    user    |question 0|                   |question 1|
    agent              :    |answer 0------|-:         :    |answer 1------|
                       <gap->              <-cut       <gap->
              lead                                                          tail

The agent waits ``gap_seconds`` after the user's end (Sec. 4.1: keeps it from barging
in) and falls silent ``cut_seconds`` after the user's onset (Sec. 4.2). A turn that is
cut keeps its whole text: what does not fit before its end is the alignment's matter.
Everything here returns new objects; times are seconds, kept to the microsecond.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, microseconds

ROLES = ("user", "agent")
GAP_SECONDS = 0.64  # Sec. 4.1: silence before the agent speaks
CUT_SECONDS = 0.64  # Sec. 4.2: what the agent still says after a barge-in


@dataclass(frozen=True)
class Turn:
    """One stretch of speech of one speaker.

    Attributes:
        role: "user" or "agent".
        start: seconds since the beginning of the conversation.
        end: seconds, exclusive.
        text: what is said; of a cut turn, what would have been said.

    Raises:
        ValueError: unknown role, text that is no string, or times that are no finite
            numbers with ``0 <= start < end``.
    """

    role: str
    start: float
    end: float
    text: str

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(
                f"the role is {self.role!r}; expected one of {', '.join(ROLES)}"
            )
        if not isinstance(self.text, str):
            raise ValueError(f"the text is {self.text!r}; expected a string")
        if not (_is_number(self.start) and _is_number(self.end)):
            raise ValueError(
                f"it spans {self.start!r} to {self.end!r}; expected numbers of seconds"
            )
        if not 0 <= microseconds(self.start) < microseconds(self.end):
            raise ValueError(
                f"it spans {self.start} to {self.end} s; expected a start from 0 on "
                "and an end after it"
            )

    def to_dict(self) -> dict:
        """The four attributes by name, as they stand in a ``turns`` file."""
        return {
            "role": self.role,
            "start": self.start,
            "end": self.end,
            "text": self.text,
        }

    @staticmethod
    def from_dict(fields: dict) -> "Turn":
        """Inverse of :meth:`to_dict`.

        Raises:
            ValueError: attributes are missing, unknown or of the wrong kind.
        """
        expected = {"role", "start", "end", "text"}
        if not isinstance(fields, dict) or set(fields) != expected:
            raise ValueError(
                f"it reads {fields!r}; expected an object with role, start, end, text"
            )
        return Turn(**fields)


@dataclass(frozen=True)
class Conversation:
    """A user and an agent who talk on one clock.

    Attributes:
        id: utterance id, as in the files of a data folder.
        turns: sorted by start; turns of one role do not overlap.
        duration: seconds; no turn ends later.

    Raises:
        ValueError: the turns are not like that; the message names conversation and
            turn.
    """

    id: str
    turns: tuple[Turn, ...]
    duration: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "turns", tuple(self.turns))
        if not (_is_number(self.duration) and microseconds(self.duration) > 0):
            raise ValueError(
                f"conversation {self.id} lasts {self.duration!r} s; "
                "expected a duration above zero"
            )
        check_order(self.turns, self.id)
        for index, turn in enumerate(self.turns):
            if microseconds(turn.end) > microseconds(self.duration):
                raise ValueError(
                    f"conversation {self.id}, turn {index}: it ends at {turn.end} s, "
                    f"after the end of the conversation at {self.duration} s; "
                    "correct the turn or lengthen the audio"
                )

    @property
    def user_turns(self) -> tuple[Turn, ...]:
        """The user's turns, in time order."""
        return tuple(turn for turn in self.turns if turn.role == "user")

    @property
    def agent_turns(self) -> tuple[Turn, ...]:
        """The agent's turns, in time order."""
        return tuple(turn for turn in self.turns if turn.role == "agent")


@dataclass(frozen=True)
class Exchange:
    """A question and its answer, before they have a place in time.

    Attributes:
        question: text of the user's turn.
        answer: text of the agent's turn.
        question_seconds: length of the question's audio.
        answer_seconds: length of the answer's audio.
    """

    question: str
    answer: str
    question_seconds: float
    answer_seconds: float


def check_order(turns: Sequence[Turn], conversation_id: str) -> None:
    """Turns are sorted by start, and those of one role do not overlap.

    Raises:
        ValueError: they are not; the message names conversation and turn.
    """
    ends = dict.fromkeys(ROLES, 0)
    last_start = 0
    for index, turn in enumerate(turns):
        if microseconds(turn.start) < last_start:
            raise ValueError(
                f"conversation {conversation_id}, turn {index}: it starts at "
                f"{turn.start} s, before the turn ahead of it; sort turns by start"
            )
        if microseconds(turn.start) < ends[turn.role]:
            raise ValueError(
                f"conversation {conversation_id}, turn {index}: it starts at "
                f"{turn.start} s, before the {turn.role}'s turn ahead of it has ended; "
                "turns of one role must not overlap"
            )
        last_start = microseconds(turn.start)
        ends[turn.role] = microseconds(turn.end)


def turns_to_json(turns: Iterable[Turn]) -> str:
    """Turns as the one-line JSON list of a ``turns`` file."""
    return json.dumps([turn.to_dict() for turn in turns], ensure_ascii=False)


def turns_from_json(text: str, conversation_id: str) -> tuple[Turn, ...]:
    """Inverse of :func:`turns_to_json`.

    Args:
        text: JSON list of objects with role, start, end, text.
        conversation_id: for messages.

    Raises:
        ValueError: the text is no such list, or a turn is invalid or out of order; the
            message names conversation and turn.
    """
    try:
        items = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"conversation {conversation_id}: its turns are no valid JSON "
            f"({error.msg} at character {error.pos}); write them with turns_to_json"
        ) from error
    if not isinstance(items, list):
        raise ValueError(
            f"conversation {conversation_id}: its turns are a JSON "
            f"{type(items).__name__}; expected a list of turns"
        )
    turns = []
    for index, item in enumerate(items):
        try:
            turns.append(Turn.from_dict(item))
        except ValueError as error:
            raise ValueError(
                f"conversation {conversation_id}, turn {index}: {error}"
            ) from error
    check_order(turns, conversation_id)
    return tuple(turns)


def lay_out(
    id: str,
    exchanges: Sequence[Exchange],
    *,
    lead_seconds: float,
    pauses_seconds: Sequence[float],
    tail_seconds: float,
    gap_seconds: float = GAP_SECONDS,
    cut_seconds: float = CUT_SECONDS,
) -> Conversation:
    """Place exchanges one after the other on one clock (Sec. 4.1, 4.2).

    Args:
        id: of the new conversation.
        exchanges: one or more.
        lead_seconds: silence before the first user turn.
        pauses_seconds: for each exchange but the last, the silence between the end of
            its answer and the next question. Negative: the user barges in so long
            before that end, and the agent stops ``cut_seconds`` after the user's onset
            (or where it would have ended anyway).
        tail_seconds: silence after the last turn.
        gap_seconds: silence between the end of a question and its answer.
        cut_seconds: see ``pauses_seconds``.

    Raises:
        ValueError: the number of pauses is wrong, or a user would barge in before the
            agent has begun.
    """
    if not exchanges or len(pauses_seconds) != len(exchanges) - 1:
        raise ValueError(
            f"conversation {id}: {len(exchanges)} exchanges and {len(pauses_seconds)} "
            "pauses were given; expected one pause between each two exchanges"
        )
    turns: list[Turn] = []
    onset = lead_seconds
    for exchange, pause in zip(exchanges, (*pauses_seconds, None)):
        asked = onset + exchange.question_seconds
        answered = asked + gap_seconds
        end = answered + exchange.answer_seconds
        turns.append(_turn("user", onset, asked, exchange.question))
        if pause is not None:
            if microseconds(end + pause) <= microseconds(answered):
                raise ValueError(
                    f"conversation {id}: a pause of {pause} s after an answer of "
                    f"{exchange.answer_seconds} s lets the user barge in before the "
                    "agent speaks; barge in by less than the answer's length"
                )
            onset = end + pause
            end = min(end, onset + cut_seconds) if pause < 0 else end
        turns.append(_turn("agent", answered, end, exchange.answer))
    return Conversation(id, _sorted(turns), _rounded(turns[-1].end + tail_seconds))


def impatient(
    conversation: Conversation, id: str, *, cut_seconds: float = CUT_SECONDS
) -> Conversation:
    """Halve the silence between each user turn and the next (Sec. 5.2).

    The silence is the user's own: from the end of a user turn to the start of the next.
    Answers move with their questions, and an agent who still speaks when the next user
    turn comes stops ``cut_seconds`` after its onset. A user turn never comes before the
    answer to the turn ahead of it has begun, as there would be nothing to interrupt.

    Args:
        conversation: each agent turn belongs to the last user turn that starts before
            it.
        id: of the new conversation.
        cut_seconds: what the agent still says after the user's onset.
    """
    shift = 0.0  # seconds by which the turns from here on come earlier
    previous: Turn | None = None
    turns: list[Turn] = []
    for turn in conversation.turns:
        if turn.role == "user":
            if previous is not None:
                onset = previous.end + (turn.start - previous.end) / 2
                onset = max([onset, *_starts_after(conversation, previous, turn)])
                shift += turn.start - onset
            previous = turn
        turns.append(_turn(turn.role, turn.start - shift, turn.end - shift, turn.text))
    return Conversation(
        id,
        _sorted(_cut_at_onsets(turns, cut_seconds)),
        _rounded(conversation.duration - shift),
    )


def _starts_after(conversation: Conversation, user: Turn, next_user: Turn) -> list:
    """Starts (seconds) of the agent turns between two user turns."""
    return [
        agent.start
        for agent in conversation.agent_turns
        if user.start <= agent.start < next_user.start
    ]


def _cut_at_onsets(turns: Sequence[Turn], cut_seconds: float) -> list[Turn]:
    """End agent turns ``cut_seconds`` after a user turn that begins in them."""
    onsets = [turn.start for turn in turns if turn.role == "user"]
    cut = []
    for turn in turns:
        if turn.role == "agent":
            stops = [o + cut_seconds for o in onsets if turn.start <= o < turn.end]
            turn = replace(turn, end=_rounded(min([turn.end, *stops])))
        cut.append(turn)
    return cut


def _turn(role: str, start: float, end: float, text: str) -> Turn:
    return Turn(role, _rounded(start), _rounded(end), text)


def _sorted(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    return tuple(sorted(turns, key=lambda turn: microseconds(turn.start)))


def _rounded(seconds: float) -> float:
    """To the microsecond, so that files do not show the errors of float sums."""
    return microseconds(seconds) / MICROSECONDS_PER_SECOND


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
