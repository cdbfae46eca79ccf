"""Discriminators of codec training, made of ESPnet's.

All map speech (B, 1, S) to a list of lists: for each scale the feature maps and,
last, the logits.
"""

from collections.abc import Sequence

from espnet2.gan_codec.shared.discriminator.msstft_discriminator import (
    MultiScaleSTFTDiscriminator,
)
from espnet2.gan_tts.hifigan.hifigan import HiFiGANPeriodDiscriminator
from torch import Tensor, nn


class StftDiscriminator(MultiScaleSTFTDiscriminator):
    """ESPnet's multi-scale STFT discriminator, small by default.

    It is EnCodec's (Defossez et al., arXiv 2210.13438).

    Args:
        filters: Channels of every convolution.
        n_ffts: Window size in samples of every scale.
        hop_lengths: Hop in samples of every scale.
        negative_slope: Of the leaky ReLU between convolutions.
    """

    def __init__(
        self,
        filters: int = 16,
        n_ffts: Sequence[int] = (2048, 1024, 512),
        hop_lengths: Sequence[int] = (512, 256, 128),
        negative_slope: float = 0.2,
    ):
        super().__init__(
            filters=filters,
            n_ffts=list(n_ffts),
            hop_lengths=list(hop_lengths),
            win_lengths=list(n_ffts),
            activation_params={"negative_slope": negative_slope},
        )

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """Judge speech (B, 1, S)."""
        return super().forward(x.float())  # there is no STFT of bfloat16


class PeriodStftDiscriminator(nn.Module):
    """Multi-period and multi-scale STFT discriminators side by side.

    NVIDIA trains its low frame rate codecs with these two (NeMo's
    audio_codec_low_frame_rate_22050.yaml) and with a third that listens through
    WavLM, which is left out: its weights are no part of a package.

    Args:
        periods: Of the samples that a period discriminator (Kong et al., arXiv
            2010.05646) looks at together.
        period_channels: Width of its first convolution; the next are 4 times wider
            each, up to `max_period_channels`.
        max_period_channels: Width of its last convolutions.
        filters: Channels of the STFT discriminators.
        n_ffts: Window sizes in samples of the STFT discriminators.
    """

    def __init__(
        self,
        periods: Sequence[int] = (2, 3, 5, 7, 11),
        period_channels: int = 32,
        max_period_channels: int = 1024,
        filters: int = 32,
        n_ffts: Sequence[int] = (128, 256, 512, 1024, 2048),
    ):
        super().__init__()
        self.by_period = nn.ModuleList(
            HiFiGANPeriodDiscriminator(
                period=period,
                channels=period_channels,
                max_downsample_channels=max_period_channels,
            )
            for period in periods
        )
        self.stft = StftDiscriminator(
            filters, n_ffts, [size // 4 for size in n_ffts], negative_slope=0.1
        )

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """Judge speech (B, 1, S)."""
        return [discriminator(x) for discriminator in self.by_period] + self.stft(x)
