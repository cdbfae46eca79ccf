"""Stretches of time as arrays of whole microseconds, to compare all with all."""

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from espnet2_duplex.timing import microseconds


class Span(Protocol):
    """Anything with a start and an end in seconds: a Segment, a Turn, an Event."""

    start: float
    end: float


def in_microseconds(spans: Iterable[Span]) -> tuple[np.ndarray, np.ndarray]:
    """Starts (N,) and ends (N,) int64 in whole microseconds, in time order."""
    times = sorted((microseconds(span.start), microseconds(span.end)) for span in spans)
    starts, ends = np.array(times, dtype=np.int64).reshape(-1, 2).T
    return starts, ends


def first_in_rows(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of `mask` (N, M) that have a True, and the column of the first in each."""
    rows, columns = np.nonzero(mask)
    is_first = np.diff(rows, prepend=-1) > 0
    return rows[is_first], columns[is_first]
