"""Distance of two waveforms by their spectra at several resolutions."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from espnet2_duplex.codec.spectra import Spectrogram

# About -80 dB per bin; below it a bin does not matter for the linear spectra.
_MAGNITUDE_FLOOR = 1e-4


class MultiResolutionSpectralLoss(nn.Module):
    """L1 distance of log-mel and of log-magnitude spectra.

    ESPnet's MultiScaleMelSpectrogramLoss has its floor at -200 dB, so that digital
    silence, of which an agent's channel has much, would dominate it.
    """

    def __init__(
        self,
        sample_rate: int,
        window_sizes: Sequence[int] = (256, 512, 1024, 2048),
        max_mels: int = 80,
    ):
        super().__init__()
        # More mel bands than this would leave bands without any bin.
        spectrograms = [
            Spectrogram(
                sample_rate,
                window_size=size,
                hop_size=size // 4,
                num_mels=min(max_mels, size // 8),
                left=3 * size // 8,
            )
            for size in window_sizes
        ]
        self.spectrograms = nn.ModuleList(spectrograms)

    def forward(self, prediction: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
        """Compare speech (B, S) with speech (B, S).

        Returns:
            The log-mel distance and the log-magnitude distance, both averaged over
            the resolutions, in nepers.
        """
        mel_loss = prediction.new_zeros(())
        magnitude_loss = prediction.new_zeros(())
        for spectrogram in self.spectrograms:
            predicted = spectrogram(prediction)
            with torch.no_grad():
                expected = spectrogram(reference)
            mel_loss = mel_loss + F.l1_loss(
                spectrogram.log_mel(predicted), spectrogram.log_mel(expected)
            )
            magnitude_loss = magnitude_loss + F.l1_loss(
                predicted.clamp_min(_MAGNITUDE_FLOOR).log(),
                expected.clamp_min(_MAGNITUDE_FLOOR).log(),
            )
        num_resolutions = len(self.spectrograms)
        return mel_loss / num_resolutions, magnitude_loss / num_resolutions
