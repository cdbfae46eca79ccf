"""What was wanted of conversations, and what of it could not be had."""

from collections import Counter


class Tally:
    """Counts while conversations are drawn.

    Attributes:
        wanted: kind -> how many.
        missed: (kind, reason) -> how many could not be had.
    """

    def __init__(self) -> None:
        self.wanted: Counter[str] = Counter()
        self.missed: Counter[tuple[str, str]] = Counter()

    def note(self, kind: str, reason: str = "") -> None:
        """Something of a kind was wanted; a reason says why there is none."""
        self.wanted[kind] += 1
        if reason:
            self.missed[kind, reason] += 1

    def sentences(self) -> list[str]:
        """One for each reason, the most frequent first.

        Examples:
            >>> tally = Tally()
            >>> tally.note("noises")
            >>> tally.note("noises", "the user is never silent")
            >>> tally.sentences()
            ['1 of 2 noises could not be had: the user is never silent']
        """
        return [
            f"{count} of {self.wanted[kind]} {kind} could not be had: {reason}"
            for (kind, reason), count in self.missed.most_common()
        ]
