"""Which frames see which."""

import torch


def window_mask(
    num_frames: int, window_frames: int, device: torch.device
) -> torch.Tensor:
    """(T, T) bool: each frame sees the window that ends in it."""
    frames = torch.arange(num_frames, device=device)
    distance = frames[:, None] - frames
    return (distance >= 0) & (distance < window_frames)


def additive_mask(visible: torch.Tensor, embeds: torch.Tensor) -> torch.Tensor:
    """`visible` (queries, keys) as summands of attention for (B, T, H)."""
    mask = torch.zeros(visible.shape, dtype=embeds.dtype, device=embeds.device)
    mask.masked_fill_(~visible, torch.finfo(embeds.dtype).min)
    return mask[None, None].expand(embeds.shape[0], -1, -1, -1)
