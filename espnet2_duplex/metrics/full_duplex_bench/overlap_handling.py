"""All that v1.5 says of a sample: timing, behaviour, speaking rate."""

from collections.abc import Sequence
from dataclasses import dataclass

from espnet2_duplex.metrics.counts import Counts
from espnet2_duplex.metrics.full_duplex_bench.average import Average
from espnet2_duplex.metrics.full_duplex_bench.behaviour import BehaviourCounts
from espnet2_duplex.metrics.full_duplex_bench.timing_v15 import TimingCounts
from espnet2_duplex.words import Word


@dataclass(frozen=True)
class OverlapCounts(Counts):
    """Counts of v1.5.

    Attributes:
        num_samples: recordings with an overlap.
        timing: of both speakers in these.
        behaviour: labels.
        words_per_minute: of the agent, with the overlap.
        words_per_minute_clean: of the agent, without it.
    """

    num_samples: int = 0
    timing: TimingCounts = TimingCounts()
    behaviour: BehaviourCounts = BehaviourCounts()
    words_per_minute: Average = Average()
    words_per_minute_clean: Average = Average()

    def figures(self, mode: str) -> dict:
        """See `BenchCounts`."""
        return {
            "num_samples": self.num_samples,
            **self.timing.figures(mode),
            **self.behaviour.figures(),
            "words_per_minute": self.words_per_minute.mean,
            "words_per_minute_clean": self.words_per_minute_clean.mean,
        }

    def changes(self) -> list[str]:
        """See `BenchCounts`."""
        return self.timing.changes()


def speaking_rate(words: Sequence[Word]) -> float | None:
    """Words per minute from the first start to the last end; None without length.

    Full-Duplex-Bench v1.5 compares it before and after the overlap
    (eval_general_before_after.py); here it is that of the whole recording.
    """
    if not words or words[-1].end <= words[0].start:
        return None
    return len(words) / (words[-1].end - words[0].start) * 60
