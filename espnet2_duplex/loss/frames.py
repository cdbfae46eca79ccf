"""Cross entropy and prediction of every frame of every channel."""

from dataclasses import dataclass
from typing import NamedTuple

import torch

from espnet2_duplex.heads import Head
from espnet2_duplex.loss.head_loss import Targets, head_losses
from espnet2_duplex.packing import Packing


@dataclass(frozen=True)
class Labels:
    """What a batch should have predicted."""

    text: torch.Tensor  # (B, T) int64
    speech: torch.Tensor  # (B, T, K) int64
    valid: torch.Tensor  # (B, T) bool, False on padding


class FrameLosses(NamedTuple):
    """Nats and predictions of each frame; padding has loss 0 and predicts nothing.

    The two sums alone have a gradient.
    """

    text: torch.Tensor  # (B, T) float
    speech: torch.Tensor  # (B, T, K) float
    text_predicted: torch.Tensor  # (B, T) int64 most likely token, -1 on padding
    speech_correct: torch.Tensor  # (B, T, K) bool
    text_sum: torch.Tensor  # () weighted by class
    speech_sum: torch.Tensor  # ()


def frame_losses(
    heads: tuple[Head, Head],
    hidden: torch.Tensor,
    labels: Labels,
    text_weights: torch.Tensor,
    packing: Packing,
    chunk_frames: int,
) -> FrameLosses:
    """Losses of a packed batch, the logits of `chunk_frames` frames at a time.

    Args:
        heads: Of the text channel and of the K speech channels.
        hidden: (N, H), packed.
        labels: Of the padded batch.
        text_weights: (B, T) weight of each text label in `text_sum`.
        packing: Where the N frames are in the batch.
        chunk_frames: Frames whose logits exist at once.

    Raises:
        ValueError: If `chunk_frames` is below 1.
    """
    text, speech = packing.pack(labels.text), packing.pack(labels.speech)
    weights = packing.pack(text_weights)
    targets = (
        Targets(text[:, None], weights[:, None]),
        Targets(speech, torch.ones_like(speech, dtype=weights.dtype)),
    )
    of_text, of_speech = (
        head_losses(head, hidden, target, chunk_frames)
        for head, target in zip(heads, targets)
    )
    return FrameLosses(
        text=packing.spread(of_text.losses.squeeze(1)),
        speech=packing.spread(of_speech.losses),
        text_predicted=packing.spread(of_text.predicted.squeeze(1), -1),
        speech_correct=packing.spread(of_speech.predicted == speech, False),
        text_sum=of_text.total,
        speech_sum=of_speech.total,
    )
