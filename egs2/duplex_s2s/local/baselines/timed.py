"""Results with the time that they took, for systems whose delay is measured."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timed[Value]:
    """A value and the seconds of wall time in which it was first computed."""

    value: Value
    seconds: float


def timed[Value](compute: Callable[[], Value]) -> Timed[Value]:
    """Compute a value and take the time."""
    begin = time.perf_counter()
    value = compute()
    return Timed(value, time.perf_counter() - begin)
