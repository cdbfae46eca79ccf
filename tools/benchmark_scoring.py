#!/usr/bin/env python3
"""Time the scoring of many long conversations, part by part, without transcripts.

Conversations of a decoded set are put end to end until they last --seconds, and again
until there are --num_conversations of them; then duplex_s2s_score runs on that folder
as it would on any other and says what each part took. What listening consists of is
timed apart, on a few conversations in this process. With --dir, the folder stays.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from espnet2_duplex.bin import duplex_s2s_score
from espnet2_duplex.conversation import Turn, turns_to_json
from espnet2_duplex.data_folder import write_table
from espnet2_duplex.jsonl import read_jsonl
from espnet2_duplex.metrics.activity import (
    SAMPLE_RATE,
    ActivityOptions,
    make_detector,
)
from espnet2_duplex.metrics.recordings import read_recording, read_references
from espnet2_duplex.metrics.results import CONVERSATIONS_FILE
from espnet2_duplex.metrics.speech.agent_speech import (
    MIN_SPEECH_SECONDS,
    SpeechOptions,
    joined_speech,
    windowed_dnsmos,
)
from espnet2_duplex.metrics.speech.quality import DnsMos
from espnet2_duplex.metrics.speech.speaker_similarity import resemblyzer_encoder
from espnet2_duplex.scoring.set_records import Stopwatch
from espnet2_duplex.sound_files import read_mono, write_wav

NUM_TIMED = 10  # conversations


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("decoded", type=Path, help="<decode dir>/<set>")
    parser.add_argument("data", type=Path, help="data/<set>")
    parser.add_argument("--num_conversations", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each")
    parser.add_argument("--nj", type=int, default=2)
    parser.add_argument("--dir", type=Path, help="where to make the folder")
    return parser


class Chain:
    """One conversation after the other, round and round."""

    def __init__(self, decoded: Path, data: Path) -> None:
        references = read_references(data)
        self._pieces = []
        for name, reference in sorted(references.items()):
            folder = decoded / name
            recording = read_recording(folder, reference)
            user = read_mono(folder / "input.wav", SAMPLE_RATE)
            turns = (*reference.user_turns, *reference.agent_turns)
            self._pieces.append((user, recording, sorted(turns, key=lambda t: t.start)))
        self._next = 0

    def take(self, seconds: float) -> tuple:
        """User and agent speech (S,), turns and written turns of the next pieces."""
        users, agents, turns, written, offset = [], [], [], [], 0.0
        while offset < seconds:
            user, recording, found = self._pieces[self._next % len(self._pieces)]
            self._next += 1
            users.append(user[: len(recording.speech)])
            agents.append(recording.speech)
            turns += moved(found, offset)
            written += moved(recording.written_turns, offset)
            offset += recording.duration
        return np.concatenate(users), np.concatenate(agents), turns, written


def moved(turns: Sequence[Turn], seconds: float) -> list[Turn]:
    """The same turns, later."""
    return [replace(t, start=t.start + seconds, end=t.end + seconds) for t in turns]


def make_folder(args: argparse.Namespace, root: Path) -> float:
    """Write <root>/{decode,data}/long; returns the seconds of sound."""
    chain, table, total = Chain(args.decoded, args.data), {}, 0
    for number in range(args.num_conversations):
        user, agent, turns, written = chain.take(args.seconds)
        name = f"long_{number:05d}"
        folder = root / "decode" / "long" / name
        write_wav(folder / "input.wav", user, SAMPLE_RATE)
        write_wav(folder / "output.wav", agent, SAMPLE_RATE)
        content = {"turns": [turn.to_dict() for turn in written], "latency": 0.08}
        (folder / "output.json").write_text(json.dumps(content), encoding="utf-8")
        table[name] = turns_to_json(turns)
        total += len(agent)
    write_table(root / "data" / "long" / "turns", table)
    return total / SAMPLE_RATE


def listening_times(folders: Sequence[Path]) -> dict[str, float]:
    """Seconds that each part of listening takes for a conversation, by its name."""
    options = SpeechOptions()
    detect, judge = make_detector(ActivityOptions()), DnsMos()
    encode = resemblyzer_encoder()
    watch = Stopwatch()
    for folder in folders:
        with watch.timed("reading"):
            speech = read_mono(folder / "output.wav", SAMPLE_RATE)
        with watch.timed("voice activity"):
            segments = detect(speech)
        joined = joined_speech(speech, segments)
        if len(joined) < MIN_SPEECH_SECONDS * SAMPLE_RATE:
            continue
        with watch.timed("DNSMOS"):
            windowed_dnsmos(judge, joined, options.max_windows)
        with watch.timed("speaker embedding"):
            encode(joined)
    return {name: time / len(folders) for name, time in watch.seconds.items()}


def share_of_speech(rows: Sequence[dict]) -> float:
    """Seconds in which the agent speaks over those of the recordings."""
    spoken = sum(u["end"] - u["start"] for row in rows for u in row["utterances"])
    return spoken / sum(row["duration"] for row in rows)


def main(cmd=None) -> None:
    args = get_parser().parse_args(cmd)
    root = args.dir or Path(tempfile.mkdtemp())
    seconds = make_folder(args, root)
    print(f"{args.num_conversations} conversations, {seconds / 3600:.2f} h")
    started = time.perf_counter()
    duplex_s2s_score.main(
        [
            *("--decode_dir", str(root / "decode"), "--data_dir", str(root / "data")),
            *("--sets", "long", "--no_asr", "--nj", str(args.nj)),
            *("--voice", str(args.data / "agent.scp")),
        ]
    )
    print(f"in all {time.perf_counter() - started:.0f} s with {args.nj} processes")
    decoded = root / "decode" / "long"
    rows = read_jsonl(decoded / CONVERSATIONS_FILE)
    print(f"the agent speaks in {100 * share_of_speech(rows):.0f} % of the time")
    timed = [decoded / row["id"] for row in rows[:NUM_TIMED]]
    for name, seconds in listening_times(timed).items():
        print(f"{name}: {seconds:.2f} s a conversation")
    if args.dir is None:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
