"""Data sets as they are published: JSON or JSON lines, plain or gzipped."""

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from espnet2_duplex.jsonl import parse_object

GZIP_MAGIC = b"\x1f\x8b"
PARQUET_MAGIC = b"PAR1"
HEAD_CHARACTERS = 65536  # of the first line; a corpus may be one line of gigabytes


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """A UTF-8 file, with or without a byte order mark, through gzip if it is gzipped.

    Raises:
        ValueError: it is a folder, Parquet, not UTF-8, or a gzip file that is cut short
            or damaged; also if that is found out while it is read.
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder; name a file in it.")
    with path.open("rb") as stream:
        magic = stream.read(len(PARQUET_MAGIC))
    if magic == PARQUET_MAGIC:
        raise ValueError(
            f'{path} is Parquet; make JSON lines of it: python -c "import pandas; '
            f"pandas.read_parquet('{path}').to_json('{path.with_suffix('.jsonl')}', "
            "orient='records', lines=True)\"."
        )
    opener = gzip.open if magic.startswith(GZIP_MAGIC) else open
    try:
        with opener(path, "rt", encoding="utf-8-sig") as stream:
            yield stream
    except UnicodeDecodeError as problem:
        raise ValueError(
            f"{path} is not UTF-8; convert it, for example with iconv -t UTF-8."
        ) from problem
    except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
        raise ValueError(
            f"{path} is a gzip file that is cut short or damaged ({problem}); fetch it "
            "again."
        ) from problem


def is_json_lines(path: Path) -> bool:
    """Whether the first line begins an object that ends in it, and another line follows.

    An object with a fault counts as ended, so that the fault is found in its line; so
    does one of more than `HEAD_CHARACTERS`, which is not parsed.

    Raises:
        ValueError: as `open_text`.
    """
    with open_text(path) as stream:
        head = stream.read(HEAD_CHARACTERS).lstrip()
        line, end, rest = head.partition("\n")
        if not line.startswith("{"):
            return False
        if not end:
            rest = _after_the_line(stream)
        is_alone = not rest.strip() and not any(map(str.strip, _pieces(stream)))
        return not is_alone and not (end and _goes_on(line))


def _pieces(stream: TextIO) -> Iterator[str]:
    return iter(lambda: stream.read(HEAD_CHARACTERS), "")


def _after_the_line(stream: TextIO) -> str:
    """What was read of the next line when the end of this one was found."""
    for piece in _pieces(stream):
        _, end, rest = piece.partition("\n")
        if end:
            return rest
    return ""


def _goes_on(line: str) -> bool:
    """Whether JSON that begins in a line needs the next ones."""
    line = line.rstrip()
    try:
        json.loads(line)
    except json.JSONDecodeError as problem:
        # A comma before the end is told at its own place.
        return problem.pos >= len(line.rstrip(","))
    return False


def load_json(path: Path) -> object:
    """The whole file.

    Raises:
        ValueError: it is not JSON, or as `open_text`.
    """
    with open_text(path) as stream:
        try:
            return json.load(stream)
        except json.JSONDecodeError as problem:
            raise ValueError(
                f"{path} is neither JSON nor JSON lines ({problem.msg} at line "
                f"{problem.lineno}); give the file as it is published."
            ) from problem


def read_lines(path: Path) -> Iterator[tuple[str, dict]]:
    """(where, object) of every line; `where` names file and line.

    Raises:
        ValueError: a line is no JSON object, or as `open_text`.
    """
    with open_text(path) as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                where = f"{path}, line {number}"
                yield where, parse_object(line, where)


def read_objects(path: Path) -> Iterator[tuple[str, dict]]:
    """(where, object) of a JSON list or of JSON lines.

    Raises:
        ValueError: it is neither, or as `open_text`.
    """
    if is_json_lines(path):
        yield from read_lines(path)
    else:
        yield from objects_of(load_json(path), path)


def objects_of(content: object, path: Path) -> Iterator[tuple[str, dict]]:
    """(where, object) of the JSON of a file: of its list, or the one object it is.

    Raises:
        ValueError: it is neither.
    """
    items = [content] if isinstance(content, dict) else content
    if not isinstance(items, list):
        raise ValueError(f"{path} holds a {type(items).__name__}; expected a list.")
    for number, item in enumerate(items):
        if not isinstance(item, dict):
            raise ValueError(
                f"{path}, item {number} is a {type(item).__name__}; expected an object."
            )
        yield f"{path}, item {number}", item


def text_of(item: dict, key: str, where: str) -> str:
    """A text of an object.

    Raises:
        ValueError: it is absent or no text.
    """
    text = item.get(key)
    if not isinstance(text, str):
        raise ValueError(
            f"{where}: {key} is {text!r}; expected a text, as the data set has it."
        )
    return text
