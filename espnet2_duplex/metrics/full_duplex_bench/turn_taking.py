"""Smooth turn taking: an agent should answer, soon after the user's turn."""

from collections.abc import Sequence
from dataclasses import dataclass

from espnet2_duplex.metrics.counts import Counts, Latencies
from espnet2_duplex.metrics.full_duplex_bench.average import clipped_mean, latency_of
from espnet2_duplex.metrics.full_duplex_bench.mode import shown
from espnet2_duplex.metrics.full_duplex_bench.take_over import (
    TakeOverCounts,
    TakeOverOptions,
    takes_over,
)
from espnet2_duplex.words import Word


@dataclass(frozen=True)
class SmoothTurnCounts(Counts):
    """Takeovers after the user's turn.

    Attributes:
        take_over: by all words of the recording.
        latencies: of the takeovers, from the user's annotated end to the first word.
    """

    take_over: TakeOverCounts = TakeOverCounts()
    latencies: Latencies = Latencies()

    def figures(self, mode: str) -> dict:
        """See `BenchCounts`; `latency_mean` counts negative latencies as 0."""
        figures = self.take_over.figures()
        figures["latency_mean"] = clipped_mean(self.latencies)
        if mode == "fixed":
            figures |= {
                "latency_mean_signed": self.latencies.mean,
                "latency_median_signed": self.latencies.median,
                "num_early": self.latencies.num_negative,
            }
        return figures

    def changes(self) -> list[str]:
        """See `BenchCounts`."""
        return [
            f"{self.latencies.num_negative} of {len(self.latencies)} agents that took "
            "the turn began before the user's end; the mean latency is "
            f"{shown(clipped_mean(self.latencies))} s with 0 for these, as published, "
            f"and {shown(self.latencies.mean)} s signed"
        ]


def count_turn_taking(
    words: Sequence[Word],
    user_end: float,
    options: TakeOverOptions = TakeOverOptions(),
) -> SmoothTurnCounts:
    """Score one sample (v1, "smooth turn taking"; eval_smooth_turn_taking.py).

    The latency is that of takeovers only, and words before the user's end count too.

    Args:
        words: of the agent, in time order.
        user_end: annotated end of the user's turn, in seconds.
        options: of the takeover.
    """
    taken = takes_over(words, options)
    latency = words[0].start - user_end if taken else None
    return SmoothTurnCounts(TakeOverCounts.of(taken), latency_of(latency))
