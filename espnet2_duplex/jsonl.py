"""JSON lines and other text files, written atomically and read with clear errors."""

import json
from collections.abc import Iterable
from pathlib import Path

from espnet2_duplex.atomic import replacing


def write_text(path: Path, text: str) -> None:
    """Write a whole text file or leave what was there."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_text(path: Path) -> str:
    """Read a UTF-8 file.

    Raises:
        ValueError: it is missing, or a byte is not UTF-8; names file and line.
    """
    if not Path(path).is_file():
        raise ValueError(
            f"{path} does not exist; run the stage that writes it, or correct the path "
            "if it is a file of your own."
        )
    content = Path(path).read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise ValueError(
            f"{path}, line {line} has the byte {content[problem.start]:#04x}, which is "
            "not UTF-8; convert the file, for example with iconv -t UTF-8."
        ) from problem


def write_jsonl(path: Path, rows: Iterable[dict]) -> None:
    """Write one JSON object a line."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    write_text(path, "".join(lines))


def read_jsonl(path: Path) -> list[dict]:
    """Read one JSON object a line; empty lines are passed over.

    Raises:
        ValueError: if the file is missing or not UTF-8, or a line is not a JSON object.
    """
    # Not splitlines(): it also splits at characters that may stand inside a text.
    lines = enumerate(read_text(path).split("\n"), 1)
    return [
        parse_object(line, f"{path}, line {number}")
        for number, line in lines
        if line.strip()
    ]


def parse_object(line: str, where: str) -> dict:
    """The JSON object of one line.

    Args:
        line: of JSON lines.
        where: file and line, for errors.

    Raises:
        ValueError: it is not a JSON object.
    """
    try:
        row = json.loads(line)
    except json.JSONDecodeError as problem:
        raise ValueError(
            f"{where} is not valid JSON ({problem.msg} at column {problem.colno}); "
            "write one JSON object a line."
        ) from problem
    if not isinstance(row, dict):
        raise ValueError(
            f"{where} holds a {type(row).__name__}; write one JSON object a line."
        )
    return row
