"""Checkpoints that a kill cannot leave half written.

ESPnet's trainers call `torch.save` on the final names: a process killed while it
writes checkpoint.pth cannot resume, and one killed between checkpoint.pth and the
epoch's own weights lacks these for ever after.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import torch

_CHECKPOINT = "checkpoint.pth"


@contextlib.contextmanager
def atomic_torch_save() -> Iterator[None]:
    """Let every `torch.save` to a path be complete or absent while inside.

    A checkpoint.pth appears after the file that is saved next, the weights of the
    epoch which it declares done: whoever resumes from it finds them.
    """
    plain_save = torch.save
    waiting: list[Path] = []

    def save(obj, f, *args, **kwargs):
        if not isinstance(f, (str, os.PathLike)):
            return plain_save(obj, f, *args, **kwargs)
        path = Path(f)
        plain_save(obj, _temporary(path), *args, **kwargs)
        if path.name == _CHECKPOINT:
            waiting.append(path)
            return None
        os.replace(_temporary(path), path)
        _release(waiting)
        return None

    torch.save = save
    try:
        yield
        _release(waiting)
    finally:
        torch.save = plain_save


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _release(waiting: list[Path]) -> None:
    """Give the checkpoints that wait their final names."""
    while waiting:
        path = waiting.pop()
        os.replace(_temporary(path), path)
