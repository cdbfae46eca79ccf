"""The small codec: mel encoder, FSQ, causal ConvNeXt decoder with an ISTFT head.

    speech (B, S) -- log-mel, 50 Hz -- ConvNeXt -- ConvNeXt, 12.5 Hz -- FSQ
    codes (B, T, K) -- ConvNeXt, 12.5 Hz -- ConvNeXt, 87.5 Hz -- ISTFT -- speech

A decoder that draws spectra (Siuzdak, "Vocos", arXiv 2306.00814) learns several
times faster on a CPU than one that upsamples in the time domain, and decodes
faster too. Rates, codebooks and bit rate are NanoCodec's (Sec. 5.1): 12.5 frames
a second, 4 codebooks of 9 * 8 * 8 * 7 codes, 22.05 kHz, 0.6 kbps.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from espnet2_duplex.codec.abs_codec import AbsCodec, CodecOutput
from espnet2_duplex.codec.convnext import CausalStack, ConvNextBlock
from espnet2_duplex.codec.fsq import GroupFsq
from espnet2_duplex.codec.spectra import LOG_FLOOR, Spectrogram

_MELS_PER_FRAME = 4  # log-mel frames of the encoder in one frame of codes
_SPECTRA_PER_FRAME = 7  # spectra of the decoder in one frame of codes
_OVERLAP = 4  # spectra that cover each sample


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


class IstftCodec(AbsCodec):
    """FSQ codec with an ISTFT decoder, about 6 million parameters by default.

    Args:
        sample_rate: Samples per second.
        samples_per_frame: Samples of one frame of codes; divisible by 4 and 7.
        levels: FSQ levels of one codebook.
        num_codebooks: Codes per frame, K.
        num_mels: Mel bands of the encoder's input and of the auxiliary output.
        encoder_channels: Width of the encoder at 50 Hz and at 12.5 Hz.
        encoder_blocks: ConvNeXt blocks at 50 Hz (kernel 7) and 12.5 Hz (kernel 5).
        decoder_channels: Width of the decoder.
        decoder_blocks: ConvNeXt blocks at 12.5 Hz (kernel 5) and 87.5 Hz (kernel 7).
    """

    def __init__(
        self,
        sample_rate: int = 22050,
        samples_per_frame: int = 1764,
        levels: Sequence[int] = (9, 8, 8, 7),
        num_codebooks: int = 4,
        num_mels: int = 80,
        encoder_channels: Sequence[int] = (192, 256),
        encoder_blocks: Sequence[int] = (2, 3),
        decoder_channels: int = 256,
        decoder_blocks: Sequence[int] = (4, 5),
    ):
        quantizer = GroupFsq(levels, num_codebooks)
        frame_rate = Fraction(sample_rate, samples_per_frame)
        super().__init__(
            sample_rate, frame_rate, num_codebooks, quantizer.codebook_size
        )
        self.quantizer = quantizer
        self.encoder = MelEncoder(
            sample_rate,
            _whole(samples_per_frame, _MELS_PER_FRAME),
            num_mels,
            encoder_channels,
            encoder_blocks,
            quantizer.num_dims,
        )
        hop_size = _whole(samples_per_frame, _SPECTRA_PER_FRAME)
        self.decoder = IstftDecoder(
            quantizer.num_dims, hop_size, num_mels, decoder_channels, decoder_blocks
        )
        # Its frames cover the samples that the decoder's spectra cover.
        self.aux_spectrogram = Spectrogram(
            sample_rate, _OVERLAP * hop_size, hop_size, num_mels, left=0
        )

    def forward(self, speech: Tensor) -> CodecOutput:
        """Encode and decode speech (B, S), S a multiple of samples_per_frame.

        The auxiliary loss is the L1 distance of log-mel spectra that the slow half
        of the decoder predicts: it reaches the encoder by a short way, which makes
        the first minutes of training count.
        """
        values, codes = self.quantizer(self.encoder(speech))
        reconstruction, predicted_mel = self.decoder(values)
        with torch.no_grad():
            log_mel = self.aux_spectrogram.log_mel(self.aux_spectrogram(speech))
        aux_loss = F.l1_loss(predicted_mel, log_mel)
        return CodecOutput(reconstruction, codes, aux_loss)

    @torch.no_grad()
    def encode(self, speech: Tensor) -> Tensor:
        """Turn speech (B, S) into codes (B, T, K), padding the last frame with zeros."""
        if speech.dim() != 2 or speech.size(1) == 0:
            raise ValueError(
                f"Speech has the shape {tuple(speech.shape)}, but encode expects "
                "(B, S) with S > 0."
            )
        missing = -speech.size(1) % self.samples_per_frame
        return self.quantizer(self.encoder(F.pad(speech, (0, missing))))[1]

    def decode(self, codes: Tensor) -> Tensor:
        """Turn codes (B, T, K) into speech (B, T * samples_per_frame)."""
        self.check_codes(codes)
        return self.decoder(self.quantizer.codes_to_values(codes))[0]

    def init_state(self, batch_size: int) -> IstftState:
        """Return the state before the first frame."""
        return self.decoder.init_state(batch_size)

    def step(self, codes: Tensor, state: IstftState) -> tuple[Tensor, IstftState]:
        """Decode one frame: codes (B, 1, K) -> (speech (B, samples), state)."""
        self.check_codes(codes)
        return self.decoder.step(self.quantizer.codes_to_values(codes), state)


class MelEncoder(nn.Module):
    """Speech (B, S) -> latents (B, T, num_dims) at the codec's frame rate."""

    def __init__(
        self,
        sample_rate: int,
        hop_size: int,
        num_mels: int,
        channels: Sequence[int],
        num_blocks: Sequence[int],
        num_dims: int,
    ):
        super().__init__()
        wide, deep = channels
        # Windows of three hops, centred on their hop, so that frames line up.
        self.spectrogram = Spectrogram(
            sample_rate, 3 * hop_size, hop_size, num_mels, left=hop_size
        )
        self.inlet = nn.Conv1d(num_mels, wide, kernel_size=3, padding=1)
        fast = [ConvNextBlock(wide, 7, causal=False) for _ in range(num_blocks[0])]
        self.fast = nn.Sequential(*fast)
        self.stack = nn.Linear(_MELS_PER_FRAME * wide, deep)
        slow = [ConvNextBlock(deep, 5, causal=False) for _ in range(num_blocks[1])]
        self.slow = nn.Sequential(*slow)
        self.norm = nn.LayerNorm(deep)
        self.outlet = nn.Linear(deep, num_dims)

    def forward(self, speech: Tensor) -> Tensor:
        """Encode speech (B, S), S a whole number of frames."""
        log_mel = self.spectrogram.log_mel(self.spectrogram(speech))
        x = self.inlet(_normalize(log_mel).transpose(1, 2)).transpose(1, 2)
        x = self.fast(x)
        x = self.stack(x.unflatten(1, (-1, _MELS_PER_FRAME)).flatten(2))
        return self.outlet(self.norm(self.slow(x)))


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
        self.window_size = _OVERLAP * hop_size
        self.inlet = nn.Linear(num_dims, num_channels)
        self.slow = CausalStack(num_blocks[0], num_channels, kernel_size=5)
        self.unstack = nn.Linear(num_channels, _SPECTRA_PER_FRAME * num_channels)
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
        aux_log_mel = _denormalize(self.aux_outlet(x))
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
        x = self.unstack(x).unflatten(-1, (_SPECTRA_PER_FRAME, -1))
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
        parts = frames.unflatten(-1, (_OVERLAP, self.hop_size)).unbind(2)
        last = _OVERLAP - 1
        shifted = [F.pad(p, (0, 0, i, last - i)) for i, p in enumerate(parts)]
        return torch.stack(shifted).sum(0).flatten(1)

    def _start_quiet(self) -> None:
        """Start magnitudes near those of speech (about -60 dB per bin)."""
        num_bins = self.window_size // 2 + 1
        with torch.no_grad():
            self.outlet.bias[:num_bins] = -7.0


def _normalize(log_mel: Tensor) -> Tensor:
    """Map log-mel energies to about unit scale, digital silence to -2."""
    floor = torch.tensor(LOG_FLOOR).log()
    return (log_mel - floor) / 3.0 - 2.0


def _denormalize(x: Tensor) -> Tensor:
    """Undo `_normalize`."""
    floor = torch.tensor(LOG_FLOOR).log()
    return (x + 2.0) * 3.0 + floor


def _whole(samples_per_frame: int, parts: int) -> int:
    if samples_per_frame % parts:
        raise ValueError(
            f"{samples_per_frame} samples per frame are not divisible by {parts}; "
            f"choose a multiple of {_MELS_PER_FRAME * _SPECTRA_PER_FRAME}."
        )
    return samples_per_frame // parts
