"""Computation over frames in chunks whose intermediate values are not kept."""

from typing import Callable

import torch
from torch.utils.checkpoint import checkpoint


def in_chunks(
    function: Callable[..., tuple[torch.Tensor, ...]],
    frames: tuple[torch.Tensor, ...],
    chunk_frames: int,
) -> tuple[torch.Tensor, ...]:
    """What `function(*frames)` gives, `chunk_frames` frames at a time.

    Each chunk is computed once more in the backward pass, so that only one chunk's
    intermediate values exist at any time.

    Args:
        function: Works on each frame alone; takes and returns tensors (N, ...).
        frames: Its arguments, (N, ...) each.
        chunk_frames: Frames of a chunk, from 1 on.

    Returns:
        The results of all chunks behind one another.

    Raises:
        ValueError: If `chunk_frames` is below 1.
    """
    check_chunk(chunk_frames)
    chunks = zip(*(tensor.split(chunk_frames) for tensor in frames))
    with _uncached_autocast(frames[0].device.type):
        parts = [checkpoint(function, *chunk, use_reentrant=False) for chunk in chunks]
    return tuple(torch.cat(pieces) for pieces in zip(*parts))


def check_chunk(chunk_frames: int) -> None:
    """Raise ValueError unless it is a number of frames."""
    if chunk_frames < 1:
        raise ValueError(
            f"logits_chunk_frames is {chunk_frames}; give 1 or more, for example 256"
        )


def _uncached_autocast(device_type: str) -> torch.autocast:
    """The autocast that is on, if any, without its cache of low-precision weights.

    With the cache all chunks share one bfloat16 copy of a head, and its gradient would
    be summed over the chunks in bfloat16.
    """
    return torch.autocast(
        device_type,
        dtype=torch.get_autocast_dtype(device_type),
        enabled=torch.is_autocast_enabled(device_type),
        cache_enabled=False,
    )
