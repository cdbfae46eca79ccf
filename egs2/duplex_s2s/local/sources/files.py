"""Files of a source: one, a list of them, or all that match a pattern."""

import glob
from collections.abc import Iterator
from pathlib import Path

from sources.rows import Job

Paths = str | tuple[str, ...]  # of an option; a list in the YAML


def listed_paths(paths: Paths) -> tuple[str, ...]:
    """One path or several as several.

    Raises:
        ValueError: there is none.
    """
    listed = (paths,) if isinstance(paths, str) else paths
    if not listed:
        raise ValueError("A list of paths in the corpus YAML is empty; name a file.")
    return listed


def find_files(paths: Paths, job: Job) -> list[Path]:
    """`Job.find` of each path; a pattern stands for all that match.

    Args:
        paths: one or several, perhaps with "*", "?" or "**".
        job: knows where to look.
    Returns:
        In the given order, those of a pattern sorted, each once.
    Raises:
        ValueError: one does not exist, or a pattern matches nothing.
    """
    found = [file for path in listed_paths(paths) for file in _matches(path, job)]
    return list(dict.fromkeys(found))


def _matches(path: str, job: Job) -> list[Path]:
    is_name = any((folder / path).exists() for folder in (job.out, Path()))
    for folder in (job.out, Path()) if glob.has_magic(path) and not is_name else ():
        found = glob.glob(str(folder / path), recursive=True)
        if found:
            return sorted(map(Path, found))
    return [job.find(path)]


def numbered_files(paths: Paths, job: Job) -> Iterator[tuple[str, Path]]:
    """(what the keys of its rows begin with, file) of each file.

    That is nothing for the first one, so that its ids stay when others are added, and
    the file's number for later ones.

    Raises:
        ValueError: as `find_files`.
    """
    for number, path in enumerate(find_files(paths, job)):
        yield (f"{number}_" if number else ""), path
