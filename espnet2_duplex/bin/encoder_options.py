"""Which encoder is meant: options that the commands for encoders share."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from espnet2_duplex.jsonl import read_text, write_text
from espnet2_duplex.perception.abs_encoder import AbsStreamingEncoder
from espnet2_duplex.tasks.options import encoder_choices


def build_encoder(name: str, conf: Mapping[str, Any]) -> AbsStreamingEncoder:
    """An encoder of the duplex task with random weights.

    Raises:
        ValueError: there is no such encoder, or it does not take these arguments.
    """
    encoder_class = encoder_choices.get_class(name)
    known = list(inspect.signature(encoder_class).parameters)
    odd = [key for key in conf if key not in known]
    if odd:
        raise ValueError(
            f"encoder_conf has the unknown name {odd[0]}; {name} knows "
            f"{', '.join(known)}."
        )
    return encoder_class(**conf)


def write_encoder_conf(path: Path, name: str, conf: Mapping[str, Any]) -> None:
    """Write which encoder a folder holds, in the form of a training's configuration.

    Raises:
        ValueError: the folder holds another encoder.
    """
    if path.exists() and read_encoder_conf(path) != (name, dict(conf)):
        raise ValueError(
            f"{path} says that another encoder was trained here; remove that folder or "
            "name another --output_dir."
        )
    text = yaml.safe_dump(
        {"encoder": name, "encoder_conf": dict(conf)}, sort_keys=False
    )
    write_text(path, text)


def read_encoder_conf(path: Path) -> tuple[str, dict[str, Any]]:
    """Name and arguments of an encoder, from any YAML of its training.

    Raises:
        ValueError: the file is missing, or names no encoder.
    """
    values = yaml.safe_load(read_text(path))
    if not isinstance(values, dict) or "encoder_conf" not in values:
        raise ValueError(
            f"{path} has no encoder_conf; give encoder.yaml, or the configuration that "
            "the encoder was trained with."
        )
    return values.get("encoder", encoder_choices.default), dict(values["encoder_conf"])
