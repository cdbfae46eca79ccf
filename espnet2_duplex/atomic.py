"""Files that are whole or absent: written beside their place, then renamed into it."""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path to write to, which takes the place of `path` at the end.

    After an error inside, `path` is what it was and nothing is left beside it. The
    folder is made where there is none. Threads, processes and machines that write the
    same file do not disturb each other: the last one's stays.

    Raises:
        OSError: the file cannot be written; where the disk is full it names `path`.

    Examples:
        >>> with replacing("exp/results.json") as temporary:  # doctest: +SKIP
        ...     temporary.write_text("{}")
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as problem:
        # Writing to an open file names none; one that is being read cannot fail so.
        if problem.errno in DISK_FULL and problem.filename in (None, str(temporary)):
            problem.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)
