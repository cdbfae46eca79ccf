"""Load an exported codec: a small YAML file and a file of tensors."""

from pathlib import Path

import torch
import yaml

from espnet2_duplex.codec.abs_codec import AbsCodec
from espnet2_duplex.codec.istft import IstftCodec

# Shapes by the name that `codec:` has in a configuration.
CODEC_CLASSES: dict[str, type[AbsCodec]] = {"istft": IstftCodec}


def build_codec(name: str, conf: dict) -> AbsCodec:
    """Build an untrained codec.

    Args:
        name: A key of CODEC_CLASSES.
        conf: Constructor arguments.

    Raises:
        ValueError: If there is no codec of that name.
    """
    if name not in CODEC_CLASSES:
        raise ValueError(
            f"Unknown codec {name!r}; choose one of {', '.join(CODEC_CLASSES)}."
        )
    return CODEC_CLASSES[name](**conf)


def load_codec(
    config_file: str | Path, model_file: str | Path, device: str = "cpu"
) -> AbsCodec:
    """Load what `codec_export` wrote.

    Args:
        config_file: YAML with `codec` (the shape's name) and `codec_conf`.
        model_file: State dict of tensors, the silence codes among them.
        device: Where the codec shall run.

    Returns:
        The codec in evaluation mode, without gradients.

    Raises:
        ValueError: If the files are not those of a codec.
    """
    with open(config_file, encoding="utf-8") as f:
        config = yaml.safe_load(f)
    if not isinstance(config, dict) or "codec" not in config:
        raise ValueError(
            f"{config_file} has no entry `codec`; pass the codec.yaml that "
            "codec_export wrote."
        )
    codec = build_codec(config["codec"], config.get("codec_conf") or {})
    weights = torch.load(model_file, map_location="cpu", weights_only=True)
    try:
        codec.load_state_dict(weights)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise ValueError(
            f"{model_file} does not hold the weights that {config_file} describes; "
            "export the codec again with codec_export."
        ) from error
    return codec.to(device).eval().requires_grad_(False)
