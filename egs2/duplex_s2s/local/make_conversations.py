#!/usr/bin/env python3
"""Spoken clips -> the sets of the mini corpus below `--out`.

Draws conversations (draw_conversations.py), renders both streams (rendering.py) and
writes for each set train, valid, test_qa, test_open, test_multiturn, test_impatient:
user.scp, agent.scp, turns, utt2dur, utt2spk, spk2utt and wav/. A set appears when it
is complete. Same seed, same bytes, whatever `--nj`.
"""

import argparse
import sys
from pathlib import Path
from typing import Dict, List, Optional

import soundfile
from data_set import write_set
from draw_conversations import CorpusConfig, SpokenPair, draw_corpus
from jsonl import read_jsonl
from plan_clips import agent_clip

from espnet2_duplex.bin.cli import run_cli


def wav_seconds(path: Path) -> float:
    """Length of a spoken clip.

    Raises:
        ValueError: if it is missing.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing; run local/data.sh --stage 2.")
    info = soundfile.info(path)
    return info.frames / info.samplerate


def spoken_pairs(local: Path) -> Dict[str, List[SpokenPair]]:
    """Pairs of each part of the corpus, from the folder of stages 1 and 2."""
    texts = {
        row["id"]: row
        for name in ("known", "open")
        for row in read_jsonl(local / "texts" / f"{name}.jsonl")
    }
    clips = {row["id"]: row for row in read_jsonl(local / "clips" / "user.jsonl")}
    parts: Dict[str, List[SpokenPair]] = {}
    for use in read_jsonl(local / "clips" / "uses.jsonl"):
        text = texts[use["text"]]
        answer = agent_clip(text["id"], text["answer"]).id
        question_wav = local / "clips" / "user" / f"{use['clip']}.wav"
        answer_wav = local / "clips" / "agent" / f"{answer}.wav"
        pair = SpokenPair(
            text_id=text["id"],
            voice=clips[use["clip"]]["voice"],
            question=text["question"],
            answer=text["answer"],
            question_wav=str(question_wav),
            answer_wav=str(answer_wav),
            question_seconds=wav_seconds(question_wav),
            answer_seconds=wav_seconds(answer_wav),
        )
        parts.setdefault(use["part"], []).append(pair)
    return parts


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = CorpusConfig()
    parser.add_argument("--local", type=Path, default=Path("data/local"))
    parser.add_argument("--out", type=Path, default=Path("data"))
    parser.add_argument("--nj", type=int, default=2, help="processes")
    for name in ("seed", "num_train", "num_valid", "num_test"):
        parser.add_argument(f"--{name}", type=int, default=getattr(default, name))
    return parser


def main(cmd: Optional[List[str]] = None) -> None:
    args = get_parser().parse_args(cmd)
    config = CorpusConfig(args.seed, args.num_train, args.num_valid, args.num_test)
    sets = draw_corpus(config, spoken_pairs(args.local))
    for name, layouts in sets.items():
        write_set(args.out / name, layouts, config.seed, args.nj)


if __name__ == "__main__":
    sys.exit(run_cli(main))
