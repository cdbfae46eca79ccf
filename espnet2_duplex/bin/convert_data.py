"""Convert duplex corpora into each other.

    python -m espnet2_duplex.bin.convert_data --from kaldi data/train --to shar out/
    python -m espnet2_duplex.bin.convert_data --from moshi talk/data.jsonl --to kaldi \\
        data/talk --vad silero --asr_model downloads/whisper
    python -m espnet2_duplex.bin.convert_data --from stereo calls/ --to kaldi data/mine \\
        --agent_channel right --asr_model downloads/whisper

kaldi   a data folder (user.scp, agent.scp, turns, ...)
shar    Lhotse Shar as NeMo's duplex dataset reads it
moshi   moshi-finetune: a JSONL, stereo wavs (left: agent), word times
fdb     Full-Duplex-Bench folders: <task>/<id>/input.wav and JSON files
stereo  two-channel calls; transcripts in JSON, or from detector and recogniser

What each format keeps: ``help(espnet2_duplex.formats)``. A second run continues the
first: sound that is there and was made from the same source is not written again, and
conversations that no longer come are removed.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.formats.bench_writer import BenchOptions
from espnet2_duplex.formats.call_pieces import SilentPieces
from espnet2_duplex.formats.kaldi import KaldiOptions
from espnet2_duplex.formats.listening import Listener, ListeningOptions
from espnet2_duplex.formats.moshi import MoshiOptions
from espnet2_duplex.formats.recording import raise_problem
from espnet2_duplex.formats.registry import (
    FORMATS,
    FormatOptions,
    convert,
    open_reader,
    open_writer,
)
from espnet2_duplex.formats.shar import SharOptions
from espnet2_duplex.formats.stereo_calls import CHANNELS, StereoOptions


def get_parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    pair = {"nargs": 2, "metavar": ("FORMAT", "PATH"), "required": True}
    formats = f"one of {', '.join(FORMATS)}"
    parser.add_argument("--from", dest="source", help=formats, **pair)
    parser.add_argument("--to", dest="target", help=formats, **pair)
    parser.add_argument(
        "--skip_faulty",
        action="store_true",
        help="report faulty conversations and go on, instead of stopping at the first",
    )
    _add_writing(parser.add_argument_group("writing"))
    _add_reading(parser.add_argument_group("reading"))
    _add_listening(parser.add_argument_group("turns that no file tells"))
    return parser


def _add_writing(group) -> None:
    group.add_argument(
        "--user_rate",
        type=_above_zero,
        help="Hz; kaldi, fdb: 16000 by default; shar: as it is",
    )
    group.add_argument(
        "--agent_rate",
        type=_above_zero,
        help="Hz; kaldi: 22050 by default; shar, fdb: as it is",
    )
    group.add_argument(
        "--stereo_rate",
        type=_above_zero,
        help="Hz; moshi: 24000 by default; stereo: the higher one of the two",
    )
    group.add_argument(
        "--audio",
        choices=("reference", "copy"),
        default="reference",
        help="kaldi: name mono files that have the rate where they are, or copy all",
    )
    group.add_argument(
        "--shard_size",
        type=_above_zero,
        default=1000,
        help="shar: conversations in one shard",
    )
    group.add_argument(
        "--encoding",
        choices=("flac", "wav"),
        default="flac",
        help="shar: of the sound in the shards; both keep 16 bits, flac is smaller",
    )


def _above_zero(text: str) -> int:
    number = int(text) if text.lstrip("-").isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} was given; expected a whole number above zero"
        )
    return number


def _add_reading(group) -> None:
    group.add_argument(
        "--agent_channel",
        choices=CHANNELS,
        default="left",
        help="stereo, also for writing",
    )
    group.add_argument(
        "--max_seconds",
        type=float,
        default=120.0,
        help="stereo: longer calls are cut where both are silent",
    )
    group.add_argument(
        "--transcripts",
        type=Path,
        help="stereo: folder for what was recognised, to correct it and run again; "
        "<PATH of --to>_transcripts by default",
    )
    group.add_argument(
        "--word_gap",
        type=float,
        default=0.8,
        help="moshi, fdb: seconds of silence between words that begin another turn",
    )


def _add_listening(group) -> None:
    group.add_argument("--vad", choices=("silero", "energy"), default="silero")
    group.add_argument(
        "--merge_gap",
        type=float,
        default=0.5,
        help="seconds; shorter silences do not end a detected turn",
    )
    group.add_argument(
        "--crosstalk_db",
        type=float,
        default=20.0,
        help="speech so much below the other channel is the other speaker",
    )
    group.add_argument(
        "--asr_model",
        default="none",
        help="folder with a CTranslate2 Whisper, a name that faster-whisper knows, or "
        "none",
    )


def _options(args: argparse.Namespace) -> FormatOptions:
    rates = {"user_rate": args.user_rate, "agent_rate": args.agent_rate}
    given = {name: rate for name, rate in rates.items() if rate is not None}
    target = Path(args.target[1])
    beside = target.with_name(f"{target.name}_transcripts")
    moshi = {"sample_rate": args.stereo_rate} if args.stereo_rate else {}
    return FormatOptions(
        kaldi=KaldiOptions(**given, audio=args.audio),
        shar=SharOptions(args.shard_size, args.encoding, **given),
        moshi=MoshiOptions(word_gap_seconds=args.word_gap, **moshi),
        fdb=BenchOptions(args.word_gap, **given),
        stereo=StereoOptions(
            args.agent_channel,
            args.max_seconds,
            args.transcripts or beside,
            args.stereo_rate,
        ),
    )


def _handler(skip_faulty: bool, faults: list) -> Callable[[ValueError], None]:
    if not skip_faulty:
        return raise_problem

    def report(problem: ValueError) -> None:
        faults.append(problem)
        print(f"left out: {problem}", file=sys.stderr)

    return report


def _check_paths(source: Path, target: Path) -> None:
    """The target is a folder outside the source.

    Raises:
        ValueError: it is not; the next run would read what this one has written.
    """
    if source.resolve() == target.resolve():
        raise ValueError(f"{source} is source and target; give --to another path.")
    if target.resolve().is_relative_to(source.resolve()):
        raise ValueError(
            f"{target} is inside the source {source}, which would have it as "
            "conversations; give --to a path outside."
        )
    if target.exists() and not target.is_dir():
        raise ValueError(f"{target} is a file; give --to the path of a folder.")


def main(cmd: list[str] | None = None) -> None:
    """Convert as the options say.

    Raises:
        ValueError: an option or the corpus is wrong.
    """
    args = get_parser().parse_args(cmd)
    (source, source_path), (target, target_path) = args.source, args.target
    _check_paths(Path(source_path), Path(target_path))
    options = _options(args)
    listener = Listener(
        ListeningOptions(args.vad, args.merge_gap, args.crosstalk_db, args.asr_model)
    )
    faults: list[ValueError] = []
    on_problem = _handler(args.skip_faulty, faults)
    writer = open_writer(target, Path(target_path), options)
    silence = SilentPieces()
    recordings = open_reader(
        source, Path(source_path), options, listener, on_problem, silence.add
    )
    number = convert(recordings, writer, on_problem)
    print(
        f"{target_path}: {number} conversations, {len(faults)} left out"
        f"{silence.sentence()}"
    )


if __name__ == "__main__":
    sys.exit(run_cli(main))
