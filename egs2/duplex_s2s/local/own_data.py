#!/usr/bin/env python3
"""Own conversations -> data folders, in the three steps of `data.sh --conversations`.

plan    checks the file and lists the turns that have no wav (<local>/clips/own.jsonl)
codec   writes codec_train, codec_valid and codec_test from the agent's audio
sets    writes the data folders, as `make_conversations.py` does for the mini corpus
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Dict, List, Optional

import own_format
import soundfile
from data_files import write_speakers, write_table
from data_set import write_set
from draw_conversations import Layout
from jsonl import write_jsonl
from own_format import OwnConversation, read_conversations
from own_layout import lay_out_own, own_clip, turn_wav
from validate_data import validate_folder
from voices import AGENT_RATE, AGENT_VOICE, USER_RATE, Voices

from espnet2_duplex.bin.cli import run_cli


def plan(conversations: List[OwnConversation], local: Path, seed: int) -> None:
    """Write the list of clips that must be synthesised.

    Raises:
        ValueError: if a text cannot be pronounced; names line and turn.
    """
    voices = Voices(Path())
    clips = []
    for conversation in conversations:
        for number, turn in enumerate(conversation.turns):
            if turn.wav is not None:
                continue
            try:
                voices.phonemes(turn.text)
            except ValueError as problem:
                raise ValueError(
                    f"{conversation.where}, turn {number}: {problem}, or give the turn "
                    "a wav."
                ) from problem
            clips.append(own_clip(conversation, number, seed))
    write_jsonl(local / "clips" / "own.jsonl", [asdict(clip) for clip in clips])
    print(f"{len(conversations)} conversations, {len(clips)} turns to synthesise")
    own = sum(t.role == "agent" and bool(t.wav) for c in conversations for t in c.turns)
    if own:
        print(
            f"{own} turns of the agent have wavs of their own: unless they are the "
            "recipe's voice, fit the codec to them (README.md, Another voice)."
        )


def write_codec_data(
    conversations: List[OwnConversation], local: Path, out: Path, seed: int
) -> None:
    """codec_train, codec_valid and codec_test: the agent's turns of those sets."""
    for name in ("train", "valid", "test"):
        wavs, texts, seconds = {}, {}, {}
        for conversation in conversations:
            for number, turn in enumerate(conversation.turns):
                if conversation.set == name and turn.role == "agent":
                    key = f"{conversation.id}_{number:02d}"
                    wavs[key] = turn_wav(conversation, number, local, seed)
                    texts[key] = turn.text
                    seconds[key] = f"{soundfile.info(wavs[key]).duration:.6f}"
        folder = out / f"codec_{name}"
        write_table(folder / "wav.scp", wavs)
        write_table(folder / "text", texts)
        write_table(folder / "utt2dur", seconds)
        write_speakers(folder, dict.fromkeys(wavs, AGENT_VOICE))


def write_sets(
    conversations: List[OwnConversation],
    local: Path,
    out: Path,
    seed: int,
    num_jobs: int,
) -> None:
    """All data folders; each is checked once it is written."""
    sets: Dict[str, List[Layout]] = {}
    for conversation in conversations:
        wavs = [
            turn_wav(conversation, number, local, seed)
            for number in range(len(conversation.turns))
        ]
        layout = lay_out_own(conversation, wavs, is_noisy=False)
        sets.setdefault(conversation.set, []).append(layout)
    for name, layouts in sets.items():
        write_set(out / name, layouts, seed, num_jobs)
        validate_folder(out / name, USER_RATE, AGENT_RATE)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=f"{__doc__}\n{own_format.__doc__}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--step", choices=("plan", "codec", "sets"), required=True)
    parser.add_argument("--conversations", type=Path, required=True, help="the file")
    parser.add_argument("--local", type=Path, default=Path("data/local"))
    parser.add_argument("--out", type=Path, default=Path("data"))
    parser.add_argument("--seed", type=int, default=0, help="of voices and speeds")
    parser.add_argument("--nj", type=int, default=2, help="processes")
    return parser


def main(cmd: Optional[List[str]] = None) -> None:
    args = get_parser().parse_args(cmd)
    conversations = read_conversations(args.conversations)
    if args.step == "plan":
        plan(conversations, args.local, args.seed)
    elif args.step == "codec":
        write_codec_data(conversations, args.local, args.out, args.seed)
    else:
        write_sets(conversations, args.local, args.out, args.seed, args.nj)


if __name__ == "__main__":
    sys.exit(run_cli(main))
