"""Pads a batch of conversations; lengths tell the model what is padding."""

from typing import Collection

import numpy as np
import torch


class DuplexCollateFn:
    """Pads speech with zeros and both token streams with an id that exists.

    What stands on padding does not reach the loss; it only has to be embeddable.

    Args:
        samples_per_frame: User samples of one frame; speech is padded to whole frames
            so that it and the channels have the same number of frames.
    """

    def __init__(self, samples_per_frame: int):
        self.samples_per_frame = samples_per_frame

    def __call__(
        self, data: Collection[tuple[str, dict[str, np.ndarray]]]
    ) -> tuple[list[str], dict[str, torch.Tensor]]:
        """Batch of `(uid, {user_speech (S,), text (T,), codes (T, K)})` -> tensors.

        Returns:
            The ids, and `user_speech` (B, Tmax * samples_per_frame), `text` (B, Tmax),
            `codes` (B, Tmax, K), and where given `user_text` (B, Umax), each with its
            `*_lengths` (B,).
        """
        uids, samples = zip(*data)
        longest = max(len(sample["text"]) for sample in samples)
        sizes = {
            "user_speech": longest * self.samples_per_frame,
            "text": longest,
            "codes": longest,
        }
        if "user_text" in samples[0]:
            sizes["user_text"] = max(len(sample["user_text"]) for sample in samples)
        batch = {}
        for name, size in sizes.items():
            arrays = [sample[name] for sample in samples]
            batch[name] = torch.from_numpy(np.stack([_pad(a, size) for a in arrays]))
            batch[name + "_lengths"] = torch.tensor([len(a) for a in arrays])
        return list(uids), batch


def _pad(array: np.ndarray, size: int) -> np.ndarray:
    """Zeros after `array` along its first axis, up to `size`."""
    return np.pad(array, [(0, size - len(array))] + [(0, 0)] * (array.ndim - 1))
