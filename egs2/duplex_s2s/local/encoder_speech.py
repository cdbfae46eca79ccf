#!/usr/bin/env python3
"""List the corpus's speech for the distillation of the encoder.

Writes `wav.scp` and `text` of the users' turns in the set train and of the codec's
training clips (some hundred), which are resampled to 16 kHz into `wav/`. Nothing that
is heard in another set is among them, so no test voice either.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clips import file_digest, is_spoken, read_failures

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.data_folder import read_table, write_table
from espnet2_duplex.jsonl import read_jsonl
from espnet2_duplex.sound_files import read_header, read_mono, write_wav

SAMPLE_RATE = 16000
MAX_AGENT_CLIPS = 400  # about half an hour: one voice shall not drown the users'


@dataclass(frozen=True)
class Utterance:
    """Something to learn from."""

    id: str
    wav: Path
    text: str


def user_utterances(spoken: Path, clips: Path) -> list[Utterance]:
    """Users' turns that occur in the set train only, each sound once.

    Raises:
        ValueError: a clip is missing, although it has not failed.
    """
    failures = read_failures(clips)
    train: dict[str, Utterance] = {}
    elsewhere = set()
    for row in read_jsonl(spoken):
        for number, turn in enumerate(row["turns"]):
            if turn["role"] != "user":
                continue
            wav = turn["wav"]
            if row["set"] != "train":
                elsewhere.add(wav)
            elif wav not in train and is_spoken(wav, failures):
                id = f"{row['id']}_{number:02d}"
                train[wav] = Utterance(id, Path(wav), turn["text"])
    return [train[wav] for wav in train if wav not in elsewhere]


def agent_utterances(codec_train: Path) -> list[Utterance]:
    """At most `MAX_AGENT_CLIPS` of the codec's training clips, evenly spread."""
    wavs, texts = read_table(codec_train / "wav.scp"), read_table(codec_train / "text")
    step = -(-len(wavs) // MAX_AGENT_CLIPS)
    return [Utterance(id, Path(wavs[id]), texts[id]) for id in [*wavs][::step]]


def at_16_khz(utterance: Utterance, folder: Path) -> Path:
    """The sound itself, or a copy at 16 kHz in the folder, named by path and age.

    Raises:
        ValueError: the sound is missing or unreadable.
    """
    wav = utterance.wav
    if read_header(wav).sample_rate == SAMPLE_RATE:
        return wav
    copy = folder / f"{wav.stem}-{file_digest(wav)}.wav"
    if not copy.exists():
        write_wav(copy, read_mono(wav, SAMPLE_RATE), SAMPLE_RATE)
    return copy


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--local", type=Path, default=Path("data/local"))
    parser.add_argument(
        "--codec_train", type=Path, help="folder with the agent's clips"
    )
    parser.add_argument("--out", type=Path, default=Path("data/encoder_train"))
    return parser


def main(cmd: Sequence[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    chosen = user_utterances(args.local / "spoken.jsonl", args.local / "clips")
    if args.codec_train:
        chosen += agent_utterances(args.codec_train)
    if not chosen:
        raise ValueError("no user turn is in the set train alone; add conversations.")
    paths = {u.id: str(at_16_khz(u, args.out / "wav")) for u in chosen}
    write_table(args.out / "wav.scp", paths)
    write_table(args.out / "text", {u.id: u.text for u in chosen})
    print(f"{len(chosen)} utterances are listed in {args.out}", flush=True)


if __name__ == "__main__":
    sys.exit(run_cli(main))
