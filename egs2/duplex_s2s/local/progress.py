"""Progress bars that are readable in log files, too."""

import sys
from collections.abc import Iterable

from tqdm import tqdm

SECONDS_ON_SCREEN = 0.5
SECONDS_IN_LOG = 10.0  # between lines: a job's log is kept


def progress[T](
    items: Iterable[T], title: str, total: int | None = None, num_done: int = 0
) -> Iterable[T]:
    """The items, with a bar on stderr, or a line each ten seconds where that is a file.

    Args:
        items: in any order.
        title: what is done with them.
        total: their number, together with those that are done; None asks `items`.
        num_done: done by an earlier run.
    """
    return _bar(items, title, total, num_done)


def progress_bar(title: str, total: int, num_done: int = 0) -> tqdm:
    """The same bar for work that is no loop; `update` moves it on, `with` ends it."""
    return _bar(None, title, total, num_done)


def _bar(items: Iterable | None, title: str, total: int | None, num_done: int) -> tqdm:
    pace = SECONDS_ON_SCREEN if sys.stderr.isatty() else SECONDS_IN_LOG
    return tqdm(items, title, total=total, initial=num_done, mininterval=pace)
