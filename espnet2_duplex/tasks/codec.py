"""The codec's task: ESPnet's GAN codec task with our codecs and crops."""

import argparse
from collections.abc import Callable
from pathlib import Path

import soundfile
import torch
from espnet2.gan_codec.espnet_model import ESPnetGANCodecModel
from espnet2.tasks.gan_codec import GANCodecTask
from espnet2.train.class_choices import ClassChoices
from espnet2.utils.get_default_kwargs import get_default_kwargs
from espnet2.utils.nested_dict_action import NestedDictAction

from espnet2_duplex.arks import read_scp
from espnet2_duplex.codec.abs_codec import AbsCodec
from espnet2_duplex.codec.crops import CropPreprocessor
from espnet2_duplex.codec.discriminators import PeriodStftDiscriminator
from espnet2_duplex.codec.gan_model import GanCodec
from espnet2_duplex.codec.loading import CODEC_CLASSES, read_codec_config
from espnet2_duplex.codec.spectrum_discriminator import SpectrumDiscriminator
from espnet2_duplex.train.atomic_save import atomic_torch_save

codec_choices = ClassChoices(
    "codec", classes=CODEC_CLASSES, type_check=AbsCodec, default="istft"
)


discriminator_choices = ClassChoices(
    "discriminator",
    classes={
        "spectrum": SpectrumDiscriminator,
        "period_stft": PeriodStftDiscriminator,
    },
    type_check=torch.nn.Module,
    default="spectrum",
)


class CodecTask(GANCodecTask):
    """Train an AbsCodec; optimizers and trainer are those of ESPnet's GAN codecs."""

    class_choices_list = [codec_choices, discriminator_choices]

    @classmethod
    def add_task_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Add --codec, --discriminator, their _conf, the losses' and the crops'."""
        group = parser.add_argument_group("Task related")
        group.add_argument(
            "--model_conf",
            action=NestedDictAction,
            default=get_default_kwargs(GanCodec),
            help="Weights of the losses, the discriminator's start, the average.",
        )
        group.add_argument(
            "--crop_frames",
            type=int,
            default=16,
            help="Frames of 80 ms in one training crop.",
        )
        group.add_argument(
            "--max_silence_frames",
            type=int,
            default=4,
            help="Frames of digital silence that a crop may reach beside a clip.",
        )
        group.add_argument(
            "--init_codec",
            help="Folder of an exported codec (codec.yaml, codec.pth) to start from; "
            "its shape takes the place of --codec and --codec_conf.",
        )
        for choices in cls.class_choices_list:
            choices.add_arguments(group)

    @classmethod
    def main_worker(cls, args: argparse.Namespace) -> None:
        """Train, after a look at the data: ESPnet does not hand the rate on."""
        if args.init_codec is not None:
            start_from(args, Path(args.init_codec))
        sample_rate = _build_generator(args).sample_rate
        for part in ("train", "valid"):
            for triplet in getattr(args, f"{part}_data_path_and_name_and_type"):
                check_first_rate(triplet[0], sample_rate)
        with atomic_torch_save():
            super().main_worker(args)

    @classmethod
    def build_preprocess_fn(
        cls, args: argparse.Namespace, train: bool
    ) -> Callable[[str, dict], dict]:
        """Crops in training, whole clips in validation."""
        samples_per_frame = _build_generator(args).samples_per_frame
        return CropPreprocessor(
            train=train,
            crop_samples=args.crop_frames * samples_per_frame,
            max_silence_samples=args.max_silence_frames * samples_per_frame,
        )

    @classmethod
    def build_model(cls, args: argparse.Namespace) -> ESPnetGANCodecModel:
        """Build codec and discriminator inside ESPnet's GAN codec model."""
        generator = _build_generator(args)
        discriminator = discriminator_choices.get_class(args.discriminator)(
            **args.discriminator_conf
        )
        codec = GanCodec(generator, discriminator, **args.model_conf)
        return ESPnetGANCodecModel(codec=codec)


def _build_generator(args: argparse.Namespace) -> AbsCodec:
    return codec_choices.get_class(args.codec)(**args.codec_conf)


def start_from(args: argparse.Namespace, folder: Path) -> None:
    """Let training begin with an exported codec, for personalisation (Sec. 6.3).

    Args:
        args: Of the training; its codec and initial weights are set.
        folder: Of the exported codec.

    Raises:
        ValueError: If that is no codec that can be trained.
    """
    args.codec, args.codec_conf = read_codec_config(folder / "codec.yaml")
    if args.codec not in CODEC_CLASSES:
        raise ValueError(
            f"{folder} holds a codec of the shape {args.codec}, which cannot be trained "
            f"here; choose one of {', '.join(CODEC_CLASSES)}."
        )
    weights = folder / "codec.pth"
    args.init_param = [f"{weights}::codec.generator", f"{weights}::codec.ema_generator"]


def check_first_rate(wav_scp: str, sample_rate: int) -> None:
    """Refuse a list whose first wav file has another rate than the codec.

    Raises:
        ValueError: If so. Entries that are no plain files are not looked at.
    """
    path = next(iter(read_scp(wav_scp).values()), "")
    if not Path(path).is_file():
        return
    rate = soundfile.info(path).samplerate
    if rate != sample_rate:
        raise ValueError(
            f"{path} of {wav_scp} is at {rate} Hz, but the codec expects "
            f"{sample_rate} Hz; resample the clips or set codec_conf.sample_rate."
        )
