"""NeMo's configuration of an audio codec -> the arguments of NanoCodec."""

import math
from dataclasses import dataclass
from typing import Any

_ADVICE = "import a checkpoint of the nemo-nano-codec family"
# What NeMo's classes take where the configuration is silent
# (nemo/collections/tts/modules/audio_codec_modules.py).
_ENCODER_DEFAULTS = {
    "down_sample_rates": [2, 2, 8, 8],
    "base_channels": 32,
    "in_kernel_size": 7,
    "out_kernel_size": 7,
    "resblock_kernel_sizes": [3, 7, 11],
    "resblock_dilation_sizes": [1, 3, 5],
    "activation": "lrelu",
    "pad_mode": "reflect",
}
_DECODER_DEFAULTS = {
    "up_sample_rates": [8, 8, 2, 2],
    "base_channels": 512,
    "in_kernel_size": 7,
    "out_kernel_size": 3,
    "resblock_kernel_sizes": [3, 7, 11],
    "resblock_dilation_sizes": [1, 3, 5],
    "activation": "lrelu",
    "output_activation": "tanh",
    "pad_mode": "zeros",
    "n_groups_equal_to_out_channels": True,
}
_QUANTIZER_DEFAULTS = {"eps": 1e-3}
# What NanoCodec's modules have built in.
_ENCODER_SHAPE = {"activation": "lrelu", "in_kernel_size": 7, "out_kernel_size": 7}
_DECODER_SHAPE = {
    "in_kernel_size": 7,
    "out_kernel_size": 3,
    "activation": "half_snake",
    "output_activation": "clamp",
    "pad_mode": "zeros",
    "n_groups_equal_to_out_channels": True,
}


@dataclass(frozen=True)
class _Section:
    """A part of the configuration, with NeMo's defaults filled in."""

    name: str
    values: dict[str, Any]

    def part(self, name: str, target: str, defaults: dict) -> "_Section":
        values = self.get(name)
        found = values.get("_target_") if isinstance(values, dict) else None
        if str(found).rpartition(".")[2] != target:
            raise ValueError(
                f"The configuration's {name} is {found}, but a NanoCodec's is "
                f"{target}; {_ADVICE}."
            )
        return _Section(name, {**defaults, **values})

    def get(self, key: str) -> Any:
        if key not in self.values:
            raise ValueError(
                f"The configuration's {self.name} has no {key}; pass the "
                "model_config.yaml of a NanoCodec."
            )
        return self.values[key]

    def number(self, key: str) -> int:
        if not isinstance(self.get(key), int):
            raise ValueError(
                f"The configuration's {self.name} has {key} {self.values[key]}, but "
                f"a whole number is expected; {_ADVICE}."
            )
        return self.values[key]

    def numbers(self, key: str) -> list[int]:
        value = self.get(key)
        if not isinstance(value, list) or not all(isinstance(x, int) for x in value):
            raise ValueError(
                f"The configuration's {self.name} has {key} {value}, but a list of "
                f"whole numbers is expected; {_ADVICE}."
            )
        return value

    def require(self, **expected: Any) -> None:
        for key, value in expected.items():
            if self.get(key) != value:
                raise ValueError(
                    f"The configuration's {self.name} has {key} {self.values[key]}, "
                    f"but a NanoCodec of this shape has {value}; {_ADVICE}."
                )


def conf_from_nemo(config: Any) -> dict[str, Any]:
    """Translate a model_config.yaml of NeMo's AudioCodecModel.

    Args:
        config: Its content.

    Returns:
        Arguments of NanoCodec.

    Raises:
        ValueError: If the configuration describes another architecture.
    """
    model = _Section("model", config if isinstance(config, dict) else {})
    encoder = model.part("audio_encoder", "HiFiGANEncoder", _ENCODER_DEFAULTS)
    decoder = model.part("audio_decoder", "CausalHiFiGANDecoder", _DECODER_DEFAULTS)
    quantizer = model.part(
        "vector_quantizer", "GroupFiniteScalarQuantizer", _QUANTIZER_DEFAULTS
    )
    conf = {
        "sample_rate": model.number("sample_rate"),
        "strides": encoder.numbers("down_sample_rates"),
        "levels": quantizer.numbers("num_levels_per_group"),
        "num_codebooks": quantizer.number("num_groups"),
        "encoder_channels": encoder.number("base_channels"),
        "decoder_channels": decoder.number("base_channels"),
        "kernel_sizes": encoder.numbers("resblock_kernel_sizes"),
        "dilations": encoder.numbers("resblock_dilation_sizes"),
        "encoder_padding": encoder.get("pad_mode"),
    }
    num_dims = conf["num_codebooks"] * len(conf["levels"])
    model.require(samples_per_frame=math.prod(conf["strides"]))
    encoder.require(encoded_dim=num_dims, **_ENCODER_SHAPE)
    decoder.require(
        input_dim=num_dims,
        up_sample_rates=conf["strides"][::-1],
        resblock_kernel_sizes=conf["kernel_sizes"],
        resblock_dilation_sizes=conf["dilations"],
        **_DECODER_SHAPE,
    )
    quantizer.require(**_QUANTIZER_DEFAULTS)
    return conf
