"""Whether the agent had said all it wrote when it stopped: then nobody stopped it.

What could be said by then is judged at one speed: that of the set's reference voice,
measured on the data, unless the options name another. For an agent whose voice speaks at
another speed a natural end means nothing: a faster one comes to its end unnoticed, a
slower one is taken to have finished when it was stopped.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from espnet2_duplex.conversation import Turn
from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, microseconds


def said_before(text: str, seconds: float, characters_per_second: float) -> str:
    """The words that can be said in so many seconds, joined by single blanks.

    A word counts if its middle character comes before the cut at the agent's speed.

    Args:
        text: what is said from the beginning on.
        seconds: from that beginning to the cut.
        characters_per_second: speed of the voice, blanks included.
    """
    limit = seconds * characters_per_second
    said, position = [], 0
    for word in text.split():
        if position + len(word) / 2 > limit:
            break
        said.append(word)
        position += len(word) + 1
    return " ".join(said)


@dataclass(frozen=True)
class WrittenText:
    """The text channel of one conversation.

    Attributes:
        turns: (start in microseconds, text) in time order.
        characters_per_second: speed of the reference voice, taken for the agent's;
            None: not known.
    """

    turns: tuple[tuple[int, str], ...] = ()
    characters_per_second: float | None = None

    @staticmethod
    def of(
        written_turns: Iterable[Turn], characters_per_second: float | None
    ) -> "WrittenText":
        """From the turns of output.json; a speed of None if nothing is known of it."""
        turns = sorted((microseconds(turn.start), turn.text) for turn in written_turns)
        return WrittenText(tuple(turns), characters_per_second)

    def is_said(self, onset: int, stop: int) -> bool | None:
        """Whether the text that was begun before `onset` could be said by `stop`.

        Args:
            onset: microseconds; the last turn that began before it is looked at.
            stop: microseconds, not before `onset`.

        Returns:
            None if there is no such turn, it has no words or the speed is not known.
        """
        index = bisect_left(self.turns, (onset,)) - 1
        if index < 0 or self.characters_per_second is None:
            return None
        start, text = self.turns[index]
        if not text.split():
            return None
        seconds = (stop - start) / MICROSECONDS_PER_SECOND
        said = said_before(text, seconds, self.characters_per_second)
        return said == " ".join(text.split())
