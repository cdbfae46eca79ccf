"""How often each value occurred: a histogram that adds and still gives percentiles."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from espnet2_duplex.metrics.counts import Counts
from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, microseconds

BIN_MILLIONTHS = 10_000  # 10 ms of a time: an eighth of a frame


@dataclass(frozen=True)
class Distribution(Counts):
    """Values, most often seconds, each to the nearest hundredth.

    Attributes:
        hundredths: value in hundredths -> how often.
        millionths: sum of the values before they were rounded, so that means are exact.
    """

    hundredths: Counter[int] = field(default_factory=Counter)
    millionths: int = 0

    @staticmethod
    def of(values: Iterable[float]) -> "Distribution":
        """Distribution of single values."""
        exact = [microseconds(value) for value in values]
        half = BIN_MILLIONTHS // 2
        bins = Counter((value + half) // BIN_MILLIONTHS for value in exact)
        return Distribution(bins, sum(exact))

    def __len__(self) -> int:
        return self.hundredths.total()

    @property
    def sum(self) -> float:
        """Of all values."""
        return self.millionths / MICROSECONDS_PER_SECOND

    @property
    def mean(self) -> float | None:
        """None without values."""
        return self.sum / len(self) if self.hundredths else None

    def percentile(self, percent: float) -> float | None:
        """Smallest value that `percent` of all do not exceed; None without values.

        Args:
            percent: from 0 (the smallest value) to 100 (the largest).
        """
        needed, seen = percent / 100 * len(self), 0
        for value, count in sorted(self.hundredths.items()):
            seen += count
            if seen >= needed:
                return value / 100
        return None
