"""NVIDIA's streaming FastConformers in transformers' format (NemotronAsrStreaming)."""

import json
from pathlib import Path
from typing import Any, Mapping

import torch
from torch import Tensor

from espnet2_duplex.perception.fastconformer import (
    MELS_PER_FRAME,
    FastConformerEncoder,
)
from espnet2_duplex.perception.nemo_checkpoint import check_tensors
from espnet2_duplex.perception.nemo_conf import choose_context

ENCODER_TYPE = "nemotron_asr_streaming_encoder"
PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json")
# What FastConformerEncoder and NemoLogMel compute.
EXPECTED = {"subsampling_factor": MELS_PER_FRAME, "hidden_act": "silu"}
EXPECTED |= {"subsampling_conv_kernel_size": 3, "subsampling_conv_stride": 2}
EXPECTED_FEATURES = {"sampling_rate": 16000, "hop_length": 160, "n_fft": 512}
EXPECTED_FEATURES |= {"win_length": 400, "preemphasis": 0.97}


def load_transformers(
    name_or_path: str, num_lookahead_tokens: int | None = None
) -> tuple[dict, dict[str, Tensor]]:
    """Configuration and weights of an encoder, alone or within a recogniser.

    Args:
        name_or_path: a folder with a config.json, or a name on the Hugging Face hub.
        num_lookahead_tokens: frames of look-ahead, one of those that the model was
            trained with; by default the one nearest to the paper's.

    Returns:
        Arguments of FastConformerEncoder, and its state dict, float32.

    Raises:
        ValueError: If there is no such model, it is not a streaming FastConformer, or
            weights are missing.
    """
    config = _read_config(name_or_path)
    _check(name_or_path, config.to_dict(), EXPECTED)
    processor = _read_processor(name_or_path)
    features = processor.get("feature_extractor", processor)
    _check(name_or_path, features, EXPECTED_FEATURES)
    lookaheads = processor.get("supported_num_lookahead_tokens")
    lookaheads = lookaheads or [config.default_num_lookahead_tokens]
    contexts = [[config.sliding_window - 1, n] for n in lookaheads]
    left, lookahead = choose_context(contexts, num_lookahead_tokens)
    conf = {
        "output_size": config.hidden_size,
        "num_layers": config.num_hidden_layers,
        "num_heads": config.num_attention_heads,
        "ffn_size": config.intermediate_size,
        "conv_kernel_size": config.conv_kernel_size,
        "subsampling_channels": config.subsampling_conv_channels,
        "num_mel_bins": config.num_mel_bins,
        "left_context_frames": left,
        "num_lookahead_tokens": lookahead,
        "dropout": float(config.dropout),
        "bias": config.attention_bias,
        "scale_input": config.scale_input,
        "conv_norm": "layer_norm",
    }
    weights = _read_weights(name_or_path)
    with torch.device("meta"):
        check_tensors(weights, FastConformerEncoder(**conf).state_dict())
    return conf, weights


def _read_config(name_or_path: str) -> Any:
    """The encoder's part of the configuration."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(name_or_path)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{name_or_path!r} is neither a folder with a config.json that transformers "
            "knows nor a model that the Hugging Face hub would give; check the path or "
            "the name."
        ) from error
    encoder = getattr(config, "encoder_config", config)
    if encoder.model_type != ENCODER_TYPE:
        raise ValueError(
            f"{name_or_path} is of the type {config.model_type}, but {ENCODER_TYPE}, or "
            "a recogniser with such an encoder, is expected; give a model of the kind of "
            "nvidia/nemotron-speech-streaming-en-0.6b."
        )
    if encoder.attention_bias != encoder.convolution_bias:
        raise ValueError(
            f"{name_or_path} has biases in some layers only (attention_bias "
            f"{encoder.attention_bias}, convolution_bias {encoder.convolution_bias}), "
            "but FastConformerEncoder has them in all or none; give another model."
        )
    return encoder


def _read_processor(name_or_path: str) -> dict[str, Any]:
    """How the features are computed and which look-aheads there are; {} if unsaid."""
    from transformers.utils import cached_file

    for name in PROCESSOR_FILES:
        file = cached_file(
            name_or_path,
            name,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
        if file is not None:
            return json.loads(Path(file).read_text(encoding="utf-8"))
    return {}


def _check(name: str, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    for key, value in expected.items():
        if found.get(key, value) != value:
            raise ValueError(
                f"{name} has {key} {found[key]!r}, but {value!r} is expected; give a "
                "model of the kind of nvidia/nemotron-speech-streaming-en-0.6b."
            )


def _read_weights(name_or_path: str) -> dict[str, Tensor]:
    from transformers import AutoModel

    model, info = AutoModel.from_pretrained(
        name_or_path, dtype=torch.float32, output_loading_info=True
    )
    # transformers fills these with random numbers and only warns.
    lacking = sorted([*info["missing_keys"], *info["mismatched_keys"]], key=str)
    if lacking:
        raise ValueError(
            f"{name_or_path} lacks the weights of {lacking[0]}, or has them of another "
            f"shape ({len(lacking)} in all); download it again."
        )
    encoder = getattr(model, "encoder", model)
    return {f"conformer.{n}": w for n, w in encoder.state_dict().items()}
