"""Turns and conversations: who says what when.

Everything here is a value; times are seconds, kept to the microsecond. How turns get
their times stands in :mod:`espnet2_duplex.simulation.timeline`.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from espnet2_duplex.timing import microseconds

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


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
