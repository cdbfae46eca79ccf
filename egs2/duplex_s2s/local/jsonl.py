"""JSON lines and other text files of the recipe, written atomically."""

import json
from pathlib import Path
from typing import Dict, Iterable, List

from espnet2_duplex.atomic import replacing


def write_text(path: Path, text: str) -> None:
    """Write a whole text file or leave what was there."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_jsonl(path: Path, rows: Iterable[Dict]) -> None:
    """Write one JSON object a line."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    write_text(path, "".join(lines))


def read_jsonl(path: Path) -> List[Dict]:
    """Read one JSON object a line.

    Raises:
        ValueError: if the file is missing or a line is not a JSON object.
    """
    if not path.is_file():
        raise ValueError(f"{path} does not exist; run the stage that writes it first.")
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as problem:
            raise ValueError(
                f"{path}, line {number} is not valid JSON ({problem.msg} at column "
                f"{problem.colno}); write one JSON object a line."
            ) from problem
        if not isinstance(row, dict):
            raise ValueError(
                f"{path}, line {number} holds a {type(row).__name__}; write one JSON "
                "object a line."
            )
        rows.append(row)
    return rows
