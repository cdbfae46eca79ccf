"""NanoCodec, the paper's codec, in NVIDIA's shape.

    speech (B, S) -- strided convolutions -- FSQ -- codes (B, T, K)
    codes (B, T, K) -- causal transposed convolutions -- speech

Casanova et al., "NanoCodec: Towards High-Quality Ultra Fast Speech LLM Inference"
(arXiv 2508.05835); Sec. 3.2 and 5.1 of the paper. The default arguments are the
shape of the public checkpoint nvidia/nemo-nano-codec-22khz-0.6kbps-12.5fps, which
`codec_import` reads.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor

from espnet2_duplex.codec.abs_codec import AbsCodec, CodecOutput
from espnet2_duplex.codec.fsq import GroupFsq
from espnet2_duplex.codec.nano_decoder import NanoDecoder
from espnet2_duplex.codec.nano_encoder import NanoEncoder


class NanoCodec(AbsCodec):
    """Time-domain FSQ codec, 62 million parameters by default.

    NVIDIA trains it with weight normalization; here the product of direction and
    length is the parameter, so that training and inference have the same tensors.

    Args:
        sample_rate: Samples per second.
        strides: Of the encoder's stages, the decoder's in reverse; their product is
            the samples of a frame.
        levels: FSQ levels of one codebook.
        num_codebooks: Codes per frame, K. Twice as many are twice the bit rate: 8
            for the 1.2 kbps of the paper's Table 4.
        encoder_channels: Width of the encoder at the waveform's rate; doubles with
            every stage.
        decoder_channels: Width of the decoder at the frame rate; halves likewise.
        kernel_sizes: Of the residual units, odd.
        dilations: Of the residual units.
        encoder_padding: What stands outside the encoder's input: replicate, reflect
            or zeros.
    """

    def __init__(
        self,
        sample_rate: int = 22050,
        strides: Sequence[int] = (2, 3, 6, 7, 7),
        levels: Sequence[int] = (9, 8, 8, 7),
        num_codebooks: int = 4,
        encoder_channels: int = 24,
        decoder_channels: int = 864,
        kernel_sizes: Sequence[int] = (3, 7, 11),
        dilations: Sequence[int] = (1, 3, 5),
        encoder_padding: str = "replicate",
    ):
        _check_shape(decoder_channels, strides, kernel_sizes)
        quantizer = GroupFsq(levels, num_codebooks)
        frame_rate = Fraction(sample_rate, math.prod(strides))
        super().__init__(
            sample_rate, frame_rate, num_codebooks, quantizer.codebook_size
        )
        self.quantizer = quantizer
        self.encoder = NanoEncoder(
            quantizer.num_dims,
            encoder_channels,
            strides,
            kernel_sizes,
            dilations,
            encoder_padding,
        )
        self.decoder = NanoDecoder(
            quantizer.num_dims,
            decoder_channels,
            list(reversed(strides)),
            kernel_sizes,
            dilations,
        )

    def forward(self, speech: Tensor) -> CodecOutput:
        """Encode and decode speech (B, S), S a multiple of samples_per_frame."""
        # Rounding to levels needs more digits than bfloat16 has.
        values, codes = self.quantizer(self.encoder(speech).float())
        return CodecOutput(self.decoder(values), codes, {})

    @torch.no_grad()
    def encode(self, speech: Tensor) -> Tensor:
        """Turn speech (B, S) into codes (B, T, K), padding the last frame with zeros."""
        self.check_speech(speech)
        missing = -speech.size(1) % self.samples_per_frame
        latents = self.encoder(F.pad(speech, (0, missing)))
        return self.quantizer(latents.float())[1]

    def decode(self, codes: Tensor) -> Tensor:
        """Turn codes (B, T, K) into speech (B, T * samples_per_frame)."""
        self.check_codes(codes)
        return self.decoder(self.quantizer.codes_to_values(codes))

    def init_state(self, batch_size: int) -> tuple:
        """Return the state before the first frame."""
        return self.decoder.init_state(batch_size)

    def step(self, codes: Tensor, state: tuple) -> tuple[Tensor, tuple]:
        """Decode one frame: codes (B, 1, K) -> (speech (B, samples), state)."""
        self.check_codes(codes)
        return self.decoder.step(self.quantizer.codes_to_values(codes), state)


def _check_shape(
    decoder_channels: int, strides: Sequence[int], kernel_sizes: Sequence[int]
) -> None:
    if decoder_channels % 2 ** len(strides):
        raise ValueError(
            f"{decoder_channels} decoder channels cannot be halved {len(strides)} "
            f"times; choose a multiple of {2 ** len(strides)}."
        )
    even = [size for size in kernel_sizes if size % 2 == 0]
    if even:
        raise ValueError(
            f"Kernel size {even[0]} is even, but the encoder's symmetric convolutions "
            "need odd ones."
        )
