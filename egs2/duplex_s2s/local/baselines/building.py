"""Which systems there are, and how each is built.

Modules of a system are imported when it is built: Moshi's environment does not have
the packages of the others.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines.options import (
    add_cascade,
    add_gt_llm,
    add_moshi,
    add_nothing,
    add_voice,
)
from baselines.sides import System

if TYPE_CHECKING:
    from baselines.answerers import Answerer
    from baselines.voice import Voice


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

    from espnet2_duplex.metrics.asr.interface import AsrOptions, text_transcriber

    options = FloorOptions(
        args.end_silence_seconds, args.barge_in_speech_seconds, args.min_turn_seconds
    )
    asr = AsrOptions(args.asr_model, num_workers=1)
    parts = Parts(
        SileroFrames(), text_transcriber(asr), _language_model(args), _voice(args)
    )
    compute_seconds = args.compute_seconds if args.compute == "fixed" else None
    return Cascade(parts, compute_seconds, options)


def _build_moshi(args: argparse.Namespace) -> System:
    from baselines.moshi_lm import Moshi
    from baselines.moshi_loading import load_moshi

    return Moshi(load_moshi(args.hf_repo, args.device), args.seed)


def _language_model(args: argparse.Namespace) -> "Answerer":
    from baselines.answerers import AnswerOptions
    from baselines.kept_texts import KeptTexts
    from baselines.language_model import LanguageModel
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


def _voice(args: argparse.Namespace) -> "Voice":
    from baselines.voice import Voice
    from corpus_settings import read_speech

    return Voice(read_speech(args.config), args.downloads, args.cache_dir / "clips")


SYSTEMS = {
    "silent": Kind("says nothing", add_nothing, _build_silent),
    "gt_llm": Kind(
        "ground-truth user turns, answered by a text LLM (GT+LLM of Table 3)",
        add_gt_llm,
        _build_gt_llm,
    ),
    "gt_reference": Kind(
        "the same with the reference in place of the LLM: the ceiling of the table",
        add_voice,
        _build_gt_reference,
    ),
    "cascade": Kind(
        "VAD, Whisper, text LLM and the agent's voice in simulated real time",
        add_cascade,
        _build_cascade,
    ),
    "moshi": Kind(
        "kyutai's Moshi, in an environment of its own (baselines/moshi_loading.py)",
        add_moshi,
        _build_moshi,
    ),
}
