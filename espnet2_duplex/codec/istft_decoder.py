"""The small codec's decoder: quantized values to spectra to speech, streaming."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from espnet2_duplex.codec.convnext import CausalStack
from espnet2_duplex.codec.spectra import denormalize_log_mel

SPECTRA_PER_FRAME = 7  # spectra in one frame of codes
OVERLAP = 4  # spectra that cover each sample


class IstftState(NamedTuple):
    """State of the decoder between two frames; its size never changes.

    Attributes:
        slow: Context (B, kernel - 1, C) of every block at 12.5 Hz.
        fast: Context (B, kernel - 1, C) of every block at 87.5 Hz.
        tail: Overlap (B, 756) of past spectra with the samples to come.
    """

    slow: tuple[Tensor, ...]
    fast: tuple[Tensor, ...]
    tail: Tensor


class IstftDecoder(nn.Module):
    """Quantized values (B, T, num_dims) -> speech, causal, without added latency.

    Spectrum i covers the samples [hop * i, hop * (i + 4)): the samples of hop i are
    complete as soon as spectrum i exists. The first three hops of a decoding fade
    in, as if zeros had come before; dividing by the part of the window that is there
    would amplify the noise of the very first samples without bound.
    """

    def __init__(
        self,
        num_dims: int,
        hop_size: int,
        num_mels: int,
        num_channels: int,
        num_blocks: Sequence[int],
    ):
        super().__init__()
        self.hop_size = hop_size
        self.window_size = OVERLAP * hop_size
        self.inlet = nn.Linear(num_dims, num_channels)
        self.slow = CausalStack(num_blocks[0], num_channels, kernel_size=5)
        self.unstack = nn.Linear(num_channels, SPECTRA_PER_FRAME * num_channels)
        self.aux_outlet = nn.Linear(num_channels, num_mels)
        self.fast = CausalStack(num_blocks[1], num_channels, kernel_size=7)
        self.norm = nn.LayerNorm(num_channels)
        self.outlet = nn.Linear(num_channels, 3 * (self.window_size // 2 + 1))
        # The squares of overlapping windows sum to a constant (1.5 for Hann at 4).
        window = torch.hann_window(self.window_size)
        envelope = window.square().sum() / hop_size
        # A sine of amplitude 1 has the magnitude 1, as in Spectrogram.
        scale = 0.5 * window.sum() / envelope
        self.register_buffer("window", scale * window, persistent=False)
        self._start_quiet()

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return speech (B, T * samples) and auxiliary log-mel (B, 7 * T, mels)."""
        x = self._unstack(self.slow(self.inlet(values)))
        speech = self._overlap_add(self._frames(self.fast(x)))
        aux_log_mel = denormalize_log_mel(self.aux_outlet(x))
        return speech[:, : speech.size(1) - self._tail_size], aux_log_mel

    def init_state(self, batch_size: int) -> IstftState:
        """Return the state before the first frame."""
        return IstftState(
            slow=self.slow.init_state(batch_size),
            fast=self.fast.init_state(batch_size),
            tail=self.window.new_zeros(batch_size, self._tail_size),
        )

    def step(self, values: Tensor, state: IstftState) -> tuple[Tensor, IstftState]:
        """Decode the next frames (B, N, num_dims), N any number from 1."""
        x, slow = self.slow.step(self.inlet(values), state.slow)
        x, fast = self.fast.step(self._unstack(x), state.fast)
        speech = self._overlap_add(self._frames(x))
        num_final = speech.size(1) - self._tail_size
        speech = speech + F.pad(state.tail, (0, num_final))
        new_state = IstftState(slow, fast, speech[:, num_final:])
        return speech[:, :num_final], new_state

    @property
    def _tail_size(self) -> int:
        return self.window_size - self.hop_size

    def _unstack(self, x: Tensor) -> Tensor:
        """(B, T, C) at the frame rate -> (B, 7 * T, C)."""
        x = self.unstack(x).unflatten(-1, (SPECTRA_PER_FRAME, -1))
        return F.gelu(x).flatten(1, 2)

    def _frames(self, x: Tensor) -> Tensor:
        """Hidden (B, F, C) -> windowed waveforms (B, F, window)."""
        log_magnitude, real, imag = self.outlet(self.norm(x)).chunk(3, dim=-1)
        # exp must not overflow early in training; 1 is full scale already.
        magnitude = log_magnitude.clamp(max=3.0).exp()
        magnitude = magnitude * (real.square() + imag.square() + 1e-8).rsqrt()
        spectrum = torch.complex(magnitude * real, magnitude * imag)
        return torch.fft.irfft(spectrum, n=self.window_size) * self.window

    def _overlap_add(self, frames: Tensor) -> Tensor:
        """(B, F, window) -> (B, (F + 3) * hop), the tail included."""
        parts = frames.unflatten(-1, (OVERLAP, self.hop_size)).unbind(2)
        last = OVERLAP - 1
        shifted = [F.pad(p, (0, 0, i, last - i)) for i, p in enumerate(parts)]
        return torch.stack(shifted).sum(0).flatten(1)

    def _start_quiet(self) -> None:
        """Start magnitudes near those of speech (about -60 dB per bin)."""
        num_bins = self.window_size // 2 + 1
        with torch.no_grad():
            self.outlet.bias[:num_bins] = -7.0
