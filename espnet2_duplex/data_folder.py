"""Kaldi-style text files of a data folder, sorted by key."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from espnet2_duplex.jsonl import read_text, write_text


def write_table(path: Path, table: Mapping[str, str]) -> None:
    """Write one "key value" line each, sorted by key, atomically."""
    lines = [f"{key} {value}\n" for key, value in sorted(table.items())]
    write_text(path, "".join(lines))


def read_table(path: Path) -> dict[str, str]:
    """Read "key value" lines.

    Raises:
        ValueError: if the file is missing or empty, a line has no value or a key comes
            twice; names the line.
    """
    lines = read_text(path).rstrip("\n").split("\n")
    if lines == [""]:
        raise ValueError(f"{path} is empty; run the stage that writes it again.")
    table: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        words = line.split(maxsplit=1)
        if len(words) < 2:
            raise ValueError(
                f"{path}, line {number} reads {line!r}; expected a key and a value."
            )
        key, value = words
        if key in table:
            raise ValueError(
                f"{path}, line {number} has the key {key} again; keep one of the lines."
            )
        table[key] = value.rstrip()
    return table


def read_tables(
    folder: Path, required: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, dict[str, str]]:
    """Tables of a data folder by name, with the same ids in all of them.

    Args:
        folder: of the set.
        required: names of files, the one that has the ids first.
        optional: files that may be absent.

    Raises:
        ValueError: a file is missing or not as :func:`read_table` wants it, or lacks an
            id of another one.
    """
    names = [*required, *(name for name in optional if (folder / name).is_file())]
    tables = {name: read_table(folder / name) for name in names}
    first = required[0]
    for name, table in tables.items():
        odd = sorted(table.keys() ^ tables[first].keys())
        if odd:
            where = folder / (name if odd[0] not in table else first)
            raise ValueError(
                f"{where} lacks the conversation {odd[0]}; give every file of {folder} "
                "the same ids."
            )
    return tables


def read_keys(path: str | Path) -> tuple[str, ...]:
    """Ids of a key file, the first word of every line as in ESPnet.

    Raises:
        ValueError: there are none, or one stands there twice.
    """
    keys = [line.split()[0] for line in read_text(path).splitlines() if line.strip()]
    if not keys:
        raise ValueError(f"{path} names no conversation; give a file with ids")
    doubled = [key for key, num in Counter(keys).items() if num > 1]
    if doubled:
        raise ValueError(
            f"{path} has the key {doubled[0]} again; keep one of the lines"
        )
    return tuple(keys)


def write_speakers(folder: Path, speakers: Mapping[str, str]) -> None:
    """Write utt2spk and spk2utt from id -> speaker."""
    utterances: dict[str, list] = {}
    for key, speaker in sorted(speakers.items()):
        utterances.setdefault(speaker, []).append(key)
    write_table(folder / "utt2spk", speakers)
    write_table(
        folder / "spk2utt", {spk: " ".join(keys) for spk, keys in utterances.items()}
    )
