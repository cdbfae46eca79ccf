#!/usr/bin/env python3
"""List speech for an encoder: to train on, or a set to score it on.

Writes `wav.scp`, `text` and `utt2kind` (kind of text) of the users' turns in the set
train of corpora, of the sentences of `plan_encoder_clips.py`, and of recordings that a
manifest lists. What has another rate than 16 kHz is copied into `wav/`. Nothing that is
heard in another set of a corpus is among the users' turns, so no test voice either.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from clips import file_digest, is_spoken, read_failures

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.data_folder import write_table
from espnet2_duplex.jsonl import read_jsonl
from espnet2_duplex.sound_files import read_header, read_mono, write_wav

SAMPLE_RATE = 16000


@dataclass(frozen=True)
class Utterance:
    """Something to hear.

    Attributes:
        id: of the utterance.
        wav: its sound file.
        text: what is said.
        kind: of the text, one word.
    """

    id: str
    wav: Path
    text: str
    kind: str


def user_utterances(local: Path, excluded: Collection[str] = ()) -> list[Utterance]:
    """Users' turns that occur in the set train only, each sound once.

    Args:
        local: a corpus's `<data>/local`.
        excluded: datasets to leave out.

    Raises:
        ValueError: a clip is missing, although it has not failed.
    """
    failures = read_failures(local / "clips")
    train: dict[str, Utterance] = {}
    elsewhere = set()
    for row in read_jsonl(local / "spoken.jsonl"):
        for number, turn in enumerate(row["turns"]):
            if turn["role"] != "user":
                continue
            wav, source = turn["wav"], row["source"]
            if row["set"] != "train" or source in excluded:
                elsewhere.add(wav)
            elif wav not in train and is_spoken(wav, failures):
                id = f"{local.parent.name}_{row['id']}_{number:02d}"
                train[wav] = Utterance(id, Path(wav), turn["text"], source)
    return [train[wav] for wav in train if wav not in elsewhere]


def planned_utterances(sentences: Path, name: str) -> list[Utterance]:
    """What `plan_encoder_clips.py` planned for a set.

    Raises:
        ValueError: a clip is missing, although it has not failed.
    """
    failures = read_failures(sentences.parent / "clips")
    return [
        Utterance(row["id"], Path(row["wav"]), row["text"], row["kind"])
        for row in read_jsonl(sentences)
        if row["set"] == name and is_spoken(row["wav"], failures)
    ]


def recorded_utterances(manifest: Path) -> list[Utterance]:
    """What a NeMo manifest lists (`audio_filepath`, `text`, perhaps `id`).

    Raises:
        ValueError: a line lacks a name.
    """
    utterances = []
    for number, row in enumerate(read_jsonl(manifest), 1):
        if not {"audio_filepath", "text"} <= set(row):
            raise ValueError(
                f"{manifest}, entry {number} has {', '.join(row)}; write audio_filepath "
                "and text."
            )
        wav = manifest.parent / row["audio_filepath"]
        id = str(row.get("id", wav.stem))
        utterances.append(Utterance(id, wav, row["text"], "recordings"))
    return utterances


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


def write_lists(utterances: Sequence[Utterance], folder: Path) -> None:
    """The folder's lists, sorted by id.

    Raises:
        ValueError: an id comes twice, or a sound is missing or unreadable.
    """
    doubled = [id for id, num in Counter(u.id for u in utterances).items() if num > 1]
    if doubled:
        raise ValueError(
            f"two utterances have the id {doubled[0]}; give the recordings or the "
            "conversations other ids."
        )
    paths = {u.id: str(at_16_khz(u, folder / "wav")) for u in utterances}
    write_table(folder / "wav.scp", paths)
    write_table(folder / "text", {u.id: u.text for u in utterances})
    write_table(folder / "utt2kind", {u.id: u.kind for u in utterances})


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--local", type=Path, nargs="*", default=[], help="<data>/local of corpora"
    )
    parser.add_argument(
        "--exclude_sources", nargs="*", default=[], help="datasets to leave out"
    )
    parser.add_argument("--sentences", type=Path, help="of plan_encoder_clips.py")
    parser.add_argument("--set", default="train", help="of the sentences")
    parser.add_argument("--manifest", type=Path, help="recordings, JSON lines of NeMo")
    parser.add_argument("--out", type=Path, default=Path("data_encoder/train"))
    return parser


def main(cmd: Sequence[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    chosen = []
    for local in args.local:
        chosen += user_utterances(local, args.exclude_sources)
    if args.sentences:
        chosen += planned_utterances(args.sentences, args.set)
    if args.manifest:
        chosen += recorded_utterances(args.manifest)
    if not chosen:
        raise ValueError(
            "no user turn is in the set train alone, no sentence in the set "
            f"{args.set}, and no recording is listed; add some of these."
        )
    write_lists(chosen, args.out)
    print(f"{len(chosen)} utterances are listed in {args.out}", flush=True)


if __name__ == "__main__":
    sys.exit(run_cli(main))
