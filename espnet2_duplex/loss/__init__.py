"""The multi-channel loss and what a training log tells of it.

`frames` gives the loss of every frame, `head_loss` that of one head; `channels` weighs
and sums; `curves` sorts by class and turn; `user_ctc` is the auxiliary loss on
the user's words. Everything is a sum over frames beside its count, so that padding
changes nothing and ranks of unequal size give the global mean.
"""

from espnet2_duplex.loss.channels import (
    ChannelLoss,
    LossWeights,
    channel_loss,
    channel_stats,
    text_class_weights,
)
from espnet2_duplex.loss.curves import Ratio, learning_curves, per_frame
from espnet2_duplex.loss.frames import FrameLosses, Labels, frame_losses
from espnet2_duplex.loss.user_ctc import UserTextCTC

__all__ = [
    "ChannelLoss",
    "FrameLosses",
    "Labels",
    "LossWeights",
    "Ratio",
    "UserTextCTC",
    "channel_loss",
    "channel_stats",
    "frame_losses",
    "learning_curves",
    "per_frame",
    "text_class_weights",
]
