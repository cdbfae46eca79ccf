"""From `llm_conf` to a configuration of transformers that a duplex model can use."""

from collections.abc import Mapping
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

# Kinds of layers whose whole memory is keys and values of past frames.
_LAYERS_WITH_WINDOW = {"attention", "full_attention", "sliding_attention"}


def build_llm_config(llm_conf: Mapping[str, Any], vocab_size: int):
    """The transformers configuration of `llm_conf`, with a row for every token.

    Args:
        llm_conf: Keyword arguments of a transformers configuration, with `model_type`.
        vocab_size: The tokenizer's size, V.

    Raises:
        ValueError: If `llm_conf` names no causal LLM, or one whose layers remember more
            than the keys and values of past frames.
    """
    if "model_type" not in llm_conf:
        raise ValueError(
            "llm_conf has no model_type; give a transformers configuration, "
            "for example `model_type: llama`, or name a model with --llm"
        )
    conf = {"vocab_size": vocab_size, **llm_conf}
    model_type = conf.pop("model_type")
    if model_type not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise ValueError(
            f"model_type {model_type!r} is no causal LLM of the installed transformers; "
            "choose one such as llama, qwen3 or gpt2"
        )
    try:
        config = AutoConfig.for_model(model_type, **conf)
    except (StrictDataclassError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[-1].strip()
        raise ValueError(
            f"llm_conf is not valid for {model_type} ({reason}); mend it, or name a "
            "model with --llm"
        ) from error
    _check_layers(config)
    config.vocab_size = max(config.vocab_size, vocab_size)
    # An embedding row with a padding_idx gets no gradient, but <PAD> is an
    # ordinary and frequent token of the text channel.
    config.pad_token_id = None
    return config


def keep_first_layers(llm_conf: Mapping[str, Any], num_layers: int) -> dict[str, Any]:
    """`llm_conf` with the first `num_layers` layers only.

    Lists with one entry per layer are cut as well.

    Raises:
        ValueError: If the LLM does not have as many.
    """
    conf = dict(llm_conf)
    config = AutoConfig.for_model(conf["model_type"], **_without_type(conf))
    available = config.num_hidden_layers
    if not 1 <= num_layers <= available:
        raise ValueError(
            f"llm_num_layers is {num_layers} but the LLM has {available} layers; give "
            f"1 to {available}"
        )
    for key, value in conf.items():
        if isinstance(value, (list, tuple)) and key.endswith(("layers", "layer_types")):
            conf[key] = list(value)[:num_layers]
    conf[config.attribute_map.get("num_hidden_layers", "num_hidden_layers")] = (
        num_layers
    )
    return conf


def _without_type(conf: Mapping[str, Any]) -> dict[str, Any]:
    return {key: conf[key] for key in conf if key != "model_type"}


def _check_layers(config) -> None:
    if config.get_text_config() is not config or config.is_encoder_decoder:
        raise ValueError(
            f"{config.model_type} is more than a text decoder; choose its text model"
        )
    names = ("layer_types", "layers_block_type")  # the latter of older families
    kinds = {kind for name in names for kind in getattr(config, name, None) or []}
    kinds -= _LAYERS_WITH_WINDOW
    if kinds:
        raise ValueError(
            f"{config.model_type} has layers of kind {', '.join(sorted(kinds))}, whose "
            "memory a session cannot bound to a window; choose an LLM with attention "
            "in all layers, such as Llama, Qwen3 or SmolLM"
        )
