"""Pitch of reference speech: what the small codec's pitch output is trained on."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

# Boersma, "Accurate short-term analysis of the fundamental frequency..." (1993):
# his defaults for the cost of an octave down and for calling a frame voiced.
_OCTAVE_COST = 0.02
_VOICED_CORRELATION = 0.45
_QUIET_RMS = 1e-3  # -60 dBFS


class Pitch(NamedTuple):
    """Pitch of frames.

    Attributes:
        log2_f0: Base-2 logarithm of the fundamental frequency in Hz (B, F); of no
            meaning in frames that are not voiced.
        voiced: Whether a frame has a pitch (B, F) bool.
    """

    log2_f0: Tensor
    voiced: Tensor


class PitchTracker(nn.Module):
    """Frame-wise pitch by the autocorrelation that the window's is divided out of.

    Boersma's method without his search over paths: for a speaker in a quiet room the
    best candidate of a frame is right nearly always, and it runs in batches on the
    device of the training. Libraries do one file at a time on the CPU (pyworld) or
    know whole-sample lags only (torchaudio's, 1 % steps at 220 Hz).

    Frame i covers the samples [hop * i, hop * i + window), zeros behind the end.
    """

    def __init__(
        self,
        sample_rate: int,
        window_size: int,
        hop_size: int,
        min_hz: float = 70.0,
        max_hz: float = 500.0,
    ):
        super().__init__()
        self.sample_rate = sample_rate
        self.window_size = window_size
        self.hop_size = hop_size
        self.min_lag = int(sample_rate / max_hz)
        self.max_lag = min(math.ceil(sample_rate / min_hz), window_size // 2)
        self.fft_size = 2 ** math.ceil(math.log2(window_size + self.max_lag + 2))
        window = torch.hann_window(window_size)
        self.register_buffer("window", window, persistent=False)
        correlation = self._autocorrelation(window)
        self.register_buffer("window_correlation", correlation, persistent=False)
        lags = torch.arange(self.max_lag + 2)
        octaves = (lags.clamp_min(1) * min_hz / sample_rate).log2()
        self.register_buffer("lag_cost", _OCTAVE_COST * octaves, persistent=False)

    @torch.no_grad()
    def forward(self, speech: Tensor) -> Pitch:
        """Track speech (B, S), S // hop frames."""
        right = self.window_size - self.hop_size
        padded = nn.functional.pad(speech.float(), (0, right))
        frames = padded.unfold(-1, self.window_size, self.hop_size)
        frames = frames - frames.mean(-1, keepdim=True)
        correlation = self._autocorrelation(frames * self.window)
        energy = correlation[..., :1].clamp_min(1e-12)
        correlation = correlation / energy / self.window_correlation
        scores = correlation - self.lag_cost
        # The outermost lags are there for the parabola only.
        best = scores[..., self.min_lag : self.max_lag + 1].argmax(-1) + self.min_lag
        lag, height = _parabola_peak(correlation, best)
        voiced = height > _VOICED_CORRELATION
        voiced &= frames.square().mean(-1).sqrt() > _QUIET_RMS
        return Pitch((self.sample_rate / lag).log2(), voiced)

    def _autocorrelation(self, frames: Tensor) -> Tensor:
        power = torch.fft.rfft(frames, n=self.fft_size).abs().square()
        correlation = torch.fft.irfft(power, n=self.fft_size)[..., : self.max_lag + 2]
        if frames.dim() == 1:
            return correlation / correlation[0]
        return correlation


def _parabola_peak(values: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    """Position and height of the parabola through a peak and its two neighbours."""
    around = index[..., None] + torch.arange(-1, 2, device=index.device)
    left, middle, right = values.gather(-1, around).unbind(-1)
    bend = (2.0 * middle - left - right).clamp_min(1e-9)
    shift = (0.5 * (right - left) / bend).clamp(-0.5, 0.5)
    return index + shift, middle + 0.25 * (right - left) * shift
