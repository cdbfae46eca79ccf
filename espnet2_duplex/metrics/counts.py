"""Counts that add; rates come last and may be undefined."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import zip_longest
from typing import Any, Self

import numpy as np

from espnet2_duplex.metrics.stored_counts import restored, stored
from espnet2_duplex.timing import MICROSECONDS_PER_SECOND


@dataclass(frozen=True)
class Counts:
    """Base of all statistics: adding two adds each field.

    Every field of a subclass has a default that is neutral, so that ``pooled(parts,
    Subclass())`` pools conversations, sets or jobs. Rates are properties of the pooled
    counts; a mean of rates would weigh a conversation with one event like one with
    thirty.
    """

    def __add__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        return type(self)(
            *(
                getattr(self, field.name) + getattr(other, field.name)
                for field in fields(self)
            )
        )

    def to_dict(self) -> dict[str, Any]:
        """Field -> value, as it comes back from JSON; counters sorted by their keys."""
        return stored(self)

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Inverse of :meth:`to_dict`, also after JSON.

        Args:
            values: field -> value, of every field.

        Raises:
            ValueError: a field is missing, unknown or of another kind; the message
                names it with the fields that it lies in.
        """
        return restored(cls, values, cls.__name__)


def pooled[C: Counts](parts: Iterable[C], empty: C) -> C:
    """Sum of any number of counts, `empty` without any.

    Neighbours are added in pairs, then the sums of pairs, and so on: one after the
    other, each sum would copy all latencies before it.
    """
    sums = list(parts)
    while len(sums) > 1:
        pairs = zip_longest(sums[::2], sums[1::2], fillvalue=empty)
        sums = [first + second for first, second in pairs]
    return sums[0] if sums else empty


@dataclass(frozen=True)
class Latencies(Counts):
    """Times that were measured, signed.

    Attributes:
        microseconds: one whole number per event, ascending. Whole numbers add to the
            same sum in every order, and kept one by one they still give a median after
            sets are merged.
    """

    microseconds: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "microseconds", tuple(sorted(self.microseconds)))

    def __len__(self) -> int:
        return len(self.microseconds)

    @property
    def seconds(self) -> list[float]:
        """The times in seconds, ascending."""
        return [time / MICROSECONDS_PER_SECOND for time in self.microseconds]

    @property
    def mean(self) -> float | None:
        """Seconds; None without events."""
        if not self.microseconds:
            return None
        return sum(self.microseconds) / len(self) / MICROSECONDS_PER_SECOND

    @property
    def median(self) -> float | None:
        """Seconds; None without events."""
        return statistics.median(self.seconds) if self.microseconds else None

    @property
    def p90(self) -> float | None:
        """90th percentile in seconds, linear between events; None without events."""
        if not self.microseconds:
            return None
        return float(np.percentile(self.seconds, 90))

    @property
    def mean_not_negative(self) -> float | None:
        """Seconds, of those from the reference point on; None without such events."""
        return Latencies(time for time in self.microseconds if time >= 0).mean

    @property
    def num_negative(self) -> int:
        """Events that lie before their reference point."""
        return sum(time < 0 for time in self.microseconds)


def share(part: int, whole: int) -> float | None:
    """``part / whole``, None where there is no whole."""
    return part / whole if whole else None
