#!/usr/bin/env python3
"""Decide which voice says which text how fast: texts -> lists of clips.

Reads the files of `select_texts.py` and writes into `--out` the lists that
`synthesise.py` speaks: `codec.jsonl`, `agent.jsonl`, `user.jsonl`. Each known question
is said by some training voices, by one more of them for the valid set, and by all test
voices; each open question by some test voices. `uses.jsonl` tells which clip belongs to
which text and part of the corpus.
"""

import argparse
import hashlib
import random
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

from voices import AGENT_VOICE, TEST_VOICES, TRAIN_VOICES, Clip, clip_id

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import read_jsonl, write_jsonl

CODEC_SETS = ("codec_train", "codec_valid", "codec_test")
SPEED_RANGE = (0.9, 1.15)  # factor on a user voice's own pace


@dataclass(frozen=True)
class Plan:
    """How many voices say one question."""

    seed: int = 0
    train_voices: Sequence[str] = TRAIN_VOICES
    test_voices: Sequence[str] = TEST_VOICES
    train_voices_per_question: int = 12
    test_voices_per_open_question: int = 2


@dataclass(frozen=True)
class Use:
    """A clip's place in the corpus: `part` is train, valid, test or open."""

    clip: Clip
    text_id: str
    part: str


def user_clip(text_id: str, text: str, voice: str, seed: int) -> Clip:
    """A user's clip at a speed that depends on text, voice and seed only."""
    digest = hashlib.sha1(f"{seed}|{voice}|{text}".encode()).digest()
    low, high = SPEED_RANGE
    share = int.from_bytes(digest[:4], "big") / 2**32
    speed = round(low + (high - low) * share, 3)
    return Clip(clip_id(text_id, voice, speed, text), "user", voice, speed, text)


def agent_clip(text_id: str, text: str) -> Clip:
    """The agent's clip of a text."""
    name = clip_id(text_id, AGENT_VOICE, 1.0, text)
    return Clip(name, "agent", AGENT_VOICE, 1.0, text)


def rotation(voices: Sequence[str], start: int, count: int) -> List[str]:
    """`count` different voices from position `start` on, going round."""
    if count > len(voices):
        raise ValueError(f"{count} voices are wanted, there are {len(voices)}.")
    return [voices[(start + step) % len(voices)] for step in range(count)]


def user_uses(
    plan: Plan, known: Sequence[Dict], unseen: Sequence[Dict]
) -> Iterator[Use]:
    """All user clips; neighbouring questions take different voices in turn."""
    rng = random.Random(plan.seed)
    train_voices = rng.sample(plan.train_voices, len(plan.train_voices))
    count = plan.train_voices_per_question
    for number, row in enumerate(known):
        voices = rotation(train_voices, number * count, count + 1)
        parts = [(voice, "train") for voice in voices[:-1]] + [(voices[-1], "valid")]
        parts += [(voice, "test") for voice in plan.test_voices]
        for voice, part in parts:
            clip = user_clip(row["id"], row["question"], voice, plan.seed)
            yield Use(clip, row["id"], part)
    count = plan.test_voices_per_open_question
    for number, row in enumerate(unseen):
        for voice in rotation(plan.test_voices, number * count, count):
            clip = user_clip(row["id"], row["question"], voice, plan.seed)
            yield Use(clip, row["id"], "open")


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = Plan()
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--num_train_voices", type=int, default=len(TRAIN_VOICES))
    parser.add_argument("--num_test_voices", type=int, default=len(TEST_VOICES))
    for name in ("train_voices_per_question", "test_voices_per_open_question"):
        parser.add_argument(f"--{name}", type=int, default=getattr(default, name))
    return parser


def main(cmd: Optional[List[str]] = None) -> None:
    args = get_parser().parse_args(cmd)
    plan = Plan(
        args.seed,
        TRAIN_VOICES[: args.num_train_voices],
        TEST_VOICES[: args.num_test_voices],
        args.train_voices_per_question,
        args.test_voices_per_open_question,
    )
    known = read_jsonl(args.texts / "known.jsonl")
    unseen = read_jsonl(args.texts / "open.jsonl")
    uses = list(user_uses(plan, known, unseen))
    codec = [
        agent_clip(row["id"], row["text"])
        for name in CODEC_SETS
        for row in read_jsonl(args.texts / f"{name}.jsonl")
    ]
    agent = [agent_clip(row["id"], row["answer"]) for row in [*known, *unseen]]
    lists = {"codec": codec, "agent": agent, "user": [use.clip for use in uses]}
    for name, clips in lists.items():
        write_jsonl(args.out / f"{name}.jsonl", [asdict(clip) for clip in clips])
        print(f"{name}: {len(clips)} clips planned", flush=True)
    write_jsonl(
        args.out / "uses.jsonl",
        [{"clip": u.clip.id, "text": u.text_id, "part": u.part} for u in uses],
    )


if __name__ == "__main__":
    sys.exit(run_cli(main))
