"""Conversations of unequal length behind one another, with no padding between them."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Packing:
    """Where the frames of a padded batch lie when they are packed.

    Attributes:
        lengths: Frames of each of the B conversations.
        num_steps: T of the padded batch.
        index: (N,) places of the packed frames among the B * T padded ones.
    """

    lengths: tuple[int, ...]
    num_steps: int
    index: torch.Tensor

    @classmethod
    def of(cls, num_frames: torch.Tensor, num_steps: int) -> "Packing":
        """The packing of conversations of `num_frames` (B,), padded to `num_steps`."""
        steps = torch.arange(num_steps, device=num_frames.device)
        valid = steps < num_frames[:, None]
        index = valid.flatten().nonzero().squeeze(1)
        return cls(tuple(valid.sum(1).tolist()), num_steps, index)

    @property
    def num_padded(self) -> int:
        """B * T."""
        return len(self.lengths) * self.num_steps

    def pack(self, padded: torch.Tensor) -> torch.Tensor:
        """(B, T, ...) -> (N, ...)."""
        frames = padded.flatten(0, 1)
        if len(self.index) == self.num_padded:
            return frames
        return frames.index_select(0, self.index)

    def spread(
        self, packed: torch.Tensor, padding: int | float | bool = 0
    ) -> torch.Tensor:
        """(N, ...) -> (B, T, ...), with `padding` in the other places."""
        padded = packed.new_full((self.num_padded, *packed.shape[1:]), padding)
        padded = padded.index_copy(0, self.index, packed)
        return padded.unflatten(0, (len(self.lengths), self.num_steps))
