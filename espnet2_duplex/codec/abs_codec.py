"""The interface between a speech codec and everything that uses one."""

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from espnet2_duplex.timing import FrameClock


class CodecOutput(NamedTuple):
    """What `forward` gives to training.

    Attributes:
        speech: Reconstruction (B, S).
        codes: Codes (B, T, K) int64.
        aux_losses: Losses of the codec's own beside the reconstruction's, scalars
            by name.
    """

    speech: Tensor
    codes: Tensor
    aux_losses: dict[str, Tensor]


class AbsCodec(nn.Module, ABC):
    """A codec of `num_codebooks` parallel streams of codes at `frame_rate`.

    Encoding is offline (it makes training data) and may look ahead; decoding is
    causal and can run one frame at a time (`step`), without added latency.

    Attributes:
        sample_rate: Samples per second of the waveform.
        frame_rate: Frames of codes per second.
        num_codebooks: Codes per frame, K.
        codebook_size: Codes are 0 .. codebook_size - 1.
        silence_codes: Buffer (K,), the codec's own codes of digital silence,
            measured after training (`codec_export`) and kept with the weights.
        can_stream: Whether there is a `step`; without one a codec serves to compare,
            but not to speak.
    """

    sample_rate: int
    frame_rate: Fraction
    num_codebooks: int
    codebook_size: int
    silence_codes: Tensor
    can_stream: bool = True

    def __init__(
        self,
        sample_rate: int,
        frame_rate: Fraction,
        num_codebooks: int,
        codebook_size: int,
    ):
        super().__init__()
        if (sample_rate / frame_rate).denominator != 1:
            raise ValueError(
                f"{sample_rate} Hz is not a whole number of samples per frame at "
                f"{frame_rate} frames per second; choose rates that divide."
            )
        self.sample_rate = sample_rate
        self.frame_rate = frame_rate
        self.num_codebooks = num_codebooks
        self.codebook_size = codebook_size
        silence_codes = torch.zeros(num_codebooks, dtype=torch.int64)
        self.register_buffer("silence_codes", silence_codes)

    @property
    def samples_per_frame(self) -> int:
        """Samples of one frame of codes."""
        return int(self.sample_rate / self.frame_rate)

    def forward(self, speech: Tensor) -> CodecOutput:
        """Encode and decode speech (B, S), S whole frames, with gradients.

        Codecs that come trained from elsewhere do not have it.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot be trained here")

    @abstractmethod
    def encode(self, speech: Tensor) -> Tensor:
        """Turn speech (B, S) into codes (B, T, K) int64, T = ceil(S / frame)."""

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """Turn codes (B, T, K) into speech (B, T * samples_per_frame)."""

    @abstractmethod
    def init_state(self, batch_size: int) -> Any:
        """Return the state of fixed size with which `step` starts."""

    @abstractmethod
    def step(self, codes: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Decode one frame: codes (B, 1, K) -> (speech (B, samples), state)."""

    def check_speech(self, speech: Tensor) -> None:
        """Refuse what `encode` must not see.

        Raises:
            ValueError: If the shape is not (B, S) with S > 0.
        """
        if speech.dim() != 2 or speech.size(1) == 0:
            raise ValueError(
                f"Speech has the shape {tuple(speech.shape)}, but encode expects "
                "(B, S) with S > 0; pass mono speech with a batch axis."
            )

    def check_codes(self, codes: Tensor) -> None:
        """Refuse what `decode` must not see.

        Args:
            codes: Codes (B, T, K).

        Raises:
            ValueError: If the shape is not (B, T, K) or a code is out of range
                (the special ids of the speech vocabulary are).
        """
        if codes.dim() != 3 or codes.size(-1) != self.num_codebooks:
            raise ValueError(
                f"Codes have the shape {tuple(codes.shape)}, but this codec expects "
                f"(B, T, {self.num_codebooks}); check the number of codebooks."
            )
        if codes.numel() == 0:
            return
        low, high = int(codes.min()), int(codes.max())
        if low < 0 or high >= self.codebook_size:
            wrong = low if low < 0 else high
            raise ValueError(
                f"Code {wrong} is outside 0..{self.codebook_size - 1}; replace "
                "special ids by the codec's silence_codes before decoding."
            )

    @torch.no_grad()
    def measure_silence_codes(self, seconds: float = 4.0) -> Tensor:
        """Return the codes (K,) that digital silence is most often encoded to."""
        num_frames = int(seconds * self.frame_rate)
        device = self.silence_codes.device
        silence = torch.zeros(1, num_frames * self.samples_per_frame, device=device)
        vectors, counts = self.encode(silence)[0].unique(dim=0, return_counts=True)
        return vectors[counts.argmax()]

    @torch.no_grad()
    def silence_level_dbfs(self, seconds: float = 4.0) -> float:
        """Return the level at which `silence_codes` sound, in dB full scale (RMS)."""
        num_frames = int(seconds * self.frame_rate)
        speech = self.decode(self.silence_codes.expand(1, num_frames, -1))
        rms = speech.double().square().mean().sqrt().clamp_min(1e-10)
        return float(20.0 * rms.log10())


def check_frame_rate(name: str, sample_rate: int, samples_per_frame: int) -> None:
    """Refuse a codec from elsewhere that is off the model's time grid.

    Args:
        name: Of the codec, for the message.
        sample_rate: Samples per second.
        samples_per_frame: Samples of one frame of codes.

    Raises:
        ValueError: If the frame rate is not the one of `FrameClock`.
    """
    expected = FrameClock().frame_rate
    found = Fraction(sample_rate, samples_per_frame)
    if found != expected:
        raise ValueError(
            f"The codec {name} has {float(found):g} frames per second ({sample_rate} Hz "
            f"/ {samples_per_frame} samples), but the model's grid has "
            f"{float(expected):g}; use a codec whose hop is "
            f"{float(sample_rate / expected):g} samples."
        )
