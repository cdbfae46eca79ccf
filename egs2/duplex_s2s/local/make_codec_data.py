#!/usr/bin/env python3
"""The agent's speech -> `<out>/codec_train`, `codec_valid` and `codec_test`.

Either the sentences that the agent has read for the codec (`--sentences`), or its turns
in the conversations of the sets train, valid and test* (`--spoken`). Each folder has
wav.scp, text, utt2dur, utt2spk and spk2utt. Clips that failed are left out and counted.
A corpus without test sets gives no codec_test.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clips import is_spoken, read_failures

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.data_folder import write_speakers, write_table
from espnet2_duplex.jsonl import read_jsonl
from espnet2_duplex.sound_files import read_header

SETS = ("train", "valid", "test")
SPEAKER = "agent"


@dataclass(frozen=True)
class Sentence:
    """One reading of the agent; `set` is train, valid or test."""

    id: str
    set: str
    text: str
    wav: str


def from_sentences(path: Path) -> Iterator[Sentence]:
    """The rows of codec_sentences.jsonl."""
    for row in read_jsonl(path):
        name = row["set"].removeprefix("codec_")
        yield Sentence(row["id"], name, row["text"], row["wav"])


def from_spoken(path: Path) -> Iterator[Sentence]:
    """The agent's turns of spoken.jsonl; a clip comes once in each set."""
    seen = set()
    for row in read_jsonl(path):
        name = "test" if row["set"].startswith("test") else row["set"]
        for number, turn in enumerate(row["turns"]):
            key = (name, turn["wav"])
            if name in SETS and turn["role"] == "agent" and key not in seen:
                seen.add(key)
                id = f"{row['id']}_{number:02d}"
                yield Sentence(id, name, turn["text"], turn["wav"])


def write_codec_set(folder: Path, sentences: Sequence[Sentence]) -> float:
    """Write one set; returns its seconds of audio.

    Raises:
        ValueError: there are no sentences.
    """
    if not sentences:
        raise ValueError(f"{folder} would be empty; give its set some conversations.")
    seconds = {s.id: read_header(s.wav).seconds for s in sentences}
    write_table(folder / "wav.scp", {s.id: s.wav for s in sentences})
    write_table(folder / "text", {s.id: s.text for s in sentences})
    write_table(folder / "utt2dur", {id: f"{d:.6f}" for id, d in seconds.items()})
    write_speakers(folder, dict.fromkeys(seconds, SPEAKER))
    return sum(seconds.values())


def write_codec_data(sentences: Iterable[Sentence], clips: Path, out: Path) -> None:
    """Write the three sets.

    Raises:
        ValueError: a clip is missing, although it has not failed; or there is nothing
            to train on or to validate with.
    """
    failures = read_failures(clips)
    wanted = list(sentences)
    there = [sentence for sentence in wanted if is_spoken(sentence.wav, failures)]
    trained = {sentence.wav for sentence in there if sentence.set == "train"}
    for name in SETS:
        chosen = [sentence for sentence in there if sentence.set == name]
        if name == "test" and not chosen:
            print("codec_test: no sentences", flush=True)
            continue
        seconds = write_codec_set(out / f"codec_{name}", chosen)
        left_out = sum(sentence.set == name for sentence in wanted) - len(chosen)
        line = f"codec_{name}: {len(chosen)} sentences, {seconds:.0f} s"
        if left_out:
            line += f", {left_out} left out as they could not be spoken"
        known = sum(sentence.wav in trained for sentence in chosen)
        if known and name != "train":
            line += f", {known} of them the same as in codec_train"
        print(line, flush=True)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--sentences", type=Path, help="<local>/codec_sentences.jsonl")
    source.add_argument("--spoken", type=Path, help="<local>/spoken.jsonl")
    parser.add_argument("--out", type=Path, default=Path("data"))
    return parser


def main(cmd: Sequence[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    if args.sentences:
        local, sentences = args.sentences.parent, from_sentences(args.sentences)
    else:
        local, sentences = args.spoken.parent, from_spoken(args.spoken)
    write_codec_data(sentences, local / "clips", args.out)


if __name__ == "__main__":
    sys.exit(run_cli(main))
