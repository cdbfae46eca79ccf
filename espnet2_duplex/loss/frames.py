"""Cross entropy and prediction of every frame of every channel.

The logits of a vocabulary of 49k for 1000 s of conversation are 2.5 GB, and the loss
needs them four times over. Computed in chunks they never exist at once.
"""

from dataclasses import dataclass
from typing import Callable, NamedTuple

import torch
import torch.nn.functional as F

from espnet2_duplex.loss.chunks import in_chunks


@dataclass(frozen=True)
class Labels:
    """What a batch should have predicted."""

    text: torch.Tensor  # (B, T) int64
    speech: torch.Tensor  # (B, T, K) int64
    valid: torch.Tensor  # (B, T) bool, False on padding


class FrameLosses(NamedTuple):
    """Nats and predictions of each frame; padding has loss 0 and predicts nothing."""

    text: torch.Tensor  # (B, T) float
    speech: torch.Tensor  # (B, T, K) float
    text_predicted: torch.Tensor  # (B, T) int64 most likely token, -1 on padding
    speech_correct: torch.Tensor  # (B, T, K) bool


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Nats (...) of logits (..., V) under labels (...); label -100 costs nothing."""
    losses = F.cross_entropy(
        logits.flatten(0, -2).float(),
        labels.flatten(),
        reduction="none",
        ignore_index=-100,
    )
    return losses.view(labels.shape)


def losses_of_logits(logits, labels: Labels) -> FrameLosses:
    """Losses from the logits of all frames.

    Args:
        logits: DuplexLogits with text (B, T, V) and speech (B, T, K, S).
        labels: Their values on padding do not matter.
    """
    padding = ~labels.valid
    text = labels.text.masked_fill(padding, -100)
    speech = labels.speech.masked_fill(padding[..., None], -100)
    return FrameLosses(
        text=cross_entropy(logits.text, text),
        speech=cross_entropy(logits.speech, speech),
        text_predicted=logits.text.detach().argmax(-1).masked_fill(padding, -1),
        speech_correct=logits.speech.detach().argmax(-1) == speech,
    )


def losses_in_chunks(
    heads: Callable, hidden: torch.Tensor, labels: Labels, chunk_frames: int
) -> FrameLosses:
    """As `losses_of_logits(heads(hidden), labels)`, for `chunk_frames` frames at once.

    Padding frames are not computed. Gradients are those of the whole, to rounding.

    Args:
        heads: (N, H) -> DuplexLogits with text (N, V) and speech (N, K, S).
        hidden: (B, T, H).
        labels: Of the B * T frames.
        chunk_frames: Frames whose logits exist at once.

    Raises:
        ValueError: If `chunk_frames` is below 1.
    """

    def chunk_losses(hidden, text, speech):
        logits = heads(hidden)
        # Predictions last: recomputing stops at the last value that backward needs.
        return (
            cross_entropy(logits.text, text),
            cross_entropy(logits.speech, speech),
            logits.text.detach().argmax(-1),
            logits.speech.detach().argmax(-1) == speech,
        )

    index = labels.valid.flatten().nonzero().squeeze(1)
    frames = tuple(
        tensor.flatten(0, 1).index_select(0, index)
        for tensor in (hidden, labels.text, labels.speech)
    )
    found = in_chunks(chunk_losses, frames, chunk_frames)
    shape = labels.valid.shape
    return FrameLosses(
        *(_spread(v, index, shape, p) for v, p in zip(found, (0, 0, -1, False)))
    )


def frame_losses(
    heads: Callable, hidden: torch.Tensor, labels: Labels, chunk_frames: int | None
) -> FrameLosses:
    """`losses_in_chunks`, or all frames at once where `chunk_frames` is None."""
    if chunk_frames is None:
        return losses_of_logits(heads(hidden), labels)
    return losses_in_chunks(heads, hidden, labels, chunk_frames)


def _spread(values: torch.Tensor, index: torch.Tensor, shape, padding) -> torch.Tensor:
    """values (N, ...) at frames `index` of a batch of `shape` (B, T), else `padding`."""
    num_frames = shape[0] * shape[1]
    spread = values.new_full((num_frames, *values.shape[1:]), padding)
    return spread.index_copy(0, index, values).unflatten(0, tuple(shape))
