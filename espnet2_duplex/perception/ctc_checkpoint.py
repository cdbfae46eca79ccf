"""Files of an encoder's training: checkpoint.pth, and encoder.pth for the duplex model."""

import logging
from pathlib import Path

import torch

from espnet2_duplex.atomic import replacing
from espnet2_duplex.perception.abs_encoder import AbsStreamingEncoder
from espnet2_duplex.perception.ctc_model import CtcModel


def save_checkpoint(
    path: Path, model: CtcModel, optimizer: torch.optim.Optimizer, num_done: int
) -> None:
    """Write all that resuming needs; the file is whole or absent."""
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "num_done": num_done,
    }
    with replacing(path) as temporary:
        torch.save(state, temporary)


def load_checkpoint(
    path: Path, model: CtcModel, optimizer: torch.optim.Optimizer
) -> int:
    """Load a checkpoint, if there is one; returns the number of steps done.

    Raises:
        ValueError: it is of another model, or training began from other weights.
    """
    if not path.exists():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    _load(model, state["model"], path)
    try:
        optimizer.load_state_dict(state["optimizer"])
    except ValueError as problem:
        raise ValueError(
            f"{path}: the training began from other weights; resume it with the same "
            "--whisper and --init_param, or name another --output_dir."
        ) from problem
    logging.info("resumed after step %d from %s", state["num_done"], path)
    return state["num_done"]


def load_model(path: Path, encoder: AbsStreamingEncoder) -> tuple[CtcModel, int]:
    """Encoder and head of a checkpoint, without its teacher's statistics.

    Args:
        path: checkpoint.pth.
        encoder: of the shape that was trained; its weights are replaced.

    Returns:
        The model, and the number of steps that it was trained for.

    Raises:
        ValueError: the checkpoint is missing, or of another model.
    """
    if not path.exists():
        raise ValueError(f"{path} does not exist; train an encoder first.")
    state = torch.load(path, map_location="cpu", weights_only=True)
    weights = state.get("model", {})
    model = CtcModel(encoder)
    parts = ("encoder.", "head.")
    _load(model, {n: w for n, w in weights.items() if n.startswith(parts)}, path)
    return model, state["num_done"]


def load_encoder(path: Path, encoder: AbsStreamingEncoder) -> None:
    """Put the weights of an encoder.pth into `encoder`.

    Raises:
        ValueError: the file is missing, or of another encoder.
    """
    if not path.exists():
        raise ValueError(f"{path} does not exist; name the encoder.pth to start from.")
    _load(encoder, torch.load(path, map_location="cpu", weights_only=True), path)


def export_encoder(encoder: AbsStreamingEncoder, path: Path) -> None:
    """Write the encoder's weights in half precision, for ESPnet's ``--init_param``."""
    with replacing(path) as temporary:
        torch.save(half_precision(encoder), temporary)


def half_precision(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """State dict whose real numbers have 16 bits, on the CPU."""
    return {
        name: (weight.half() if weight.is_floating_point() else weight).cpu()
        for name, weight in module.state_dict().items()
    }


def _load(module: torch.nn.Module, weights: dict, path: Path) -> None:
    own = module.state_dict()
    odd = {name for name in own.keys() ^ weights.keys()}
    odd |= {n for n in own.keys() & weights.keys() if own[n].shape != weights[n].shape}
    if odd:
        raise ValueError(
            f"{path} is of another model: {min(odd)} is missing, unknown or of another "
            "shape; give --encoder and --encoder_conf as they were, or another file."
        )
    module.load_state_dict(weights)
