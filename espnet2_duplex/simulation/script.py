"""What is said in a conversation, with a wav file for each turn, before it has times."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from espnet2_duplex.timing import microseconds


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

    @property
    def heard_seconds(self) -> float:
        """How much of the sound is heard: to the given end, if there is one."""
        if self.end is None:
            return self.seconds
        return min(self.seconds, self.end - self.start)


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

    def check_neighbours(self) -> None:
        """Neighbours of one role can be one turn.

        Raises:
            ValueError: the later one begins before the other has ended, or only the
                later one has a start; names the conversation.
        """
        for one, two in zip(self.turns, self.turns[1:]):
            if one.role == two.role and two.start is not None:
                self._check_pair(one, two)

    def _check_pair(self, one: SpokenTurn, two: SpokenTurn) -> None:
        """Two parts of one turn, the second with a start, come one after the other."""
        told = f"conversation {self.id}: the {one.role}'s turn {two.text!r}"
        if one.start is None:
            raise ValueError(
                f"{told} starts at {two.start:.6g} s, but {one.text!r} before it has "
                "no start; give it one, or leave out both"
            )
        end = one.start + one.heard_seconds
        if microseconds(two.start) < microseconds(end):
            raise ValueError(
                f"{told} starts at {two.start:.6g} s, before {one.text!r} has ended at "
                f"{end:.6g} s; correct the times, as one speaker does not speak twice "
                "at once"
            )

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

    @property
    def has_open_pause(self) -> bool:
        """Whether the silence between two user turns is the simulation's to choose.

        That is, where a user turn without a start follows an answer without an end.
        """
        groups = itertools.groupby(self.turns, key=lambda turn: turn.role)
        turns = [tuple(group) for _, group in groups]
        return any(
            after[0].role == "user"
            and after[0].start is None
            and any(part.end is None for part in before)
            for before, after in zip(turns[1:], turns[2:])
        )
