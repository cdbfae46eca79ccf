#!/usr/bin/env python3
"""Spoken codec sentences -> `<out>/codec_train`, `codec_valid` and `codec_test`.

Each folder has wav.scp (22.05 kHz), text, utt2dur, utt2spk and spk2utt.
"""

import argparse
import sys
from pathlib import Path
from typing import Dict, List, Optional

import soundfile
from plan_clips import CODEC_SETS, agent_clip
from voices import AGENT_VOICE

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.data_folder import write_speakers, write_table
from espnet2_duplex.jsonl import read_jsonl


def write_codec_set(folder: Path, rows: List[Dict], clips: Path) -> float:
    """Write one set; returns its seconds of audio."""
    wavs, durations = {}, {}
    for row in rows:
        path = clips / f"{agent_clip(row['id'], row['text']).id}.wav"
        if not path.is_file():
            raise ValueError(f"{path} is missing; run local/data.sh --stage 2.")
        wavs[row["id"]] = str(path)
        durations[row["id"]] = soundfile.info(path).duration
    write_table(folder / "wav.scp", wavs)
    write_table(folder / "text", {row["id"]: row["text"] for row in rows})
    write_table(folder / "utt2dur", {k: f"{v:.6f}" for k, v in durations.items()})
    write_speakers(folder, dict.fromkeys(wavs, AGENT_VOICE))
    return sum(durations.values())


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--clips", type=Path, required=True, help="folder of the wavs")
    parser.add_argument("--out", type=Path, default=Path("data"))
    return parser


def main(cmd: Optional[List[str]] = None) -> None:
    args = get_parser().parse_args(cmd)
    for name in CODEC_SETS:
        rows = read_jsonl(args.texts / f"{name}.jsonl")
        seconds = write_codec_set(args.out / name, rows, args.clips)
        print(f"{name}: {len(rows)} sentences, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(run_cli(main))
