"""The small codec's decoder: quantized values to spectra to speech, streaming."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from espnet2_duplex.codec.convnext import CausalStack
from espnet2_duplex.codec.excitation import Excitation, ExcitationState
from espnet2_duplex.codec.pitch import Pitch
from espnet2_duplex.codec.spectra import denormalize_log_mel

SPECTRA_PER_FRAME = 7  # spectra in one frame of codes
OVERLAP = 4  # spectra that cover each sample
# Pitch outputs count in octaves from here, which is near most voices.
_CENTRE_LOG2_F0 = 7.5  # 181 Hz
_VOICED_LOGIT = -2.0  # below it the pulse train's phase begins anew


class IstftState(NamedTuple):
    """State of the decoder between two frames; its size never changes.

    Attributes:
        slow: Context (B, kernel - 1, C) of every block at 12.5 Hz.
        fast: Context (B, kernel - 1, C) of every block at 87.5 Hz.
        excitation: Phase, pitch and position in the noise.
        tail: Overlap (B, 756) of past spectra with the samples to come.
    """

    slow: tuple[Tensor, ...]
    fast: tuple[Tensor, ...]
    excitation: ExcitationState
    tail: Tensor


class DecoderOutput(NamedTuple):
    """What training sees of the decoder; F = 7 * T spectra.

    Attributes:
        speech: Waveform (B, T * samples_per_frame).
        log_mel: Log-mel spectra (B, F, num_mels) of the slow half.
        log2_f0: Pitch (B, F) of the slow half.
        voiced_logits: Logits of being voiced (B, F) of the slow half.
    """

    speech: Tensor
    log_mel: Tensor
    log2_f0: Tensor
    voiced_logits: Tensor


class IstftDecoder(nn.Module):
    """Quantized values (B, T, num_dims) -> speech, causal, without added latency.

    Spectrum i covers the samples [hop * i, hop * (i + 4)): the samples of hop i are
    complete as soon as spectrum i exists. The first three hops of a decoding fade
    in, as if zeros had come before; dividing by the part of the window that is there
    would amplify the noise of the very first samples without bound.

    A spectrum is that of a pulse train, shaped in magnitude and phase, plus that of
    noise, shaped in magnitude. Codes of 0.6 kbps do not hold the phase of harmonics
    from one window to the next; the pulse train keeps it.
    """

    def __init__(
        self,
        sample_rate: int,
        num_dims: int,
        hop_size: int,
        num_mels: int,
        channels: Sequence[int],
        num_blocks: Sequence[int],
    ):
        super().__init__()
        deep, wide = channels
        self.hop_size = hop_size
        self.window_size = OVERLAP * hop_size
        self.inlet = nn.Linear(num_dims, deep)
        self.slow = CausalStack(num_blocks[0], deep, kernel_size=5)
        self.unstack = nn.Linear(deep, SPECTRA_PER_FRAME * wide)
        self.aux_outlet = nn.Linear(wide, num_mels)
        self.pitch_outlet = nn.Linear(wide, 2)
        self.fast = CausalStack(num_blocks[1], wide, kernel_size=7)
        self.norm = nn.LayerNorm(wide)
        self.outlet = nn.Linear(wide, 4 * (self.window_size // 2 + 1))
        self.excitation = Excitation(sample_rate, self.window_size, hop_size)
        # The squares of overlapping windows sum to a constant (1.5 for Hann at 4).
        window = torch.hann_window(self.window_size)
        envelope = window.square().sum() / hop_size
        # A sine of amplitude 1 has the magnitude 1, as in Spectrogram.
        scale = 0.5 * window.sum() / envelope
        self.register_buffer("window", scale * window, persistent=False)
        self._start_quiet()

    def forward(self, values: Tensor, pitch: Pitch | None = None) -> DecoderOutput:
        """Decode values (B, T, num_dims).

        Args:
            values: Quantized values.
            pitch: Pitch (B, 7 * T) of the pulse train; the decoder's own by default.
                Training gives the reference's: harmonics then lie where those of the
                reference lie, and gains and noise need not make up for a shift that
                nobody would hear.
        """
        x = self._unstack(self.slow(self.inlet(values)))
        predicted, voiced_logits = self._pitch(x)
        if pitch is None:
            log2_f0, voiced = predicted, voiced_logits > _VOICED_LOGIT
        else:
            log2_f0 = torch.where(pitch.voiced, pitch.log2_f0.double(), predicted)
            voiced = pitch.voiced
        state = self.excitation.init_state(values.size(0))
        harmonics, noise, _ = self.excitation.step(log2_f0, voiced, state)
        speech = self._overlap_add(self._frames(self.fast(x), harmonics, noise))
        speech = speech[:, : speech.size(1) - self._tail_size]
        log_mel = denormalize_log_mel(self.aux_outlet(x).float())
        return DecoderOutput(speech, log_mel, predicted.float(), voiced_logits.float())

    def init_state(self, batch_size: int) -> IstftState:
        """Return the state before the first frame."""
        return IstftState(
            slow=self.slow.init_state(batch_size),
            fast=self.fast.init_state(batch_size),
            excitation=self.excitation.init_state(batch_size),
            tail=self.window.new_zeros(batch_size, self._tail_size),
        )

    def step(self, values: Tensor, state: IstftState) -> tuple[Tensor, IstftState]:
        """Decode the next frames (B, N, num_dims), N any number from 1."""
        x, slow = self.slow.step(self.inlet(values), state.slow)
        x = self._unstack(x)
        log2_f0, voiced_logits = self._pitch(x)
        harmonics, noise, excitation = self.excitation.step(
            log2_f0, voiced_logits > _VOICED_LOGIT, state.excitation
        )
        x, fast = self.fast.step(x, state.fast)
        speech = self._overlap_add(self._frames(x, harmonics, noise))
        num_final = speech.size(1) - self._tail_size
        speech = speech + F.pad(state.tail, (0, num_final))
        new_state = IstftState(slow, fast, excitation, speech[:, num_final:])
        return speech[:, :num_final], new_state

    @property
    def _tail_size(self) -> int:
        return self.window_size - self.hop_size

    def _unstack(self, x: Tensor) -> Tensor:
        """(B, T, C) at the frame rate -> (B, 7 * T, C)."""
        x = self.unstack(x).unflatten(-1, (SPECTRA_PER_FRAME, -1))
        return F.gelu(x).flatten(1, 2)

    def _pitch(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden (B, F, C) -> log2 of the pitch in Hz and logits of voicing (B, F)."""
        # In float64, since the phase adds up what this rounds.
        octaves, voiced_logits = self.pitch_outlet(x).double().unbind(-1)
        # Within an octave and a half of the centre, whatever the weights: 64-512 Hz.
        return _CENTRE_LOG2_F0 + 1.5 * octaves.tanh(), voiced_logits

    def _frames(self, x: Tensor, harmonics: Tensor, noise: Tensor) -> Tensor:
        """Hidden (B, F, C) and excitation -> windowed waveforms (B, F, window)."""
        outputs = self.outlet(self.norm(x)).float().chunk(4, dim=-1)
        voice_gain, noise_gain, real, imag = outputs
        # exp must not overflow early in training; 1 is full scale already.
        voice_gain = voice_gain.clamp(max=3.0).exp()
        voice_gain = voice_gain * (real.square() + imag.square() + 1e-8).rsqrt()
        voice = torch.complex(voice_gain * real, voice_gain * imag) * harmonics
        spectrum = voice + noise_gain.clamp(max=3.0).exp() * noise
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
            self.outlet.bias[: 2 * num_bins] = -7.0
            self.outlet.bias[2 * num_bins : 3 * num_bins] = 1.0
