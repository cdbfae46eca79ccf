"""How often each value occurred: a histogram that adds and still gives percentiles."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_args

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


def counts_to_dict(counts: Counts) -> dict[str, Any]:
    """Field -> value, for JSON; counters are sorted by their keys.

    ``dataclasses.asdict`` would count the pairs of a counter instead of copying them.
    """
    stored: dict[str, Any] = {}
    for known in fields(counts):
        value = getattr(counts, known.name)
        if isinstance(value, Counts):
            value = counts_to_dict(value)
        elif isinstance(value, Counter):
            value = dict(sorted(value.items()))
        stored[known.name] = value
    return stored


def counts_from_dict(kind: type[Counts], stored: Mapping[str, Any]) -> Any:
    """Inverse of :func:`counts_to_dict`, also after JSON.

    Args:
        kind: class of the counts.
        stored: field -> value; the keys of counters may have become texts.

    Raises:
        ValueError: a field is missing.
    """
    values = {}
    for known in fields(kind):
        if known.name not in stored:
            raise ValueError(
                f"counts of {kind.__name__} lack {known.name!r}; make the report that "
                "they come from again"
            )
        values[known.name] = _restored(known.type, stored[known.name])
    return kind(**values)


def _restored(kind: Any, value: Any) -> Any:
    if get_args(kind):  # Counter[key]
        (key_type,) = get_args(kind)
        return Counter({key_type(key): count for key, count in value.items()})
    if issubclass(kind, Counts):
        return counts_from_dict(kind, value)
    return kind(value)
