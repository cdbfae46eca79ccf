"""The registered task: builds the parts that a configuration names, no logic of its own."""

import argparse
import logging
from pathlib import Path
from typing import Callable, Collection, Dict, List, Optional, Tuple, Union

import numpy as np
import torch
from espnet2.tasks.abs_task import AbsTask
from espnet2.train.trainer import Trainer
from typeguard import typechecked

from espnet2_duplex.backbone import Backbone
from espnet2_duplex.backbone.llm_config import keep_first_layers
from espnet2_duplex.backbone.lora import LoraConf, add_lora
from espnet2_duplex.codec.loading import load_codec
from espnet2_duplex.duplex_lm import DuplexLM
from espnet2_duplex.espnet_model import ESPnetDuplexS2SModel
from espnet2_duplex.llm_source import read_llm_conf
from espnet2_duplex.perception.adapter import Adapter
from espnet2_duplex.session import check_codec, check_delays
from espnet2_duplex.tasks import training
from espnet2_duplex.tasks.checkpoints import load_weights
from espnet2_duplex.tasks.options import add_options, encoder_choices
from espnet2_duplex.timing import FrameClock
from espnet2_duplex.tokenizer import TextTokenizer, load_tokenizer
from espnet2_duplex.train import trained_with
from espnet2_duplex.train.collate_fn import DuplexCollateFn
from espnet2_duplex.train.frozen_weights import mark_frozen
from espnet2_duplex.train.preprocessor import DuplexPreprocessor, StreamSpec
from espnet2_duplex.vocabulary import SpeechIds


class DuplexS2STask(AbsTask):
    """SALM-Duplex (arXiv 2505.15670) as an ESPnet task."""

    num_optimizers: int = 1
    class_choices_list = [encoder_choices]
    trainer = Trainer

    @classmethod
    @typechecked
    def add_task_arguments(cls, parser: argparse.ArgumentParser):
        """Add the options of this task to ESPnet's."""
        add_options(parser)

    @classmethod
    def main_worker(cls, args: argparse.Namespace):
        """As ESPnet's, after a look at the options, and guarded (`tasks.training`).

        Raises:
            ValueError: If the options cannot be meant, an archive is broken, or a step
                does not fit into memory.
        """
        training.check(args)
        training.recall_trained_with(args)
        with training.guarded(args, encoder_choices.get_class(args.encoder)):
            super().main_worker(args)

    @classmethod
    def build_sequence_iter_factory(cls, args, iter_options, mode):
        """ESPnet's, after a look at the sizes of the batches."""
        factory = super().build_sequence_iter_factory(args, iter_options, mode)
        frame_rate = encoder_choices.get_class(args.encoder).frame_rate
        is_own = mode == "valid" and args.valid_batch_bins is not None
        option = "valid_batch_bins" if is_own else "batch_bins"
        batches = factory.sampler.batches
        training.look_at_batches(batches, iter_options, frame_rate, option)
        return factory

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
        user_text = args.model_conf.get("ctc_weight", 0.0) > 0
        return DuplexPreprocessor(train, tokenizer, spec, user_text=user_text)

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

        Raises:
            ValueError: If the parts do not fit, or are not those of the training that
                `args` comes from.
        """
        _fill_defaults(args, cls.get_parser())
        check_delays(args.delays)  # what cannot be streamed is not trained
        codec = load_codec(args.codec_config, args.codec_model)
        tokenizer = load_tokenizer(args.token_type, args.bpemodel)
        found = trained_with.describe(tokenizer, codec)
        trained_with.check(args.trained_with, found, args.bpemodel, args.codec_model)
        args.trained_with = found
        encoder = encoder_choices.get_class(args.encoder)(**args.encoder_conf)
        backbone = build_backbone(args, tokenizer)
        duplex_lm = DuplexLM(
            backbone, codec.num_codebooks, SpeechIds(codec.codebook_size)
        )
        check_codec(codec, encoder, duplex_lm)
        model = ESPnetDuplexS2SModel(
            encoder=encoder,
            adapter=Adapter(
                encoder.output_size, backbone.hidden_size, **args.modality_adapter_conf
            ),
            duplex_lm=duplex_lm,
            text_ids=tokenizer.ids,
            **args.model_conf,
        )
        mark_frozen(model)
        return model

    @classmethod
    @typechecked
    def build_model_from_file(
        cls,
        config_file: Optional[Union[Path, str]] = None,
        model_file: Optional[Union[Path, str]] = None,
        device: str = "cpu",
    ) -> Tuple[ESPnetDuplexS2SModel, argparse.Namespace]:
        """Build the model of a training and load its weights.

        Args:
            config_file: The YAML file saved by training; beside `model_file` if None.
            model_file: The checkpoint; None leaves the weights as they are built.
            device: "cpu", "cuda", ...

        Raises:
            ValueError: If configuration and checkpoint are not of one training.
        """
        if config_file is None and model_file is not None:
            config_file = Path(model_file).parent / "config.yaml"
        model, args = super().build_model_from_file(config_file, None, device)
        if model_file is not None:
            load_weights(model, model_file, device)
        return model, args

    @classmethod
    def build_optimizers(
        cls, args: argparse.Namespace, model: torch.nn.Module
    ) -> List[torch.optim.Optimizer]:
        """ESPnet's optimizer, with the groups of `optim_groups` in it.

        What else only training does to a model is done here too (`training.prepare`).

        Raises:
            ValueError: If a pattern or prefix matches no weight.
        """
        training.prepare(args, model)
        if not args.optim_groups:
            return super().build_optimizers(args, model)
        return [training.grouped_optimizer(args, model)]


def build_backbone(args: argparse.Namespace, tokenizer: TextTokenizer) -> Backbone:
    """The LLM with its pretrained weights, adapters and prompt, as `args` say."""
    init_from = args.llm if args.llm_init else None
    if init_from is not None:
        args.llm_conf = read_llm_conf(init_from)
    args.llm_init = False  # for whoever builds from the saved configuration
    if args.llm_num_layers is not None:
        args.llm_conf = keep_first_layers(args.llm_conf, args.llm_num_layers)
    backbone = Backbone(args.llm_conf, tokenizer.size, **args.backbone_conf)
    if init_from is not None:
        logging.info(f"Initialising the LLM from {init_from}")
        backbone.load_llm(init_from)
    if args.lora_conf:
        add_lora(backbone.llm, LoraConf(**args.lora_conf))
    if args.system_prompt is not None:
        backbone.set_prompt(tokenizer.encode_prompt(args.system_prompt))
    return backbone


def _fill_defaults(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Give `args`, of an earlier version's configuration, the options it lacks."""
    for name, value in vars(parser.parse_args([])).items():
        if not hasattr(args, name):
            setattr(args, name, value)
