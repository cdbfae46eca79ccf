"""Data sets as they are published: JSON or JSON lines, plain or gzipped."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from espnet2_duplex.jsonl import parse_object


def open_text(path: Path) -> TextIO:
    """Open a UTF-8 file, through gzip if its name ends so."""
    opener = gzip.open if path.suffix == ".gz" else open
    return opener(path, "rt", encoding="utf-8")


def is_json_lines(path: Path) -> bool:
    """Whether the first line is an object of its own and another line follows it."""
    with open_text(path) as stream:
        try:
            first = json.loads(stream.readline())
            return isinstance(first, dict) and bool(stream.readline().strip())
        except (json.JSONDecodeError, UnicodeDecodeError):
            return False


def load_json(path: Path) -> object:
    """The whole file.

    Raises:
        ValueError: it is not UTF-8 or not JSON.
    """
    with open_text(path) as stream:
        try:
            return json.load(stream)
        except json.JSONDecodeError as problem:
            raise ValueError(
                f"{path} is neither JSON nor JSON lines ({problem.msg} at line "
                f"{problem.lineno}); give the file as it is published."
            ) from problem
        except UnicodeDecodeError as problem:
            raise _not_utf8(path) from problem


def _not_utf8(path: Path) -> ValueError:
    return ValueError(
        f"{path} is not UTF-8; convert it, for example with iconv -t UTF-8."
    )


def read_lines(path: Path) -> Iterator[tuple[str, dict]]:
    """(where, object) of every line; `where` names file and line.

    Raises:
        ValueError: a line is no JSON object, or the file is not UTF-8.
    """
    with open_text(path) as stream:
        try:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    where = f"{path}, line {number}"
                    yield where, parse_object(line, where)
        except UnicodeDecodeError as problem:
            raise _not_utf8(path) from problem


def read_objects(path: Path) -> Iterator[tuple[str, dict]]:
    """(where, object) of a JSON list or of JSON lines.

    Raises:
        ValueError: it is neither.
    """
    if is_json_lines(path):
        yield from read_lines(path)
        return
    items = load_json(path)
    if isinstance(items, dict):
        items = [items]
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
