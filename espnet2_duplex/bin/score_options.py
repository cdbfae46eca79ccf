"""What the command line of duplex_s2s_score says: definitions, judge and prices."""

import argparse

from espnet2_duplex.chat.backend import is_endpoint
from espnet2_duplex.metrics.activity import ActivityOptions
from espnet2_duplex.metrics.answers import QualityOptions
from espnet2_duplex.metrics.asr.interface import AsrOptions
from espnet2_duplex.metrics.conversation_scores import Definitions
from espnet2_duplex.metrics.gpt.cost import JudgePrices
from espnet2_duplex.metrics.gpt.options import GptScoreOptions
from espnet2_duplex.metrics.speech.agent_speech import SpeechOptions
from espnet2_duplex.metrics.turn_taking.options import TurnTakingOptions
from espnet2_duplex.metrics.turn_taking.reactions import ReactionOptions
from espnet2_duplex.scoring.hearing import HearingOptions
from espnet2_duplex.scoring.options import ScoreOptions


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
        HearingOptions(
            activity, SpeechOptions(args.mos, tuple(args.voice or ()), args.max_windows)
        ),
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
