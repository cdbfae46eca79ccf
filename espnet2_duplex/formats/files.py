"""JSON files of a conversion, with clear errors."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from espnet2_duplex.jsonl import read_text, write_text


def read_json(path: Path, expected: type | tuple[type, ...]) -> object:
    """Parse a JSON file.

    Args:
        path: UTF-8.
        expected: dict, list or both.

    Raises:
        ValueError: it is missing, not UTF-8, not JSON, or something else.
    """
    if not path.is_file():
        raise ValueError(
            f"{path} does not exist; put it there or leave this conversation out."
        )
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as problem:
        raise ValueError(
            f"{path}, line {problem.lineno} is not valid JSON ({problem.msg} at column "
            f"{problem.colno}); write it again."
        ) from problem
    if not isinstance(content, expected):
        raise ValueError(
            f"{path} holds a JSON {type(content).__name__}, which is not what belongs "
            "there; write it again."
        )
    return content


def write_json(path: Path, content: object) -> None:
    """Write JSON to be read by people too, atomically."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


@contextmanager
def naming(where: object) -> Iterator[None]:
    """Put `where` ahead of the sentence of a ValueError that does not have it yet."""
    try:
        yield
    except ValueError as problem:
        sentence = str(problem)
        if str(where) in sentence:
            raise
        raise ValueError(f"{where}: {sentence}") from problem
