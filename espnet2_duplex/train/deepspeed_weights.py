"""Weights of a training by DeepSpeed where decoding and packing look for them.

At the end ESPnet's DeepSpeedTrainer (202611) links valid.loss.ave.pth to
{epoch}epoch.pth, as its other trainer does, but all weights are in DeepSpeed's own
folders, checkpoint_{epoch}.
"""

import logging
import os
import re
import shlex
from pathlib import Path

import torch
from espnet2.torch_utils.safe_torch_load import safe_torch_load

from espnet2_duplex.atomic import replacing


def has_checkpoint(folder: Path) -> bool:
    """Whether DeepSpeed has saved anything in `folder`, so that training resumes."""
    return any(path.is_dir() for path in folder.glob("checkpoint_*"))


def write_linked_epochs(folder: Path) -> None:
    """Write each {epoch}epoch.pth to which a link in `folder` leads.

    It has all weights, the frozen ones too. ZeRO-3 leaves each process's share of them:
    then the log has the command that joins them.
    """
    for epoch in sorted(_linked_epochs(folder)):
        checkpoint = folder / f"checkpoint_{epoch}"
        if not checkpoint.is_dir():  # ESPnet's other trainer was at work
            continue
        whole = checkpoint / str(epoch) / "mp_rank_00_model_states.pt"
        if not whole.exists():
            logging.warning(_how_to_join(folder, epoch))
            continue
        weights = safe_torch_load(whole, map_location="cpu")["module"]
        with replacing(folder / f"{epoch}epoch.pth") as temporary:
            torch.save(dict(weights), temporary)


def tell_of_frozen_weights(model: torch.nn.Module) -> None:
    """Log how much of each checkpoint is weights that never change."""
    frozen = [weight for weight in model.parameters() if not weight.requires_grad]
    if frozen:
        gigabytes = sum(weight.nbytes for weight in frozen) / 1e9
        logging.info(
            f"each of DeepSpeed's checkpoints has the {len(frozen)} frozen weights in "
            f"it, {gigabytes:.1f} GB: frozen.pth is of ESPnet's other trainer"
        )


def _linked_epochs(folder: Path) -> set[int]:
    links = [os.readlink(path) for path in folder.glob("*.pth") if path.is_symlink()]
    found = [re.fullmatch(r"(\d+)epoch\.pth", target) for target in links]
    return {int(match[1]) for match in found if match}


def _how_to_join(folder: Path, epoch: int) -> str:
    checkpoint = f"checkpoint_{epoch}"
    # Above max_shard_size it would write several files.
    return (
        f"the weights of epoch {epoch} are spread over files of ZeRO-3; before decoding "
        f"run: cd {shlex.quote(str(folder))} && python {checkpoint}/zero_to_fp32.py {checkpoint} "
        f"{checkpoint}/whole --max_shard_size 1000GB && "
        f"mv {checkpoint}/whole/pytorch_model.bin {epoch}epoch.pth"
    )
