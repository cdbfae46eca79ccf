"""Save and load an exported codec: a small YAML file and a file of tensors."""

import importlib
import io
from pathlib import Path
from pickle import UnpicklingError

import torch
import yaml
from torch import nn

from espnet2_duplex.atomic import replacing
from espnet2_duplex.codec.abs_codec import AbsCodec
from espnet2_duplex.codec.istft import IstftCodec
from espnet2_duplex.codec.nano_codec import NanoCodec

# Shapes by the name that `codec:` has in a configuration.
CODEC_CLASSES: dict[str, type[AbsCodec]] = {
    "istft": IstftCodec,
    "nanocodec": NanoCodec,
}
# Codecs that come trained from elsewhere. Their modules import transformers or ESPnet,
# which nobody should wait for, or need, who does not use them.
FOREIGN_CODECS = {
    "mimi": ("espnet2_duplex.codec.mimi", "MimiCodec"),
    "espnet": ("espnet2_duplex.codec.espnet_codec", "EspnetCodec"),
}


def build_codec(name: str, conf: dict) -> AbsCodec:
    """Build an untrained codec.

    Args:
        name: A key of CODEC_CLASSES or FOREIGN_CODECS.
        conf: Constructor arguments.

    Raises:
        ValueError: If there is no codec of that name.
    """
    if name in CODEC_CLASSES:
        return CODEC_CLASSES[name](**conf)
    if name in FOREIGN_CODECS:
        module, class_name = FOREIGN_CODECS[name]
        return getattr(importlib.import_module(module), class_name)(**conf)
    known = ", ".join([*CODEC_CLASSES, *FOREIGN_CODECS])
    raise ValueError(f"Unknown codec {name!r}; choose one of {known}.")


def read_codec_config(config_file: str | Path) -> tuple[str, dict]:
    """Read a codec's name and constructor arguments from a YAML file.

    Raises:
        ValueError: If the file names no codec.
    """
    with open(config_file, encoding="utf-8") as f:
        config = yaml.safe_load(f)
    if not isinstance(config, dict) or "codec" not in config:
        raise ValueError(
            f"{config_file} has no entry `codec`; pass the codec.yaml that "
            "codec_export wrote, or the config.yaml of a codec's training."
        )
    return config["codec"], config.get("codec_conf") or {}


def load_codec(
    config_file: str | Path, model_file: str | Path, device: str = "cpu"
) -> AbsCodec:
    """Load what `save_codec` wrote.

    Args:
        config_file: YAML with `codec` (the shape's name) and `codec_conf`.
        model_file: State dict of tensors, the silence codes among them.
        device: Where the codec shall run.

    Returns:
        The codec in evaluation mode, without gradients.

    Raises:
        ValueError: If the files are not those of a codec.
    """
    name, conf = read_codec_config(config_file)
    try:
        codec = build_codec(name, conf)
        weights = torch.load(model_file, map_location="cpu", weights_only=True)
        codec.load_state_dict(weights)
    except (RuntimeError, AttributeError, TypeError, UnpicklingError) as error:
        raise ValueError(
            f"{model_file} does not hold the weights that {config_file} describes; "
            "export the codec again with codec_export."
        ) from error
    _lay_out_by_columns(codec)
    return codec.to(device).eval().requires_grad_(False)


def _lay_out_by_columns(module: nn.Module) -> None:
    """Store matrices so that a frame or a few pass through them faster.

    A step reads every weight once and does little with it: on a CPU a tenth of its
    time depends on whether the matrix lies as the product wants to read it.
    """
    for part in module.modules():
        if isinstance(part, nn.Linear):
            part.weight.data = part.weight.data.t().contiguous().t()


def save_codec(
    codec: AbsCodec,
    name: str,
    conf: dict,
    folder: str | Path,
    half_precision: bool = False,
) -> None:
    """Write codec.yaml and codec.pth, all that inference needs.

    Args:
        codec: Trained, with its silence codes measured.
        name: What `build_codec` calls it.
        conf: The constructor arguments that it was built with.
        folder: Where to; made where there is none.
        half_precision: Whether to write floating point tensors with 16 bits;
            `load_codec` makes them 32 again.
    """
    state = codec.state_dict()
    if half_precision:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    folder = Path(folder)
    # In memory first: the archive's bytes then do not depend on the file's name.
    weights = io.BytesIO()
    torch.save(state, weights)
    with replacing(folder / "codec.pth") as temporary:
        temporary.write_bytes(weights.getvalue())
    config = {"codec": name, "codec_conf": conf}
    with replacing(folder / "codec.yaml") as temporary:
        temporary.write_text(yaml.safe_dump(config, sort_keys=True), encoding="utf-8")
