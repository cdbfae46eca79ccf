"""The layouts of a set, one JSON a line, and where the wavs of each are."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from espnet2_duplex.atomic import replacing
from espnet2_duplex.simulation.layout import Layout

FOLDER_SIZE = 1000  # conversations in one folder: file systems dislike a million


def layouts_path(local: Path, name: str) -> Path:
    """Place of the layouts of a set."""
    return local / "layouts" / f"{name}.jsonl"


def wav_path(folder: Path, number: int, id: str, role: str, suffix: str) -> Path:
    """Place of one stream of the set's `number`-th conversation."""
    part = f"{number // FOLDER_SIZE:04d}"
    return folder / "wav" / part / f"{id}_{role}.{suffix}"


def write_layouts(path: Path, layouts: Iterable[Layout]) -> None:
    """Write one layout a line."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for layout in layouts:
            file.write(layout.to_json() + "\n")


def count_layouts(path: Path) -> int:
    """How many a file holds.

    Raises:
        ValueError: there is no such file.
    """
    with _opened(path) as file:
        return sum(1 for _ in file)


def read_layouts(
    path: Path, job: int = 1, num_jobs: int = 1
) -> Iterator[tuple[int, Layout]]:
    """Every `num_jobs`-th layout of a file, with its number, from 0 on.

    Args:
        path: the file.
        job: which share, from 1 on.
        num_jobs: number of shares.

    Raises:
        ValueError: there is no such file, or a line is no layout; names it.
    """
    with _opened(path) as file:
        for number, line in enumerate(file):
            if number % num_jobs == job - 1:
                yield number, _parsed(line, path, number + 1)


def _opened(path: Path):
    if not path.is_file():
        raise ValueError(f"{path} does not exist; run local/data.sh --stage 3.")
    return path.open("rb")


def _parsed(line: bytes, path: Path, number: int) -> Layout:
    try:
        return Layout.from_json(line.decode("utf-8"))
    except (ValueError, KeyError, TypeError) as problem:
        raise ValueError(
            f"{path}, line {number} is no layout of a conversation ({problem}); run "
            "local/data.sh --stage 3 to draw all anew."
        ) from problem
