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

import torch
import torch.nn.functional as F
from torch import Tensor

from espnet2_duplex.codec.abs_codec import AbsCodec, CodecOutput
from espnet2_duplex.codec.fsq import GroupFsq
from espnet2_duplex.codec.istft_decoder import (
    OVERLAP,
    SPECTRA_PER_FRAME,
    IstftDecoder,
    IstftState,
)
from espnet2_duplex.codec.mel_encoder import MELS_PER_FRAME, MelEncoder
from espnet2_duplex.codec.pitch import PitchTracker
from espnet2_duplex.codec.spectra import Spectrogram

_EDGE_FRAMES = 8  # frames of codes that the default encoder sees to either side


class IstftCodec(AbsCodec):
    """FSQ codec with an ISTFT decoder, about 4.6 million parameters by default.

    Args:
        sample_rate: Samples per second.
        samples_per_frame: Samples of one frame of codes; divisible by 4 and 7.
        levels: FSQ levels of one codebook.
        num_codebooks: Codes per frame, K.
        num_mels: Mel bands of the encoder's input and of the auxiliary output.
        encoder_channels: Width of the encoder at 50 Hz and at 12.5 Hz.
        encoder_blocks: ConvNeXt blocks at 50 Hz (kernel 7) and 12.5 Hz (kernel 5).
        decoder_channels: Width of the decoder at 12.5 Hz and at 87.5 Hz.
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
        decoder_channels: Sequence[int] = (256, 192),
        decoder_blocks: Sequence[int] = (3, 4),
    ):
        quantizer = GroupFsq(levels, num_codebooks)
        frame_rate = Fraction(sample_rate, samples_per_frame)
        super().__init__(
            sample_rate, frame_rate, num_codebooks, quantizer.codebook_size
        )
        self.quantizer = quantizer
        self.encoder = MelEncoder(
            sample_rate,
            _whole(samples_per_frame, MELS_PER_FRAME),
            num_mels,
            encoder_channels,
            encoder_blocks,
            quantizer.num_dims,
        )
        hop_size = _whole(samples_per_frame, SPECTRA_PER_FRAME)
        self.decoder = IstftDecoder(
            sample_rate,
            quantizer.num_dims,
            hop_size,
            num_mels,
            decoder_channels,
            decoder_blocks,
        )
        # Their frames cover the samples that the decoder's spectra cover.
        window_size = OVERLAP * hop_size
        self.aux_spectrogram = Spectrogram(
            sample_rate, window_size, hop_size, num_mels, left=0
        )
        self.pitch_tracker = PitchTracker(sample_rate, window_size, hop_size)

    def forward(self, speech: Tensor) -> CodecOutput:
        """Encode and decode speech (B, S), S a multiple of samples_per_frame.

        The auxiliary losses are those of what the slow half of the decoder predicts:
        log-mel spectra (L1 in nepers; it reaches the encoder by a short way, which
        makes the first minutes of training count), pitch (L1 in octaves, where the
        reference is voiced) and voicing (cross entropy).
        """
        # Rounding to levels needs more digits than bfloat16 has.
        values, codes = self.quantizer(self.encoder(speech).float())
        pitch = self.pitch_tracker(speech)
        output = self.decoder(values, pitch if self.training else None)
        with torch.no_grad():
            log_mel = self.aux_spectrogram.log_mel(self.aux_spectrogram(speech))
        voiced = pitch.voiced.float()
        octaves = (output.log2_f0 - pitch.log2_f0).abs() * voiced
        aux_losses = {
            "mel": F.l1_loss(output.log_mel, log_mel),
            "pitch": octaves.sum() / voiced.sum().clamp_min(1.0),
            "voicing": F.binary_cross_entropy_with_logits(output.voiced_logits, voiced),
        }
        return CodecOutput(output.speech, codes, aux_losses)

    @torch.no_grad()
    def encode(self, speech: Tensor) -> Tensor:
        """Turn speech (B, S) into codes (B, T, K), padding the last frame with zeros."""
        self.check_speech(speech)
        missing = -speech.size(1) % self.samples_per_frame
        # Speech stands in digital silence, not in the zeros of convolutions, so that
        # silence has the same codes at the edges as anywhere.
        margin = _EDGE_FRAMES * self.samples_per_frame
        padded = F.pad(speech, (margin, missing + margin))
        return self.quantizer(self.encoder(padded)[:, _EDGE_FRAMES:-_EDGE_FRAMES])[1]

    def decode(self, codes: Tensor) -> Tensor:
        """Turn codes (B, T, K) into speech (B, T * samples_per_frame)."""
        self.check_codes(codes)
        return self.decoder(self.quantizer.codes_to_values(codes)).speech

    def init_state(self, batch_size: int) -> IstftState:
        """Return the state before the first frame."""
        return self.decoder.init_state(batch_size)

    def step(self, codes: Tensor, state: IstftState) -> tuple[Tensor, IstftState]:
        """Decode one frame: codes (B, 1, K) -> (speech (B, samples), state)."""
        self.check_codes(codes)
        return self.decoder.step(self.quantizer.codes_to_values(codes), state)


def _whole(samples_per_frame: int, parts: int) -> int:
    if samples_per_frame % parts:
        raise ValueError(
            f"{samples_per_frame} samples per frame are not divisible by {parts}; "
            f"choose a multiple of {MELS_PER_FRAME * SPECTRA_PER_FRAME}."
        )
    return samples_per_frame // parts
