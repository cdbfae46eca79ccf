"""Weights of a finished or running training, read whole and put into a model."""

import contextlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import torch
from espnet2.torch_utils.safe_torch_load import safe_torch_load

from espnet2_duplex.train.frozen_weights import frozen_weights_apart

# How torch's load_state_dict words it.
_MISMATCH = re.compile(
    r"size mismatch for (\S+): copying a param with shape torch.Size\(\[(.*?)\]\) from "
    r"checkpoint, the shape in current model is torch.Size\(\[(.*?)\]\)"
)


def read_weights(model_file: str | Path, device: str) -> dict[str, torch.Tensor]:
    """All weights of a checkpoint, those of frozen.pth beside it among them."""
    with frozen_weights_apart():
        weights = safe_torch_load(model_file, map_location=device)
    for wrapper in ("module", "state_dict"):  # DeepSpeed's and Lightning's files
        if wrapper in weights:
            weights = weights[wrapper]
    return weights


def load_weights(model: torch.nn.Module, model_file: str | Path, device: str) -> None:
    """Load a checkpoint into the model that its configuration describes.

    Raises:
        ValueError: If it lacks weights, or if they are of another shape.
    """
    weights = read_weights(model_file, device)
    own = model.state_dict()
    missing = [name for name in own if name not in weights]
    if missing:
        raise ValueError(
            f"{model_file} lacks {len(missing)} of the model's weights, such as "
            f"{missing[0]}; give the config.yaml of its training, and the frozen.pth "
            "beside it if the training wrote one"
        )
    for name, value in own.items():
        shape = tuple(weights[name].shape)
        if shape != tuple(value.shape):
            raise ValueError(
                f"{model_file}: {name} has shape {shape} but the configuration makes it "
                f"{tuple(value.shape)}; {_remedy(name, shape)}"
            )
    unknown = sorted(set(weights) - set(own))
    if unknown:
        logging.warning(
            f"{model_file} has {len(unknown)} weights that the model does not have, "
            f"such as {unknown[0]}; they are left out"
        )
    model.load_state_dict({name: weights[name] for name in own})


@contextlib.contextmanager
def loading_explained() -> Iterator[None]:
    """Say what to do about weights of another shape that ESPnet loads inside.

    Raises:
        ValueError: In place of torch's RuntimeError.
    """
    try:
        yield
    except RuntimeError as error:
        found = _MISMATCH.search(str(error))
        if found is None:
            raise
        name, given, own = found.groups()
        shape = tuple(int(size) for size in re.findall(r"\d+", given))
        raise ValueError(
            f"a checkpoint to start from has {name} of shape ({given}) but the "
            f"configuration makes it ({own}); {_remedy(name, shape)}, or train anew in "
            "another folder (init_param: leave the part out, or set ignore_init_mismatch)"
        ) from error


def _remedy(name: str, shape: tuple[int, ...]) -> str:
    """What differs, by the name of the weight and its shape in the file."""
    if shape == (0,):
        return (
            "it is one process's share of a ZeRO-3 checkpoint; join the shares with "
            "zero_to_fp32.py, which is in the folder checkpoint_N above it, and give "
            "the file that it writes"
        )
    if "speech_head" in name or "speech_embedding" in name:
        return "it was trained with another codec; give the codec of its training"
    if "backbone.llm" in name:
        return (
            "it was trained with another tokenizer or another LLM; give the tokenizer "
            "and the config.yaml of its training"
        )
    return "give the config.yaml of its training"
