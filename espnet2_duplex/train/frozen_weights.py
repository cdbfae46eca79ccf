"""Frozen weights are written once, not with every checkpoint.

A frozen encoder or a frozen LLM under adapters is the same in all files of a training.
It goes into frozen.pth beside them; whoever reads a checkpoint puts it back.
DeepSpeed's checkpoints, a folder each, keep all weights.
"""

import contextlib
import logging
import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

FROZEN_FILE = "frozen.pth"
_MARK = "frozen"


def mark_frozen(model: torch.nn.Module) -> None:
    """Let the state dict of `model` say from now on which of its weights are frozen."""
    model.register_state_dict_post_hook(_mark)


def _mark(module, state_dict, prefix, local_metadata) -> None:
    names = module.named_parameters(prefix.rstrip("."), remove_duplicate=False)
    frozen = [name for name, weight in names if not weight.requires_grad]
    if frozen:
        local_metadata[_MARK] = frozen


@contextlib.contextmanager
def frozen_weights_apart() -> Iterator[None]:
    """Keep marked weights in frozen.pth while inside, whoever saves and loads.

    A weight that differs from the one in frozen.pth stays in its checkpoint, and the
    checkpoint's counts: what is loaded is what was saved.
    """
    plain_save, plain_load = torch.save, torch.load

    def save(obj, f, *args, **kwargs):
        if isinstance(f, (str, os.PathLike)):
            obj = _without_frozen(obj, Path(f).parent / FROZEN_FILE, plain_save)
        return plain_save(obj, f, *args, **kwargs)

    def load(f, *args, **kwargs):
        obj = plain_load(f, *args, **kwargs)
        if isinstance(f, (str, os.PathLike)) and Path(f).name != FROZEN_FILE:
            file = Path(f).parent / FROZEN_FILE
            if file.exists() and isinstance(obj, dict):
                frozen = plain_load(file, *args, **kwargs)
                _put_back(_weights(obj), frozen)
        return obj

    torch.save, torch.load = save, load
    try:
        yield
    finally:
        torch.save, torch.load = plain_save, plain_load


def _weights(obj: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights of a checkpoint, or of the file of an epoch, which is nothing else."""
    return obj["model"] if isinstance(obj.get("model"), dict) else obj


def _put_back(
    weights: dict[str, torch.Tensor], frozen: Mapping[str, torch.Tensor]
) -> None:
    for name, value in frozen.items():
        weights.setdefault(name, value)


def _without_frozen(obj: Any, file: Path, plain_save) -> Any:
    """`obj` without the weights that stand in `file`, which is written if absent."""
    if not isinstance(obj, dict):
        return obj
    weights = _weights(obj)
    metadata = getattr(weights, "_metadata", {})
    names = metadata.get("", {}).get(_MARK, [])
    if not names:
        return obj
    if not file.exists():
        plain_save({name: weights[name] for name in names}, file)
    stored = torch.load(file, map_location="cpu", mmap=True, weights_only=True)
    same = {name for name in names if _same(weights[name], stored.get(name))}
    if len(same) < len(names):
        logging.warning(
            f"{len(names) - len(same)} frozen weights differ from those in {file}, "
            "of an earlier training; they are written to every checkpoint"
        )
    rest = OrderedDict((name, weights[name]) for name in weights if name not in same)
    rest._metadata = OrderedDict(metadata)
    rest._metadata[""] = {k: v for k, v in metadata[""].items() if k != _MARK}
    return rest if weights is obj else {**obj, "model": rest}


def _same(weight: torch.Tensor, stored: torch.Tensor | None) -> bool:
    return stored is not None and torch.equal(weight.cpu(), stored)
