"""Heads: from hidden states to the logits of channels."""

from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Head:
    """The logits of one or several channels, as a function of the hidden states.

    Attributes:
        linear: The layer, H -> channels * size or more.
        num_channels: C.
        size: Tokens of a channel, S; rows behind C * S are never predicted.
        scale: What follows on the linear layer, element by element; None: nothing.
    """

    linear: torch.nn.Module
    num_channels: int
    size: int
    scale: Callable[[torch.Tensor], torch.Tensor] | None = None

    @property
    def num_rows(self) -> int:
        return self.num_channels * self.size

    @property
    def is_matrix(self) -> bool:
        """Whether the logits are `hidden @ weight.T + bias`, scaled, and `weight` here.

        Not so where the layer has an adapter or its weight is sharded over ranks.
        """
        return is_own_matrix(self.linear)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(..., H) -> (..., C, S)."""
        logits = self.linear(hidden)[..., : self.num_rows]
        if self.scale is not None:
            logits = self.scale(logits)
        return logits.unflatten(-1, (self.num_channels, self.size))


def is_own_matrix(layer: torch.nn.Module) -> bool:
    """Whether a linear layer is its weight: no adapter on it, no shard elsewhere."""
    is_sharded = hasattr(getattr(layer, "weight", None), "ds_id")  # DeepSpeed ZeRO-3
    return type(layer) is torch.nn.Linear and not is_sharded
