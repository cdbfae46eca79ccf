"""What is said in a conversation, with a wav file for each turn, before it has times."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class SpokenTurn:
    """One turn with its sound.

    Attributes:
        role: "user" or "agent".
        text: what is said.
        wav: sound file, mono, at the rate of the role's stream.
        seconds: length of the sound.
        start: where the turn begins in the conversation, in seconds, if its source says
            so; None leaves it to the simulation.
        end: where it ends; None for its whole sound.

    Raises:
        ValueError: it has an end and no start.
    """

    role: str
    text: str
    wav: str
    seconds: float
    start: float | None = None
    end: float | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.start is None:
            raise ValueError(
                f"the {self.role}'s turn {self.text!r} ends at {self.end} s and has no "
                "start; give it one, or leave out its end"
            )


@dataclass(frozen=True)
class Script:
    """A conversation to be laid out.

    Attributes:
        id: of the script.
        source: dataset it comes from, for example "alpaca"; only scripts of one source
            are joined (Sec. 4.2).
        speaker: the user's voice.
        turns: in order; neighbours of one role are one turn with a pause in it.
    """

    id: str
    source: str
    speaker: str
    turns: tuple[SpokenTurn, ...]

    def exchanges(self) -> Iterator[tuple[SpokenTurn, ...]]:
        """The turns in groups, each beginning with a user's turn after an agent's."""
        group: list[SpokenTurn] = []
        for turn in self.turns:
            if group and turn.role == "user" and group[-1].role == "agent":
                yield tuple(group)
                group = []
            group.append(turn)
        yield tuple(group)

    @property
    def text(self) -> str:
        """All that is said."""
        return " ".join(turn.text for turn in self.turns)

    @property
    def is_single(self) -> bool:
        """Whether it is one question with its answer, times left open."""
        is_timed = any(turn.start is not None for turn in self.turns)
        is_question_first = self.turns[0].role == "user"
        return len(list(self.exchanges())) == 1 and is_question_first and not is_timed
