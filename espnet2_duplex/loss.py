"""The multi-channel loss: cross entropy per channel, over valid frames only.

The loss is a sum over frames divided by the number of valid frames, both returned, so
that padding changes nothing and ranks of unequal size give the global mean.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class LossWeights:
    """What one frame of a channel counts; the defaults are the paper's (Sec. 5.1).

    The weights on classes of the text channel multiply the loss of frames with that
    label; they are 1 in the paper.
    """

    text: float = 3.0
    speech: float = 1.0
    text_bos: float = 1.0
    text_eos: float = 1.0
    text_pad: float = 1.0


@dataclass(frozen=True)
class ChannelLoss:
    """Sums over the valid frames of a batch; means are `value / num_frames`."""

    text: torch.Tensor  # () weighted by class
    speech: torch.Tensor  # (K,)
    text_correct: torch.Tensor  # () frames whose text argmax is the label
    speech_correct: torch.Tensor  # (K,)
    num_frames: torch.Tensor  # ()

    def mean(self, weights: LossWeights) -> torch.Tensor:
        """The training loss: the weighted sum of channels per frame, a scalar."""
        total = weights.text * self.text + weights.speech * self.speech.sum()
        return total / self.num_frames


def masked_cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """Cross entropy of each frame, zero on padding.

    Args:
        logits: (B, T, ..., V) float.
        labels: (B, T, ...) int64; its value on padding does not matter.
        valid: (B, T) bool.

    Returns:
        (B, T, ...) float.
    """
    valid = valid.reshape(valid.shape + (1,) * (labels.dim() - 2)).expand_as(labels)
    ignored = -100
    labels = labels.masked_fill(~valid, ignored)
    losses = F.cross_entropy(
        logits.flatten(0, -2).float(),
        labels.flatten(),
        reduction="none",
        ignore_index=ignored,
    )
    return losses.view(labels.shape)


def text_class_weights(labels: torch.Tensor, ids, weights: LossWeights) -> torch.Tensor:
    """Weight of each frame (B, T) by the class of its text label."""
    result = torch.ones_like(labels, dtype=torch.float32)
    result[labels == ids.bos] = weights.text_bos
    result[labels == ids.eos] = weights.text_eos
    result[labels == ids.pad] = weights.text_pad
    return result


def duplex_loss(logits, text, speech, valid, ids, weights: LossWeights) -> ChannelLoss:
    """Loss sums of one batch.

    Args:
        logits: DuplexLogits with text (B, T, V) and speech (B, T, K, S).
        text: (B, T) int64 labels.
        speech: (B, T, K) int64 labels.
        valid: (B, T) bool, False on padding.
        ids: TextIds.
        weights: LossWeights.
    """
    text_losses = masked_cross_entropy(logits.text, text, valid)
    text_losses = text_losses * text_class_weights(text, ids, weights)
    speech_losses = masked_cross_entropy(logits.speech, speech, valid)
    text_hits = (logits.text.argmax(-1) == text) & valid
    speech_hits = (logits.speech.argmax(-1) == speech) & valid[..., None]
    return ChannelLoss(
        text=text_losses.sum(),
        speech=speech_losses.sum(dim=(0, 1)),
        text_correct=text_hits.sum(),
        speech_correct=speech_hits.sum(dim=(0, 1)),
        num_frames=valid.sum(),
    )
