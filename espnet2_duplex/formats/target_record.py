"""What the files of a target were made from, so that only what differs is made again."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from espnet2_duplex.formats.sounds import Sound
from espnet2_duplex.jsonl import write_text

RECORD = ".sources"  # no .jsonl: moshi-finetune's folders have one of these


@dataclass(frozen=True)
class _Entry:
    """A file as it was when it had been written.

    Attributes:
        size: in bytes.
        modified: in nanoseconds since the epoch.
        origin: what it was made from; None of files that are written anew each time.
    """

    size: int
    modified: int
    origin: object


class TargetRecord:
    """The files that were written below a folder, and what each was made from.

    One JSON line is added after each file, so that a run which is killed is continued.
    At the end of a run, the files of the run before that it did not write are removed,
    unless somebody has changed them since.

    Args:
        root: of the files.
        path: of the record; by default ``<root>/.sources``.
    """

    def __init__(self, root: Path, path: Path | None = None) -> None:
        self._root = Path(root)
        self._path = path or self._root / RECORD
        self._entries = self._read()
        self._names: set[str] = set()  # of the files of this run

    def origin(self, path: Path) -> object:
        """What a file was made from; None if it is absent or no longer that file."""
        entry = self._entries.get(self._name(path))
        return entry.origin if entry and entry == _entry(path, entry.origin) else None

    def add(self, path: Path, origin: object = None) -> None:
        """Note a file that this run has written or kept.

        Args:
            path: below the root.
            origin: what it was made from, in JSON's types.
        """
        name, entry = self._name(path), _entry(path, origin)
        self._names.add(name)
        if self._entries.get(name) == entry:
            return
        self._entries[name] = entry
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(_line(name, entry))

    def keep(self, path: Path) -> None:
        """Leave a file where it is, if it is one of an earlier run."""
        path, root = (Path(os.path.abspath(p)) for p in (path, self._root))
        if path.is_relative_to(root):
            self._names.add(path.relative_to(root).as_posix())

    def finish(self) -> None:
        """Remove what only earlier runs have written, and what they left half."""
        for name in sorted(self._entries.keys() - self._names):
            path, entry = self._root / name, self._entries.pop(name)
            if entry == _entry(path, entry.origin):
                path.unlink()
                _remove_empty(path.parent, self._root)
        # Halves of files, of runs that were killed.
        for path in [*self._root.rglob(".*.tmp"), *self._halves_of_itself()]:
            path.unlink(missing_ok=True)
        self._write()

    def _halves_of_itself(self) -> Iterator[Path]:
        return self._path.parent.glob(f".{self._path.name}.*.tmp")

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _write(self) -> None:
        lines = [_line(name, entry) for name, entry in sorted(self._entries.items())]
        write_text(self._path, "".join(lines))

    def _read(self) -> dict[str, _Entry]:
        if not self._path.is_file():
            return {}
        content, entries, is_whole = self._path.read_bytes(), {}, True
        for line in content.splitlines():
            try:
                name, *fields = json.loads(line)
                entries[name] = _Entry(*fields)
            except (ValueError, TypeError):  # cut off; its file is made again
                is_whole = False
        if not is_whole or not content.endswith(b"\n"):
            self._entries = entries
            self._write()
        return entries


def origin_of(sounds: Sequence[Sound], sample_rate: object) -> list:
    """What the samples of a file depend on, in JSON's types.

    Args:
        sounds: its channels.
        sample_rate: of the file, in Hz, or those of several.
    """
    return [sample_rate, [_stretch_of(sound) for sound in sounds]]


def _stretch_of(sound: Sound) -> list:
    """File, its size and time, the stretch of it, rate in Hz, and samples."""
    file = None
    if sound.path is not None and sound.path.is_file():
        stat = sound.path.stat()
        file = [os.path.abspath(sound.path), stat.st_size, stat.st_mtime_ns]
    return [file, list(sound.part), sound.sample_rate, sound.num_samples]


def _entry(path: Path, origin: object) -> _Entry | None:
    if not path.is_file():
        return None
    stat = path.stat()
    return _Entry(stat.st_size, stat.st_mtime_ns, origin)


def _line(name: str, entry: _Entry) -> str:
    fields = [name, entry.size, entry.modified, entry.origin]
    return json.dumps(fields, ensure_ascii=False) + "\n"


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
