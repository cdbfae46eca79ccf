"""Pause handling: an agent should not take the turn while the user pauses."""

from collections.abc import Sequence
from dataclasses import dataclass

from espnet2_duplex.metrics.counts import Counts
from espnet2_duplex.metrics.full_duplex_bench.mode import shown
from espnet2_duplex.metrics.full_duplex_bench.take_over import (
    TakeOverCounts,
    TakeOverOptions,
    takes_over,
)
from espnet2_duplex.words import Word


@dataclass(frozen=True)
class PauseCounts(Counts):
    """Takeovers in samples whose user pauses.

    Attributes:
        whole: by all words of the recording.
        before_end: by the words that begin before the user's end, where it is known.
    """

    whole: TakeOverCounts = TakeOverCounts()
    before_end: TakeOverCounts = TakeOverCounts()

    def figures(self, mode: str) -> dict:
        """See `BenchCounts`; the lower the rates the better."""
        figures = self.whole.figures()
        if mode == "fixed":
            figures["before_user_end"] = self.before_end.figures()
        return figures

    def changes(self) -> list[str]:
        """See `BenchCounts`."""
        return [
            f"TOR is {shown(self.whole.rate)} by all words, as published, and "
            f"{shown(self.before_end.rate)} by words that begin before the user's end "
            f"({self.before_end.num_samples} samples tell it)"
        ]


def count_pause_handling(
    words: Sequence[Word],
    user_end: float | None,
    options: TakeOverOptions = TakeOverOptions(),
) -> PauseCounts:
    """Score one sample (v1, "pause handling"; eval_pause_handling.py).

    Args:
        words: of the agent, in time order.
        user_end: end of the user's last word in seconds, None where nobody noted it.
        options: of the takeover.
    """
    whole = TakeOverCounts.of(takes_over(words, options))
    if user_end is None:
        return PauseCounts(whole)
    before = [word for word in words if word.start < user_end]
    return PauseCounts(whole, TakeOverCounts.of(takes_over(before, options)))
