"""What a voice is made of before it is shaped: a pulse train and noise, as spectra."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

# Noise repeats after this many windows (5 s): too long to be heard.
_NUM_NOISE_WINDOWS = 448
_NOISE_SEED = 2305
_MAX_RUN = 263  # windows of one phase: 3 s


class ExcitationState(NamedTuple):
    """Where the excitation stands; its size never changes.

    Attributes:
        cycles: Phase of the pulse train at the centre of the last window, in cycles
            (B,), float64.
        hertz: Pitch of the last window (B,), float64.
        run: Windows since the phase began anew (B,) int64.
        position: Number of the noise's next window (B,) int64.
    """

    cycles: Tensor
    hertz: Tensor
    run: Tensor
    position: Tensor


class Excitation(nn.Module):
    """Pitch -> spectra of equal harmonics, and spectra of white noise.

    The source of neural source-filter vocoders (Wang et al., arXiv 1904.12088), here
    in the frequency domain and frame by frame, so that it streams without
    look-ahead: window i holds harmonics of its own constant pitch, whose phase at
    the window's centre follows from the pitch of all windows before. Every harmonic
    and, on average, every bin of the noise has magnitude 1 in the scale of
    `Spectrogram`.

    Where speech is not voiced the phase begins anew, and after three seconds of one
    vowel too, so that rounding errors of the pitch cannot add up: they differ between
    whole sequences and steps. In float64, which not every device has (MPS has not).
    """

    def __init__(self, sample_rate: int, window_size: int, hop_size: int):
        super().__init__()
        self.sample_rate = sample_rate
        self.window_size = window_size
        self.hop_size = hop_size
        window = torch.hann_window(window_size)
        scaled_window = window / (0.5 * window.sum())
        self.register_buffer("window", scaled_window, persistent=False)
        seconds = (torch.arange(window_size) - window_size // 2) / sample_rate
        self.register_buffer("seconds", seconds, persistent=False)
        self.register_buffer("noise", self._noise_spectra(), persistent=False)

    def init_state(self, batch_size: int) -> ExcitationState:
        """Return the state before the first window."""
        zeros = self.window.new_zeros(batch_size)
        position = zeros.long()
        if self.training:
            position = torch.randint_like(position, _NUM_NOISE_WINDOWS)
        return ExcitationState(zeros.double(), zeros.double(), zeros.long(), position)

    @torch.no_grad()
    def step(
        self, log2_f0: Tensor, voiced: Tensor, state: ExcitationState
    ) -> tuple[Tensor, Tensor, ExcitationState]:
        """Make the next N windows, N any number.

        Args:
            log2_f0: Base-2 logarithm of the pitch in Hz (B, N), float64.
            voiced: Whether the phase goes on (B, N) bool; else it is 0.
            state: Where the last call ended.

        Returns:
            Spectra of the harmonics and of the noise, each (B, N, window // 2 + 1)
            complex, and the new state.
        """
        hertz = log2_f0.exp2()
        cycles, run = self._cycles(hertz, voiced, state)
        pulses = self._pulse_train(hertz.float(), cycles.float())
        harmonics = torch.fft.rfft(pulses * self.window)
        steps = torch.arange(hertz.size(1), device=hertz.device)
        noise = self.noise[(state.position[:, None] + steps) % _NUM_NOISE_WINDOWS]
        noise = torch.view_as_complex(noise)
        position = (state.position + hertz.size(1)) % _NUM_NOISE_WINDOWS
        new_state = ExcitationState(cycles[:, -1], hertz[:, -1], run, position)
        return harmonics, noise, new_state

    def _cycles(
        self, hertz: Tensor, voiced: Tensor, state: ExcitationState
    ) -> tuple[Tensor, Tensor]:
        """Phase at the windows' centres (B, N) in cycles, within [0, 1), and the run."""
        previous = torch.cat([state.hertz[:, None], hertz[:, :-1]], dim=1)
        advance = 0.5 * (previous + hertz) * (self.hop_size / self.sample_rate)
        total = state.cycles[:, None] + advance.cumsum(1)
        index = torch.arange(hertz.size(1), device=hertz.device)
        last_unvoiced = torch.where(voiced, -1 - state.run[:, None], index)
        run = index - last_unvoiced.cummax(1).values
        # What had been added up when the phase last began anew.
        last_reset = torch.where(run % _MAX_RUN == 0, index, -1).cummax(1).values
        at_reset = total.gather(1, last_reset.clamp_min(0))
        cycles = (total - torch.where(last_reset < 0, 0.0, at_reset)) % 1.0
        return cycles, run[:, -1] % _MAX_RUN

    def _pulse_train(self, hertz: Tensor, cycles: Tensor) -> Tensor:
        """Sum of all harmonics below half the sampling rate, (B, N, window).

        The sum of cos(2 pi k x) for k = 1 .. K in closed form (Dirichlet's kernel).
        """
        x = cycles[..., None] + hertz[..., None] * self.seconds
        x = torch.pi * (x - x.round())
        # At a pulse itself the quotient is 0 / 0; just beside it it is right.
        x = torch.where(x == 0.0, 1e-7, x)
        num_harmonics = (0.5 * self.sample_rate / hertz).floor()[..., None]
        return 0.5 * (((2.0 * num_harmonics + 1.0) * x).sin() / x.sin() - 1.0)

    def _noise_spectra(self) -> Tensor:
        """Spectra (windows, bins, 2) of one stretch of noise that goes round.

        Real and imaginary parts, since ESPnet's `model.to(dtype=float32)` would make a
        complex buffer real.
        """
        generator = torch.Generator().manual_seed(_NOISE_SEED)
        noise = torch.randn(_NUM_NOISE_WINDOWS * self.hop_size, generator=generator)
        noise = noise / self.window.square().sum().sqrt()
        overlap = noise[: self.window_size - self.hop_size]
        windows = torch.cat([noise, overlap]).unfold(0, self.window_size, self.hop_size)
        return torch.view_as_real(torch.fft.rfft(windows * self.window))
