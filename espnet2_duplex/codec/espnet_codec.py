"""Any codec that ESPnet's gan_codec task trains: SoundStream, Encodec, DAC, FunCodec.

ESPnet decodes whole sequences only. A SEANet decoder that was trained causal runs
here frame by frame all the same (`conv_stages`); any other one can be compared with
(`codec_score`) but cannot be an agent's voice.
"""

import copy
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
import yaml
from espnet2.gan_codec.shared.decoder.seanet import SConvTranspose1d, SEANetDecoder
from espnet2.gan_codec.shared.encoder.seanet import SLSTM, SConv1d, SEANetResnetBlock
from espnet2.tasks.gan_codec import GANCodecTask, codec_choices
from torch import Tensor, nn

from espnet2_duplex.codec.abs_codec import AbsCodec, check_frame_rate
from espnet2_duplex.codec.conv_stages import (
    CausalConv,
    CausalTransposedConv,
    Chain,
    Pointwise,
    Recurrent,
    Stage,
    Sum,
)


class EspnetCodec(AbsCodec):
    """An ESPnet codec by its `meta_info`, `encode` and `decode`.

    Comes trained (`import_espnet`). The codes are those of its largest bandwidth.

    Args:
        codec: ESPnet's name of the shape, for example "soundstream".
        codec_conf: Arguments of that shape, as in the training's config.yaml.

    Attributes:
        can_stream: Whether the decoder is a causal SEANet padded with zeros
            (`encdec_causal: true`, `encdec_pad_mode: constant`).

    Raises:
        ValueError: If the frame rate is not 12.5 Hz, the codebooks differ in size, or
            decoding does not give whole frames.
    """

    def __init__(self, codec: str, codec_conf: Mapping[str, Any]):
        # ESPnet's constructors write into what they are given.
        gan_codec = codec_choices.get_class(codec)(**copy.deepcopy(dict(codec_conf)))
        info = gan_codec.meta_info()
        num_codebooks, samples_per_frame = _measure(codec, gan_codec)
        check_frame_rate(codec, info["fs"], samples_per_frame)
        sizes = set(info["code_size_per_stream"])
        if len(sizes) != 1:
            raise ValueError(
                f"The codec {codec} has codebooks of {sorted(sizes)} codes, but the model "
                "has one vocabulary for all; use a codec with codebooks of one size."
            )
        frame_rate = Fraction(info["fs"], samples_per_frame)
        super().__init__(info["fs"], frame_rate, num_codebooks, sizes.pop())
        # Inference needs neither the discriminator nor its weights.
        del gan_codec.discriminator
        self.gan_codec = gan_codec
        self._decoder = _decoder_stages(getattr(gan_codec.generator, "decoder", None))
        self.can_stream = self._decoder is not None

    @torch.no_grad()
    def encode(self, speech: Tensor) -> Tensor:
        """Turn speech (B, S) into codes (B, T, K), padding the last frame with zeros."""
        self.check_speech(speech)
        missing = -speech.size(1) % self.samples_per_frame
        codes = self.gan_codec.encode(F.pad(speech, (0, missing))[:, None])
        return codes.permute(1, 2, 0)

    def decode(self, codes: Tensor) -> Tensor:
        """Turn codes (B, T, K) into speech (B, T * samples_per_frame)."""
        self.check_codes(codes)
        return self.gan_codec.decode(codes.permute(2, 0, 1))[:, 0]

    def init_state(self, batch_size: int) -> tuple:
        """Return the state before the first frame.

        Raises:
            ValueError: If the decoder is not causal.
        """
        self._check_streaming()
        return self._decoder.init_state(batch_size)

    def step(self, codes: Tensor, state: tuple) -> tuple[Tensor, tuple]:
        """Decode one frame: codes (B, 1, K) -> (speech (B, samples), state).

        Raises:
            ValueError: If the decoder is not causal, or a code is out of range.
        """
        self._check_streaming()
        self.check_codes(codes)
        hidden = self.gan_codec.generator.quantizer.decode(codes.permute(2, 0, 1))
        speech, state = self._decoder.step(hidden, state)
        return speech[:, 0], state

    def _check_streaming(self) -> None:
        if not self.can_stream:
            raise ValueError(
                "This ESPnet codec decodes whole recordings only; train it with "
                "encdec_causal true and encdec_pad_mode constant to stream it."
            )


