"""Where a set lies, what went wrong in it, and how long its scoring took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class SetToScore:
    """Where a set lies.

    Attributes:
        decoded: <decode dir>/<set>.
        data: <data dir>/<set>.
        output: gets what scoring writes: `decoded`, or the folder of a part.
        keys: conversations to score; None: all of the data.
    """

    decoded: Path
    data: Path
    output: Path
    keys: tuple[str, ...] | None = None


@dataclass
class Stopwatch:
    """Seconds that each part of the work took, by its name."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add what happens inside."""
        start = time.perf_counter()
        yield
        passed = time.perf_counter() - start
        self.seconds[name] = self.seconds.get(name, 0.0) + passed

    def line(self) -> str:
        """All parts in one line."""
        parts = (f"{name} {seconds:.1f} s" for name, seconds in self.seconds.items())
        return ", ".join(parts)


@dataclass(frozen=True)
class Outcome:
    """What went wrong in a set; the rest is scored nevertheless.

    Attributes:
        problems: of conversations that could not be scored, in sentences.
        judge_problem: why there is no GPT score although one was asked for.
    """

    problems: tuple[str, ...]
    judge_problem: str | None
