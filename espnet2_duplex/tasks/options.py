"""Options of the duplex task, beside ESPnet's own."""

import argparse

import yaml
from espnet2.train.class_choices import ClassChoices
from espnet2.utils.get_default_kwargs import get_default_kwargs
from espnet2.utils.nested_dict_action import NestedDictAction
from espnet2.utils.types import float_or_none, int_or_none, str2bool, str_or_none

from espnet2_duplex.backbone import Backbone
from espnet2_duplex.espnet_model import ESPnetDuplexS2SModel
from espnet2_duplex.perception.abs_encoder import AbsStreamingEncoder
from espnet2_duplex.perception.adapter import Adapter
from espnet2_duplex.perception.fastconformer import FastConformerEncoder
from espnet2_duplex.perception.whisper_causal import WhisperCausalEncoder

encoder_choices = ClassChoices(
    "encoder",
    classes=dict(
        whisper_causal=WhisperCausalEncoder,
        fastconformer=FastConformerEncoder,
    ),
    type_check=AbsStreamingEncoder,
    default="whisper_causal",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add all of them."""
    group = parser.add_argument_group("Task related")
    parser.get_default("required").extend(["bpemodel", "codec_config", "codec_model"])
    _add_streams(group)
    _add_llm(group)
    _add_parts(group)
    _add_training(group)
    group.add_argument("--use_preprocessor", type=str2bool, default=True)
    encoder_choices.add_arguments(group)


def _add_streams(group) -> None:
    group.add_argument(
        "--token_type",
        choices=["bpe", "hugging_face"],
        default="bpe",
        help="bpe: a SentencePiece model; hugging_face: the LLM's own tokenizer",
    )
    group.add_argument(
        "--bpemodel",
        type=str_or_none,
        help="The .model file, or the tokenizer's hub name, folder or tokenizer.json",
    )
    group.add_argument(
        "--codec_config", type=str_or_none, help="codec.yaml of the agent's codec"
    )
    group.add_argument(
        "--codec_model", type=str_or_none, help="codec.pth of the agent's codec"
    )
    group.add_argument(
        "--delays",
        type=int,
        nargs="+",
        default=[0, 1, 1, 1, 1],
        help="Delay of each channel in frames, text first (Sec. 3.1)",
    )
    group.add_argument(
        "--system_prompt",
        type=str_or_none,
        help="Text before every conversation, in the LLM's chat template",
    )
    group.add_argument(
        "--trained_with",
        action=NestedDictAction,
        default=dict(),
        help="Written by training: what identifies its tokenizer and codec",
    )


def _add_llm(group) -> None:
    group.add_argument(
        "--llm",
        type=str_or_none,
        help="Hub name, folder or GGUF file of the LLM; its configuration then takes the "
        "place of --llm_conf",
    )
    group.add_argument(
        "--llm_init",
        type=str2bool,
        default=True,
        help="false: build what --llm_conf says, with random weights",
    )
    group.add_argument(
        "--llm_conf",
        action=NestedDictAction,
        default=dict(),
        help="transformers configuration with model_type, for an LLM from scratch",
    )
    group.add_argument(
        "--llm_num_layers",
        type=int_or_none,
        help="Keep the first layers of the LLM only",
    )
    group.add_argument(
        "--lora_conf",
        action=NestedDictAction,
        default=dict(),
        help="Low-rank adapters in the LLM: r, alpha, dropout, target_modules; empty "
        "trains the LLM itself. Takes the place of ESPnet's --use_adapter",
    )


def _add_parts(group) -> None:
    group.add_argument(
        "--backbone_conf",
        action=NestedDictAction,
        default=get_default_kwargs(Backbone),
        help="Keyword arguments of Backbone",
    )
    group.add_argument(
        "--modality_adapter_conf",
        action=NestedDictAction,
        default=get_default_kwargs(Adapter),
        help="Keyword arguments of the adapter behind the encoder (--adapter and "
        "--adapter_conf are ESPnet's LoRA)",
    )
    group.add_argument(
        "--model_conf",
        action=NestedDictAction,
        default=get_default_kwargs(ESPnetDuplexS2SModel),
        help="Keyword arguments of ESPnetDuplexS2SModel",
    )


def _add_training(group) -> None:
    group.add_argument(
        "--freeze_pattern",
        nargs="*",
        default=[],
        help="Freeze weights whose name matches one of these regular expressions "
        "(--freeze_param takes prefixes)",
    )
    group.add_argument(
        "--optim_groups",
        type=yaml.safe_load,
        default=[],
        help="YAML list of {match: regular expression, lr: ...}: options of the "
        "optimizer for the weights whose name matches",
    )
    group.add_argument(
        "--peak_tflops",
        type=float_or_none,
        help="Of one device, for the log's MFU; known for common GPUs",
    )
