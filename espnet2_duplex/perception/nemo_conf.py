"""Which of NeMo's encoders are FastConformerEncoders, and with what configuration.

A model_config.yaml may leave out what is NeMo's default, so the defaults stand here
beside what can be imported.
"""

from typing import Any, Mapping, NamedTuple

from espnet2_duplex.perception.fastconformer import MELS_PER_FRAME
from espnet2_duplex.perception.features import NEMO_GUARD

PAPER_LOOKAHEAD_FRAMES = 1  # Sec. 5.1: 80 ms of right context
ADVICE = (
    "give a cache-aware streaming FastConformer, such as "
    "stt_en_fastconformer_hybrid_large_streaming_80ms"
)
Config = Mapping[str, Any]


class Fixed(NamedTuple):
    """An option whose value is the same in all models that can be imported."""

    expected: tuple[Any, ...]  # any of these
    default: Any  # NeMo's own, of a configuration without the option


ENCODER = {
    "subsampling": Fixed(("dw_striding",), "striding"),
    "subsampling_factor": Fixed((MELS_PER_FRAME,), 4),
    "causal_downsampling": Fixed((True,), False),
    "reduction": Fixed((None,), None),
    "self_attention_model": Fixed(("rel_pos",), "rel_pos"),
    "att_context_style": Fixed(("chunked_limited",), "regular"),
    "conv_context_size": Fixed(("causal",), None),
    "conv_context_style": Fixed(("regular",), "regular"),
    "conv_norm_type": Fixed(("layer_norm", "batch_norm"), "batch_norm"),
}
PREPROCESSOR = {
    "sample_rate": Fixed((16000,), 16000),
    "window_size": Fixed((0.025,), 0.02),  # seconds
    "window_stride": Fixed((0.01,), 0.01),  # seconds
    "window": Fixed(("hann",), "hann"),
    "n_fft": Fixed((512,), None),
    # NeMo normalises for the names it knows; NA is none of them.
    "normalize": Fixed(("NA", "none", "None", "", None, False), "per_feature"),
    "preemph": Fixed((0.97,), 0.97),
    "lowfreq": Fixed((0,), 0),
    "highfreq": Fixed((None, 8000), None),
    "mel_norm": Fixed(("slaney",), "slaney"),
    "mag_power": Fixed((2.0,), 2.0),
    "log": Fixed((True,), True),
    "log_zero_guard_type": Fixed(("add",), "add"),
    "log_zero_guard_value": Fixed((NEMO_GUARD,), NEMO_GUARD),
    "frame_splicing": Fixed((1,), 1),
    "exact_pad": Fixed((False,), False),
}


def conf_from_nemo(config: Config, num_lookahead_tokens: int | None = None) -> dict:
    """Arguments of FastConformerEncoder for a model of NeMo.

    Args:
        config: the model_config.yaml, with the sections `encoder` and `preprocessor`.
        num_lookahead_tokens: frames of look-ahead, one of those that the model was
            trained with; by default the one nearest to the paper's.

    Raises:
        ValueError: If the model is not a streaming one, or has features or layers that
            FastConformerEncoder does not compute.
    """
    encoder = _section(config, "encoder", "ConformerEncoder")
    preprocessor = _section(config, "preprocessor", "AudioToMelSpectrogramPreprocessor")
    _check(encoder, ENCODER, "encoder")
    _check(preprocessor, PREPROCESSOR, "preprocessor")
    left, lookahead = choose_context(
        encoder.get("att_context_size"), num_lookahead_tokens
    )
    width = _whole(encoder, "encoder", "d_model")
    if encoder.get("feat_out", -1) not in (-1, None, 0, width):
        raise ValueError(
            f"The model's encoder.feat_out is {encoder['feat_out']}, an extra layer "
            f"behind the encoder, but none is expected (-1); {ADVICE}."
        )
    channels = _whole(encoder, "encoder", "subsampling_conv_channels", -1)
    layer_norm = encoder.get("conv_norm_type", "batch_norm") == "layer_norm"
    return {
        "output_size": width,
        "num_layers": _whole(encoder, "encoder", "n_layers"),
        "num_heads": _whole(encoder, "encoder", "n_heads", 4),
        "ffn_size": width * _whole(encoder, "encoder", "ff_expansion_factor", 4),
        "conv_kernel_size": _whole(encoder, "encoder", "conv_kernel_size", 31),
        "subsampling_channels": width if channels == -1 else channels,
        "num_mel_bins": _whole(preprocessor, "preprocessor", "features", 64),
        "left_context_frames": left,
        "num_lookahead_tokens": lookahead,
        "dropout": float(encoder.get("dropout", 0.1)),
        "bias": bool(encoder.get("use_bias", True)),
        "scale_input": bool(encoder.get("xscaling", True)),
        "conv_norm": "layer_norm" if layer_norm else "affine",
    }


def choose_context(sizes: Any, lookahead: int | None = None) -> tuple[int, int]:
    """Left context and look-ahead, in frames, out of `att_context_size`.

    Args:
        sizes: `[left, right]`, or a list of such pairs for a model of several latencies.
        lookahead: the right context asked for; by default the nearest to the paper's.

    Raises:
        ValueError: If the context is not limited, or none has that look-ahead.
    """
    pairs = sizes if isinstance(sizes, list) and isinstance(sizes[0], list) else [sizes]
    if not all(_is_limited(pair) for pair in pairs):
        raise ValueError(
            f"The model's encoder.att_context_size is {sizes}, but [left, right] in "
            f"frames, both limited, is expected of a streaming model; {ADVICE}."
        )
    by_lookahead = {right: left for left, right in pairs}
    if lookahead is None:
        lookahead = min(by_lookahead, key=lambda n: abs(n - PAPER_LOOKAHEAD_FRAMES))
    if lookahead not in by_lookahead:
        raise ValueError(
            f"A look-ahead of {lookahead} frames is asked for, but the model was "
            f"trained with {', '.join(map(str, sorted(by_lookahead)))}; choose of these."
        )
    return by_lookahead[lookahead], lookahead


def _is_limited(pair: Any) -> bool:
    is_pair = isinstance(pair, list) and len(pair) == 2
    return is_pair and all(isinstance(n, int) and n >= 0 for n in pair)


def _section(config: Config, name: str, class_name: str) -> Config:
    """A section of the configuration, which must build that class of NeMo."""
    section = config.get(name) if isinstance(config, Mapping) else None
    if not isinstance(section, Mapping):
        raise ValueError(
            f"The model's configuration has no section {name}, as an ASR model of NeMo "
            f"has; {ADVICE}."
        )
    target = str(section.get("_target_"))
    if target.rpartition(".")[2] != class_name:
        raise ValueError(
            f"The model's {name} is {target}, but {class_name} is expected; {ADVICE}."
        )
    return section


def _check(section: Config, options: Mapping[str, Fixed], name: str) -> None:
    for key, option in options.items():
        found = section.get(key, option.default)
        if found not in option.expected:
            origin = "" if key in section else ", NeMo's default"
            expected = " or ".join(map(repr, option.expected))
            raise ValueError(
                f"The model's {name}.{key} is {found!r}{origin}, but {expected} is "
                f"expected; {ADVICE}."
            )


def _whole(section: Config, name: str, key: str, default: int | None = None) -> int:
    value = section.get(key, default)
    if not isinstance(value, int):
        raise ValueError(
            f"The model's {name}.{key} is {value!r}, but a whole number is expected; "
            "download the .nemo file again."
        )
    return value
