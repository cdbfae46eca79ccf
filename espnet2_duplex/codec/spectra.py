"""Log-mel spectra of the codec's input and of its training losses."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchaudio.functional import melscale_fbanks

# About -100 dB: low enough that what counts as silence cannot be heard, high
# enough that digital silence does not dominate a loss on the logarithm.
LOG_FLOOR = 1e-5


class Magnitudes(nn.Module):
    """Magnitudes of Hann-windowed frames.

    Frame i covers the samples [hop * i - left, hop * i - left + window), zeros
    outside the signal, for i in 0 .. S // hop - 1.
    """

    def __init__(self, window_size: int, hop_size: int, left: int):
        super().__init__()
        self.window_size = window_size
        self.hop_size = hop_size
        self.left = left
        # A sine of amplitude 1 has magnitude 1, whatever the window's length.
        window = torch.hann_window(window_size)
        window = window / (0.5 * window.sum())
        self.register_buffer("window", window, persistent=False)

    def forward(self, speech: Tensor) -> Tensor:
        """Return the magnitudes (B, F, window // 2 + 1) of speech (B, S)."""
        right = max(self.window_size - self.hop_size - self.left, 0)
        padded = F.pad(speech.float(), (self.left, right))
        frames = padded.unfold(-1, self.window_size, self.hop_size)
        spectrum = torch.fft.rfft(frames * self.window)
        return (spectrum.real.square() + spectrum.imag.square() + 1e-14).sqrt()


class Spectrogram(Magnitudes):
    """Magnitudes and, from them, log-mel energies."""

    def __init__(
        self,
        sample_rate: int,
        window_size: int,
        hop_size: int,
        num_mels: int,
        left: int,
    ):
        super().__init__(window_size, hop_size, left)
        # Triangles of unit peak keep a sine's magnitude.
        bank = melscale_fbanks(
            n_freqs=window_size // 2 + 1,
            f_min=0.0,
            f_max=sample_rate / 2.0,
            n_mels=num_mels,
            sample_rate=sample_rate,
            norm=None,
            mel_scale="slaney",
        )
        self.register_buffer("bank", bank, persistent=False)

    def log_mel(self, magnitudes: Tensor) -> Tensor:
        """Return the natural log-mel energies (B, F, num_mels) of magnitudes."""
        # bfloat16 would round the quiet bands beside the loud ones.
        with torch.autocast(magnitudes.device.type, enabled=False):
            return (magnitudes @ self.bank).clamp_min(LOG_FLOOR).log()


def normalize_log_mel(log_mel: Tensor) -> Tensor:
    """Map log-mel energies to about unit scale, digital silence to -2."""
    return (log_mel - math.log(LOG_FLOOR)) / 3.0 - 2.0


def denormalize_log_mel(x: Tensor) -> Tensor:
    """Undo `normalize_log_mel`."""
    return (x + 2.0) * 3.0 + math.log(LOG_FLOOR)
