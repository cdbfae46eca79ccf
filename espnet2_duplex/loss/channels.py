"""Weights and sums of the channels: from losses of frames to the loss of a batch."""

from dataclasses import dataclass

import torch

from espnet2_duplex.loss.frames import FrameLosses, Labels
from espnet2_duplex.vocabulary import TextIds


@dataclass(frozen=True)
class LossWeights:
    """What one frame of a channel counts; the defaults are the paper's (Sec. 5.1).

    The weights on classes of the text channel multiply the loss of frames with that
    label; they are 1 in the paper. The text frames of all other labels count 1, and
    weights do not change by how many frames the sum is divided.
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
    speech_sum: torch.Tensor  # () of all K
    speech: torch.Tensor  # (K,) without gradient
    text_correct: torch.Tensor  # () frames whose text argmax is the label
    speech_correct: torch.Tensor  # (K,)
    num_frames: torch.Tensor  # ()

    def mean(self, weights: LossWeights) -> torch.Tensor:
        """The training loss: the weighted sum of channels per frame, a scalar."""
        total = weights.text * self.text + weights.speech * self.speech_sum
        return total / self.num_frames


def text_class_weights(
    labels: torch.Tensor, ids: TextIds, weights: LossWeights
) -> torch.Tensor:
    """Weight of each frame (B, T) by the class of its text label."""
    result = torch.ones_like(labels, dtype=torch.float32)
    result[labels == ids.bos] = weights.text_bos
    result[labels == ids.eos] = weights.text_eos
    result[labels == ids.pad] = weights.text_pad
    return result


def channel_loss(frames: FrameLosses, labels: Labels) -> ChannelLoss:
    """Loss sums of one batch from the losses of its frames."""
    return ChannelLoss(
        text=frames.text_sum,
        speech_sum=frames.speech_sum,
        speech=frames.speech.sum(dim=(0, 1)),
        text_correct=((frames.text_predicted == labels.text) & labels.valid).sum(),
        speech_correct=frames.speech_correct.sum(dim=(0, 1)),
        num_frames=labels.valid.sum(),
    )


def channel_stats(sums: ChannelLoss, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    """Per-frame means for ESPnet's log: losses and accuracies by channel."""
    speech = sums.speech / sums.num_frames  # (K,)
    return {
        "loss": loss.detach(),
        "loss_text": sums.text.detach() / sums.num_frames,
        "loss_speech": sums.speech.mean() / sums.num_frames,
        "acc_text": sums.text_correct / sums.num_frames,
        "acc_speech": sums.speech_correct.float().mean() / sums.num_frames,
        **{f"loss_speech_{k}": value for k, value in enumerate(speech, start=1)},
    }
