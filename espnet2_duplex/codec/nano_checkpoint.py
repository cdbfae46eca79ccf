"""Read NanoCodecs that NeMo trained: .nemo archives and safetensors files."""

import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
import yaml
from torch import Tensor

from espnet2_duplex.codec.nano_codec import NanoCodec

_CONFIG = "model_config.yaml"
_WEIGHTS = "model_weights.ckpt"
# Discriminators, losses and speaker encoders lie beside these in a checkpoint.
_CODEC_PARTS = ("audio_encoder.", "audio_decoder.", "vector_quantizer.")
# Weight normalization: length and direction, before and since torch 2.0.
_NORM_SUFFIXES = (
    (".weight_g", ".weight_v"),
    (".parametrizations.weight.original0", ".parametrizations.weight.original1"),
)
# NeMo's names become ours by replacing these, in this order.
_RENAMINGS = (
    ("audio_", ""),
    (".pre_conv.", ".inlet."),
    (".post_conv.", ".outlet."),
    (".post_activation.", ".outlet_activation."),
    (".down_sample_conv_layers.", ".samplers."),
    (".up_sample_conv_layers.", ".samplers."),
    (".res_layers.", ".blocks."),
    (".res_blocks.", "."),
    (".input_activation.", ".0."),
    (".input_conv.", ".1."),
    (".skip_activation.", ".2."),
    (".skip_conv.", ".3."),
    (".activation.snake_act.", "."),
    (".conv.", "."),
)


def read_nemo(path: str | Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read configuration and weights of a .nemo archive, and nothing else of it.

    Raises:
        ValueError: If the file is not such an archive.
    """
    if not tarfile.is_tarfile(path):
        raise ValueError(
            f"{path} is not a tar archive; pass the .nemo file as it was downloaded."
        )
    with tarfile.open(path) as archive:
        members = {m.name.removeprefix("./"): m for m in archive if m.isfile()}
        for name in (_CONFIG, _WEIGHTS):
            if name not in members:
                raise ValueError(
                    f"{path} has no member {name}; pass a .nemo file of one model."
                )
        config = yaml.safe_load(archive.extractfile(members[_CONFIG]))
        weights = io.BytesIO(archive.extractfile(members[_WEIGHTS]).read())
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(
            f"{_WEIGHTS} of {path} is not a state dict of tensors; download it again."
        ) from error
    return config, state


def read_safetensors(path: str | Path) -> dict[str, Tensor]:
    """Read a safetensors file of NeMo's tensors under NeMo's names.

    Raises:
        ValueError: If the file is not in that format.
    """
    try:
        return safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise ValueError(
            f"{path} is not a safetensors file ({error}); download it again."
        ) from error


def build_from_nemo(conf: dict[str, Any], state: dict[str, Tensor]) -> NanoCodec:
    """Build a codec with NeMo's weights, weight normalization folded in.

    Args:
        conf: Arguments of NanoCodec.
        state: State dict of NeMo's AudioCodecModel.

    Returns:
        The codec in evaluation mode, without gradients, silence codes measured.

    Raises:
        ValueError: If a tensor is missing, left over, or of another shape.
    """
    codec = NanoCodec(**conf)
    parts = {k: v for k, v in state.items() if k.startswith(_CODEC_PARTS)}
    _take_out_levels(parts, codec)
    weights = {_rename(k): v.float() for k, v in _fold_norm(parts).items()}
    weights["silence_codes"] = codec.silence_codes
    _check_tensors(weights, codec.state_dict())
    codec.load_state_dict(weights)
    codec.eval().requires_grad_(False)
    codec.silence_codes.copy_(codec.measure_silence_codes())
    return codec


def _take_out_levels(parts: dict[str, Tensor], codec: NanoCodec) -> None:
    """Take the quantizers' tensors out; they only repeat the configuration."""
    expected = codec.quantizer.levels
    for name in [k for k in parts if k.startswith("vector_quantizer.")]:
        found = tuple(parts.pop(name).flatten().tolist())
        if name.endswith(".num_levels") and found != expected:
            raise ValueError(
                f"The checkpoint's {name} is {found}, but its configuration has "
                f"{expected}; pass the model_config.yaml of the same model."
            )


def _fold_norm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    state = dict(state)
    for length_suffix, direction_suffix in _NORM_SUFFIXES:
        for name in [k for k in state if k.endswith(direction_suffix)]:
            stem = name.removesuffix(direction_suffix)
            direction = state.pop(name).float()
            if stem + length_suffix not in state:
                raise ValueError(
                    f"The checkpoint has {name}, but no {stem}{length_suffix}; "
                    "download it again."
                )
            length = state.pop(stem + length_suffix).float()
            norm = direction.flatten(1).norm(dim=1)[:, None, None]
            state[f"{stem}.weight"] = direction * (length / norm)
    return state


def _rename(name: str) -> str:
    for old, new in _RENAMINGS:
        name = name.replace(old, new)
    return name


def _check_tensors(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    advice = "pass the weights and the model_config.yaml of the same NanoCodec"
    for name in expected:
        if name not in found:
            raise ValueError(f"The checkpoint lacks the tensor of {name}; {advice}.")
        if found[name].shape != expected[name].shape:
            raise ValueError(
                f"The checkpoint's tensor of {name} has the shape "
                f"{tuple(found[name].shape)}, but the configuration asks for "
                f"{tuple(expected[name].shape)}; {advice}."
            )
    for name in found:
        if name not in expected:
            raise ValueError(
                f"The checkpoint's tensor {name} has no place in this shape; {advice}."
            )
