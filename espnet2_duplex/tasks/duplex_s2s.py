"""The registered task: builds the parts that a configuration names, no logic of its own."""

import argparse
import logging
from typing import Callable, Collection, Dict, List, Optional, Tuple

import numpy as np
import torch
from espnet2.tasks.abs_task import AbsTask
from espnet2.train.class_choices import ClassChoices
from espnet2.train.trainer import Trainer
from espnet2.utils.get_default_kwargs import get_default_kwargs
from espnet2.utils.nested_dict_action import NestedDictAction
from espnet2.utils.types import str2bool, str_or_none
from typeguard import typechecked

from espnet2_duplex.arks import check_archive_ends
from espnet2_duplex.backbone import Backbone
from espnet2_duplex.codec.loading import load_codec
from espnet2_duplex.duplex_lm import DuplexLM
from espnet2_duplex.espnet_model import ESPnetDuplexS2SModel
from espnet2_duplex.perception.abs_encoder import AbsStreamingEncoder
from espnet2_duplex.perception.adapter import Adapter
from espnet2_duplex.perception.fastconformer import FastConformerEncoder
from espnet2_duplex.perception.whisper_causal import WhisperCausalEncoder
from espnet2_duplex.session import check_codec, check_delays
from espnet2_duplex.timing import FrameClock
from espnet2_duplex.tokenizer import load_tokenizer
from espnet2_duplex.train.atomic_save import atomic_torch_save
from espnet2_duplex.train.collate_fn import DuplexCollateFn
from espnet2_duplex.train.preprocessor import DuplexPreprocessor, StreamSpec
from espnet2_duplex.vocabulary import SpeechIds

encoder_choices = ClassChoices(
    "encoder",
    classes=dict(
        whisper_causal=WhisperCausalEncoder,
        fastconformer=FastConformerEncoder,
    ),
    type_check=AbsStreamingEncoder,
    default="whisper_causal",
)


class DuplexS2STask(AbsTask):
    """SALM-Duplex (arXiv 2505.15670) as an ESPnet task."""

    num_optimizers: int = 1
    class_choices_list = [encoder_choices]
    trainer = Trainer

    @classmethod
    @typechecked
    def add_task_arguments(cls, parser: argparse.ArgumentParser):
        """Add the options of this task to ESPnet's."""
        group = parser.add_argument_group("Task related")
        required = parser.get_default("required")
        required += ["bpemodel", "codec_config", "codec_model"]
        group.add_argument(
            "--token_type",
            choices=["bpe", "hugging_face"],
            default="bpe",
            help="bpe: a SentencePiece model; hugging_face: the LLM's own tokenizer",
        )
        group.add_argument(
            "--bpemodel",
            type=str_or_none,
            help="The .model file, or the tokenizer's hub name, folder or "
            "tokenizer.json",
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
            "--llm",
            type=str_or_none,
            help="Hub name or folder of the LLM; its configuration then takes the place "
            "of --llm_conf",
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
        group.add_argument("--use_preprocessor", type=str2bool, default=True)
        for class_choices in cls.class_choices_list:
            class_choices.add_arguments(group)

    @classmethod
    def main_worker(cls, args: argparse.Namespace):
        """As ESPnet's, after a look at the archives of codes.

        A process that is killed while it saves leaves no broken file.
        """
        for part in ("train", "valid"):
            for path, _, kind in getattr(args, f"{part}_data_path_and_name_and_type"):
                if kind == "kaldi_ark":
                    check_archive_ends(path)
        with atomic_torch_save():
            super().main_worker(args)

    @classmethod
    @typechecked
    def build_collate_fn(cls, args: argparse.Namespace, train: bool) -> Callable[
        [Collection[Tuple[str, Dict[str, np.ndarray]]]],
        Tuple[List[str], Dict[str, torch.Tensor]],
    ]:
        """Padding to whole frames of the user's speech."""
        encoder = encoder_choices.get_class(args.encoder)
        clock = FrameClock(encoder.frame_rate)
        return DuplexCollateFn(clock.samples_per_frame(encoder.sample_rate))

    @classmethod
    @typechecked
    def build_preprocess_fn(
        cls, args: argparse.Namespace, train: bool
    ) -> Optional[Callable[[str, Dict[str, np.array]], Dict[str, np.ndarray]]]:
        """Alignment of turns and codes to the frame grid."""
        if not args.use_preprocessor:
            return None
        codec = load_codec(args.codec_config, args.codec_model)
        spec = StreamSpec(
            user_sample_rate=encoder_choices.get_class(args.encoder).sample_rate,
            clock=FrameClock(codec.frame_rate),
            speech_ids=SpeechIds(codec.codebook_size),
            silence_codes=codec.silence_codes.numpy(),
            delays=tuple(args.delays),
        )
        tokenizer = load_tokenizer(args.token_type, args.bpemodel)
        return DuplexPreprocessor(train, tokenizer, spec)

    @classmethod
    @typechecked
    def required_data_names(
        cls, train: bool = True, inference: bool = False
    ) -> Tuple[str, ...]:
        """User speech; in training also the agent's codes and the turns."""
        return (
            ("user_speech",) if inference else ("user_speech", "agent_codes", "turns")
        )

    @classmethod
    @typechecked
    def optional_data_names(
        cls, train: bool = True, inference: bool = False
    ) -> Tuple[str, ...]:
        """Nothing."""
        return ()

    @classmethod
    @typechecked
    def build_model(cls, args: argparse.Namespace) -> ESPnetDuplexS2SModel:
        """Build the model that `args` describes.

        The LLM's resolved configuration goes into `args`, which ESPnet saves beside the
        checkpoint: inference builds from that alone and needs neither hub nor weights.
        """
        check_delays(args.delays)  # what cannot be streamed is not trained
        codec = load_codec(args.codec_config, args.codec_model)
        tokenizer = load_tokenizer(args.token_type, args.bpemodel)
        init_from = args.llm if args.llm_init else None
        if init_from is not None:
            args.llm_conf = read_llm_conf(init_from)
        args.llm_init = False  # for whoever builds from the saved configuration
        encoder = encoder_choices.get_class(args.encoder)(**args.encoder_conf)
        backbone = Backbone(args.llm_conf, tokenizer.size, **args.backbone_conf)
        if init_from is not None:
            logging.info(f"Initialising the LLM from {init_from}")
            backbone.load_llm(init_from)
        duplex_lm = DuplexLM(
            backbone, codec.num_codebooks, SpeechIds(codec.codebook_size)
        )
        check_codec(codec, encoder, duplex_lm)
        return ESPnetDuplexS2SModel(
            encoder=encoder,
            adapter=Adapter(
                encoder.output_size, backbone.hidden_size, **args.modality_adapter_conf
            ),
            duplex_lm=duplex_lm,
            text_ids=tokenizer.ids,
            **args.model_conf,
        )


def read_llm_conf(name_or_path: str) -> dict:
    """The configuration of an LLM, as plain values for YAML.

    Raises:
        ValueError: If there is no such LLM.
    """
    from transformers import AutoConfig

    try:
        conf = AutoConfig.from_pretrained(name_or_path).to_diff_dict()
    except OSError as error:
        raise ValueError(
            f"the LLM {name_or_path!r} is neither a folder with a config.json nor one "
            "that the Hugging Face hub would give; check the path or the name"
        ) from error
    dropped = ("transformers_version", "architectures", "dtype", "_name_or_path")
    return {key: value for key, value in conf.items() if key not in dropped}
