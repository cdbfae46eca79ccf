"""A mean over samples that adds, and more that is said of latencies."""

import statistics
from dataclasses import dataclass

from espnet2_duplex.metrics.counts import Counts, Latencies
from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, microseconds


@dataclass(frozen=True)
class Average(Counts):
    """Mean of one value per sample, each kept to a millionth.

    Full-Duplex-Bench averages rates of samples, long and short ones alike.

    Attributes:
        num: values.
        millionths: their sum; whole numbers add to the same sum in every order.
    """

    num: int = 0
    millionths: int = 0

    @classmethod
    def of(cls, value: float | None) -> "Average":
        """Of one value; of none where it is None."""
        return cls() if value is None else cls(1, microseconds(value))

    @property
    def mean(self) -> float | None:
        """None without values."""
        return (
            self.millionths / self.num / MICROSECONDS_PER_SECOND if self.num else None
        )


def clipped_mean(latencies: Latencies) -> float | None:
    """Mean in seconds with negative latencies counted as 0; None without any."""
    if not latencies.microseconds:
        return None
    total = sum(max(0, time) for time in latencies.microseconds)
    return total / len(latencies) / MICROSECONDS_PER_SECOND


def deviation(latencies: Latencies) -> float | None:
    """Standard deviation of a sample, in seconds; None with fewer than two."""
    return statistics.stdev(latencies.seconds) if len(latencies) > 1 else None


def latency_of(seconds: float | None) -> Latencies:
    """One latency, or none where it is None."""
    return Latencies() if seconds is None else Latencies((microseconds(seconds),))
