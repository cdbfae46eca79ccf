"""Mimi, the codec of Moshi, from transformers: 24 kHz, 12.5 frames a second.

Défossez et al., "Moshi" (arXiv 2410.00037). Its codebooks are residual, each refining
those before it, so that any number of the first ones makes a codec; Moshi takes 8 of
2048 codes (1.1 kbps).
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import prod
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import MimiConfig, MimiModel
from transformers.models.mimi.modeling_mimi import (
    MimiConv1d,
    MimiConvTranspose1d,
    MimiEuclideanCodebook,
    MimiResnetBlock,
)

from espnet2_duplex.codec.abs_codec import AbsCodec, check_frame_rate
from espnet2_duplex.codec.conv_stages import (
    CausalConv,
    CausalTransposedConv,
    Chain,
    Pointwise,
    Stage,
    Sum,
)
from espnet2_duplex.codec.mimi_attention import SlidingWindowTransformer, WindowState

DEFAULT_NUM_CODEBOOKS = 8
_CONFIG_FIELDS = tuple(MimiConfig.__annotations__)


class MimiState(NamedTuple):
    """State of the decoder between two frames; its size never changes.

    Attributes:
        upsampler: Overlap of the transposed convolution from 12.5 to 25 Hz.
        transformer: Keys and values of the last 10 s.
        decoder: Contexts and overlaps of the convolutions down to samples.
    """

    upsampler: Tensor
    transformer: WindowState
    decoder: tuple


class MimiCodec(AbsCodec):
    """transformers' `MimiModel` with its first codebooks, and with streaming decode.

    Comes trained (`import_mimi`): there is nothing here to train it with.

    Args:
        config: Of `MimiConfig`, whose defaults are those of kyutai/mimi.
        num_codebooks: Codes per frame, K; the other codebooks are left out.

    Raises:
        ValueError: If the model is not causal or not mono, or has too few codebooks.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        num_codebooks: int = DEFAULT_NUM_CODEBOOKS,
    ):
        mimi_config = MimiConfig(**(config or {}))
        _check_config(mimi_config, num_codebooks)
        mimi_config.num_quantizers = num_codebooks
        sample_rate = mimi_config.sampling_rate
        # Around the quantizer the rate is halved once more.
        samples_per_frame = 2 * prod(mimi_config.upsampling_ratios)
        check_frame_rate("mimi", sample_rate, samples_per_frame)
        super().__init__(
            sample_rate,
            Fraction(sample_rate, samples_per_frame),
            num_codebooks,
            mimi_config.codebook_size,
        )
        self.model = MimiModel(mimi_config)
        self._upsampler = CausalTransposedConv(self.model.upsample.conv)
        self._transformer = SlidingWindowTransformer(self.model.decoder_transformer)
        self._decoder = Chain([_stage(layer) for layer in self.model.decoder.layers])
        self.register_load_state_dict_post_hook(_forget_codebooks)

    @torch.no_grad()
    def encode(self, speech: Tensor) -> Tensor:
        """Turn speech (B, S) into codes (B, T, K), padding the last frame with zeros."""
        self.check_speech(speech)
        missing = -speech.size(1) % self.samples_per_frame
        padded = F.pad(speech, (0, missing))[:, None]
        return self.model.encode(padded, return_dict=True).audio_codes.transpose(1, 2)

    def decode(self, codes: Tensor) -> Tensor:
        """Turn codes (B, T, K) into speech (B, T * samples_per_frame)."""
        self.check_codes(codes)
        output = self.model.decode(codes.transpose(1, 2), return_dict=True)
        return output.audio_values[:, 0]

    def init_state(self, batch_size: int) -> MimiState:
        """Return the state before the first frame."""
        return MimiState(
            self._upsampler.init_state(batch_size),
            self._transformer.init_state(batch_size),
            self._decoder.init_state(batch_size),
        )

    def step(self, codes: Tensor, state: MimiState) -> tuple[Tensor, MimiState]:
        """Decode one frame: codes (B, 1, K) -> (speech (B, samples), state)."""
        self.check_codes(codes)
        hidden = self.model.quantizer.decode(codes.transpose(1, 2))
        hidden, upsampler = self._upsampler.step(hidden, state.upsampler)
        hidden, transformer = self._transformer.step(
            hidden.transpose(1, 2), state.transformer
        )
        speech, decoder = self._decoder.step(hidden.transpose(1, 2), state.decoder)
        return speech[:, 0], MimiState(upsampler, transformer, decoder)

    def _apply(self, fn: Callable, recurse: bool = True) -> "MimiCodec":
        """Move or cast; what transformers keeps aside does not go along."""
        _forget_codebooks(self)
        return super()._apply(fn, recurse)


def import_mimi(
    model: str, num_codebooks: int = DEFAULT_NUM_CODEBOOKS
) -> tuple[dict[str, Any], MimiCodec]:
    """Take a pretrained Mimi over.

    Args:
        model: Name on the Hugging Face hub ("kyutai/mimi"), or a folder with
            config.json and the weights.
        num_codebooks: Codes per frame, K.

    Returns:
        The `codec_conf` that builds the codec, and the codec in evaluation mode with
        its silence codes measured.

    Raises:
        ValueError: If there is no such model, or if it cannot be used here.
    """
    try:
        pretrained = MimiModel.from_pretrained(model, dtype=torch.float32)
    except OSError as error:
        raise ValueError(
            f"{model} is neither a folder with a Mimi model nor one that the Hugging "
            "Face hub would give; download kyutai/mimi and pass its folder."
        ) from error
    _check_config(pretrained.config, num_codebooks)
    # Its own fields only: the rest of a transformers configuration says nothing here.
    config = {name: getattr(pretrained.config, name) for name in _CONFIG_FIELDS}
    config["num_quantizers"] = num_codebooks
    conf = {"config": config, "num_codebooks": num_codebooks}
    codec = MimiCodec(**conf)
    wanted = codec.model.state_dict()
    weights = {k: v for k, v in pretrained.state_dict().items() if k in wanted}
    codec.model.load_state_dict(weights)
    _forget_codebooks(codec)
    codec.eval().requires_grad_(False)
    codec.silence_codes.copy_(codec.measure_silence_codes())
    return conf, codec


def _check_config(config: MimiConfig, num_codebooks: int) -> None:
    if not config.num_semantic_quantizers < num_codebooks <= config.num_quantizers:
        raise ValueError(
            f"{num_codebooks} codebooks were asked of a Mimi model with "
            f"{config.num_quantizers}; choose more than {config.num_semantic_quantizers} "
            "and no more than it has."
        )
    causal = config.use_causal_conv and config.trim_right_ratio == 1.0
    if not causal or config.pad_mode != "constant" or config.audio_channels != 1:
        raise ValueError(
            "This Mimi model is not a causal mono one with constant padding, so that it "
            "cannot decode while it speaks; use a model shaped like kyutai/mimi."
        )


def _forget_codebooks(codec: nn.Module, _incompatible_keys: Any = None) -> None:
    """Drop the tables that transformers computes once and then never again."""
    for module in codec.modules():
        if isinstance(module, MimiEuclideanCodebook):
            module._embed = None


def _stage(module: nn.Module) -> Stage:
    if isinstance(module, MimiConv1d):
        return CausalConv(module.conv)
    if isinstance(module, MimiConvTranspose1d):
        return CausalTransposedConv(module.conv)
    if isinstance(module, MimiResnetBlock):
        block = Chain([_stage(layer) for layer in module.block])
        return Sum(_stage(module.shortcut), block)
    return Pointwise(module)
