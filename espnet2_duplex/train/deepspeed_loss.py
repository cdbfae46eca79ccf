"""What ESPnet's DeepSpeed trainer needs from a model and a configuration.

ESPnet's own trainer multiplies a rank's mean loss by the rank's weight and divides by
that of all ranks. Its DeepSpeedTrainer (202611) only divides, so that every rank would
count the same, however many frames it has, and the more frames the smaller all
gradients; the model multiplies in its stead.
"""

import argparse
import json
from pathlib import Path

import torch

_ROUNDING = ("bf16", "fp16", "amp")


def weigh_loss(model: torch.nn.Module) -> None:
    """Let `model` in training return the sum over its frames in place of the mean."""
    model.register_forward_hook(_multiply)


def _multiply(module, args, output):
    loss, stats, weight = output
    return (loss * weight if module.training else loss), stats, weight


def check_deepspeed(args: argparse.Namespace) -> None:
    """Refuse what ESPnet's DeepSpeed trainer cannot do right.

    Raises:
        ValueError: If there is no readable configuration, if it asks for weights in 16
            bits, if several checkpoints are to be averaged, or if `accum_grad`, which
            ESPnet's DeepSpeed trainer does not look at, is above 1.
    """
    path = args.deepspeed_config
    if path is None or not Path(path).is_file():
        raise ValueError(
            f"use_deepspeed is set but deepspeed_config is {path}; give a file such as "
            "conf/deepspeed_zero2.json"
        )
    try:
        config = json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON ({error}); mend it") from error
    found = [key for key in _ROUNDING if key in config]
    if found:
        raise ValueError(
            f"{path} has {found[0]!r}, with which the user's speech and the tables of "
            "positions would be rounded to 16 bits; put "
            '"torch_autocast": {"enabled": true, "dtype": "bfloat16"} in its place'
        )
    if max(_as_list(args.keep_nbest_models), default=1) > 1:
        raise ValueError(
            f"keep_nbest_models is {args.keep_nbest_models}, but checkpoints of "
            "DeepSpeed, a folder each, cannot be averaged; set it to 1"
        )
    if args.accum_grad > 1:
        raise ValueError(
            f"accum_grad is {args.accum_grad}, which DeepSpeed does not see; leave it "
            f"out and set gradient_accumulation_steps in {path}"
        )


def _as_list(value: int | list[int]) -> list[int]:
    return value if isinstance(value, list) else [value]
