"""Files of a conversion: JSON with clear errors, and sound that need not be redone."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import soundfile

from espnet2_duplex.formats.sounds import Sound
from espnet2_duplex.jsonl import read_text, write_text


def read_json(path: Path, expected: type | tuple[type, ...]) -> object:
    """Parse a JSON file.

    Args:
        path: UTF-8.
        expected: dict, list or both.

    Raises:
        ValueError: it is missing, not UTF-8, not JSON, or something else.
    """
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


def is_current(path: Path, sounds: Iterable[Sound], shape: tuple, rate: int) -> bool:
    """Whether a sound file of an earlier run can stay.

    Args:
        path: the file.
        sounds: what it is made from; it must not be older than their files.
        shape: (N,) or (N, channels) that it must have.
        rate: in Hz, that it must have.
    """
    if not path.is_file():
        return False
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError:
        return False  # it is written again
    num_channels = shape[1] if len(shape) > 1 else 1
    if (info.frames, info.channels, info.samplerate) != (shape[0], num_channels, rate):
        return False
    written = path.stat().st_mtime_ns
    return all(
        sound.path is None or sound.path.stat().st_mtime_ns <= written
        for sound in sounds
    )