def import_espnet(
    train_config: str | Path, model_file: str | Path, device: str = "cpu"
) -> tuple[dict[str, Any], EspnetCodec]:
    """Take a codec over that `espnet2.bin.gan_codec_train` trained.

    Args:
        train_config: Its config.yaml.
        model_file: Its checkpoint.
        device: Where the codec shall run.

    Returns:
        The `codec_conf` that builds the codec without `train_config`, and the codec in
        evaluation mode with its silence codes measured.

    Raises:
        ValueError: If the codec does not fit, or the file is of another training.
    """
    with open(train_config, encoding="utf-8") as f:
        config = yaml.safe_load(f)
    if not isinstance(config, dict) or not {"codec", "codec_conf"} <= config.keys():
        raise ValueError(
            f"{train_config} names no codec; pass the config.yaml that "
            "espnet2.bin.gan_codec_train wrote."
        )
    conf = {"codec": config["codec"], "codec_conf": config["codec_conf"]}
    codec = EspnetCodec(**conf).to(device)
    model, _ = GANCodecTask.build_model_from_file(train_config, model_file, device)
    codec.gan_codec.generator.load_state_dict(model.codec.generator.state_dict())
    codec.eval().requires_grad_(False)
    codec.silence_codes.copy_(codec.measure_silence_codes())
    return conf, codec


@torch.no_grad()
def _measure(name: str, gan_codec: nn.Module) -> tuple[int, int]:
    """Return the number of codebooks, K, and the samples of one frame.

    ESPnet's meta_info counts the quantizers that the largest bandwidth leaves unused
    too, and FunCodec's gives no number for the frame shift.
    """
    gan_codec.eval()
    num_samples = gan_codec.meta_info()["fs"]
    codes = gan_codec.encode(torch.zeros(1, 1, num_samples))
    num_codebooks, _, num_frames = codes.shape
    samples_per_frame, rest = divmod(gan_codec.decode(codes).size(-1), num_frames)
    if rest or num_frames != -(-num_samples // samples_per_frame):
        raise ValueError(
            f"The codec {name} makes {num_frames} frames of {num_samples} samples and "
            f"{num_frames * samples_per_frame + rest} samples of those, but whole frames "
            "are needed; use a codec without padding in time."
        )
    return num_codebooks, samples_per_frame


def _decoder_stages(decoder: nn.Module | None) -> Chain | None:
    """The decoder as stages, or None if it does not run frame by frame."""
    if type(decoder) is not SEANetDecoder:
        return None
    stages = [_stage(layer) for layer in decoder.model]
    return None if None in stages else Chain(stages)


def _stage(module: nn.Module) -> Stage | None:
    """One layer as a stage, None if its output depends on what is to come."""
    if isinstance(module, SConv1d):
        zeros = module.pad_mode == "constant" or module.conv.conv.kernel_size == (1,)
        local = isinstance(module.conv.norm, nn.Identity)
        return (
            CausalConv(module.conv.conv) if module.causal and zeros and local else None
        )
    if isinstance(module, SConvTranspose1d):
        local = isinstance(module.convtr.norm, nn.Identity)
        causal = module.causal and module.trim_right_ratio == 1.0
        return CausalTransposedConv(module.convtr.convtr) if causal and local else None
    if isinstance(module, SLSTM):
        return Recurrent(module.lstm, residual=module.skip)
    if isinstance(module, SEANetResnetBlock):
        branches = [_stage(module.shortcut), *map(_stage, module.block)]
        return None if None in branches else Sum(branches[0], Chain(branches[1:]))
    return Pointwise(module)
