"""Around ESPnet's training: checks before it, guards during it, the optimizer's groups."""

import argparse
import contextlib
import logging
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import torch
import yaml
from espnet2.fileio.read_text import load_num_sequence_text
from espnet2.tasks.abs_task import optim_classes
from espnet2.utils.get_default_kwargs import get_default_kwargs

from espnet2_duplex import row_draws
from espnet2_duplex.arks import check_archive_ends
from espnet2_duplex.perception.abs_encoder import AbsStreamingEncoder
from espnet2_duplex.tasks.checkpoints import loading_explained
from espnet2_duplex.train import parameter_groups
from espnet2_duplex.train.atomic_save import atomic_torch_save
from espnet2_duplex.train.batch_sizes import largest_batch, warn_of_large_batch
from espnet2_duplex.train.deepspeed_loss import check_deepspeed, weigh_loss
from espnet2_duplex.train.deepspeed_weights import (
    has_checkpoint,
    tell_of_frozen_weights,
    write_linked_epochs,
)
from espnet2_duplex.train.dropout import dropping_parts
from espnet2_duplex.train.frozen_weights import frozen_weights_apart
from espnet2_duplex.train.out_of_memory import out_of_memory_explained
from espnet2_duplex.train.reports import training_reports
from espnet2_duplex.train.throughput import num_ranks


def check(args: argparse.Namespace) -> None:
    """Refuse options and archives with which training would fail later.

    Raises:
        ValueError: Saying which.
    """
    for part in ("train", "valid"):
        for path, _, kind in getattr(args, f"{part}_data_path_and_name_and_type"):
            if kind == "kaldi_ark":
                check_archive_ends(path)
    if args.use_adapter:
        raise ValueError(
            "--use_adapter was given; adapters of the LLM are made by --lora_conf, "
            "for example --lora_conf r=16"
        )
    if args.use_deepspeed:
        check_deepspeed(args)


def recall_trained_with(args: argparse.Namespace) -> None:
    """Take the marks of tokenizer and codec from the training that goes on, if any.

    That is the one which is resumed, or else one whose whole model `init_param` names.
    Read before the ranks have met: afterwards the first of them writes the file.
    """
    folder = Path(args.output_dir)
    is_begun = (folder / "checkpoint.pth").exists() or has_checkpoint(folder)
    resumes = args.resume and is_begun
    folders = [folder] if resumes else []
    if not args.ignore_init_mismatch:
        whole = [name for name in args.init_param if ":" not in name]
        folders += [Path(name).parent for name in whole]
    for folder in folders:
        saved = folder / "config.yaml"
        if saved.exists():
            config = yaml.safe_load(saved.read_text(encoding="utf-8"))
            args.trained_with = config.get("trained_with", {})
            return


@contextlib.contextmanager
def guarded(
    args: argparse.Namespace, encoder_class: type[AbsStreamingEncoder]
) -> Iterator[None]:
    """Whole files, frozen weights once, readable logs, errors with a remedy.

    At the end the best epochs' weights are where the links of ESPnet lead.
    """
    checkpointable = ["backbone_conf"]
    if "gradient_checkpointing" in get_default_kwargs(encoder_class):
        checkpointable.insert(0, "encoder_conf")
    with (
        atomic_torch_save(),
        frozen_weights_apart(),
        training_reports(args.peak_tflops),
        loading_explained(),
        out_of_memory_explained(args, encoder_class.frame_rate, checkpointable),
    ):
        yield
    is_first_rank = num_ranks() == 1 or torch.distributed.get_rank() == 0
    if args.use_deepspeed and is_first_rank:
        write_linked_epochs(Path(args.output_dir))


def prepare(args: argparse.Namespace, model: torch.nn.Module) -> None:
    """Do to `model` what only training needs.

    Raises:
        ValueError: If a pattern or prefix matches no weight, or options exclude each
            other.
    """
    parameter_groups.check_freeze_param(model, args.freeze_param)
    parameter_groups.freeze_by_pattern(model, args.freeze_pattern)
    if args.optim_groups and (args.sharded_ddp or args.use_deepspeed):
        raise ValueError(
            "optim_groups does not go together with sharded_ddp or use_deepspeed; "
            "leave one of them out"
        )
    row_draws.follow_utterances(model)
    if not args.distributed:
        return
    if args.use_deepspeed:
        weigh_loss(model)
        tell_of_frozen_weights(model)
    dropping = dropping_parts(model)
    if dropping:
        shares = ", ".join(f"{part} {share}" for part, share in dropping.items())
        logging.warning(
            f"dropout ({shares}) is drawn anew by each process: another number of "
            "processes gives another loss curve; set it to 0 where they are compared"
        )


def grouped_optimizer(
    args: argparse.Namespace, model: torch.nn.Module
) -> torch.optim.Optimizer:
    """The optimizer of `--optim` with the groups of `--optim_groups`.

    Raises:
        ValueError: If a group matches no weight or has options that do not exist.
    """
    groups = parameter_groups.grouped_parameters(model, args.optim_groups)
    if args.exclude_weight_decay:
        groups = parameter_groups.without_weight_decay(
            model, groups, args.exclude_weight_decay_conf
        )
    optimizer = optim_classes[args.optim](groups, **args.optim_conf)
    parameter_groups.check_group_options(args.optim_groups, optimizer)
    return optimizer


def look_at_batches(
    batches: Sequence[Sequence[str]], iter_options, frame_rate: Fraction, option: str
) -> None:
    """Warn of batches of this process that are far beyond its share of `option`."""
    if iter_options.batch_type not in ("numel", "length"):
        return
    shapes = load_num_sequence_text(iter_options.shape_files[0], "csv_int")
    num_frames = {uid: shape[0] for uid, shape in shapes.items()}
    share = iter_options.batch_bins / (num_ranks() if iter_options.distributed else 1)
    warn_of_large_batch(largest_batch(batches, num_frames), share, frame_rate, option)
