#!/usr/bin/env python3
"""Packaged real recordings -> `<out>/asr_manifest.jsonl`, for ASR-QA (Sec. 4.1).

The recordings are the five LibriVox utterances (25 s, one reader) of the asset
pocketsphinx-testdata. That is enough to try the way of the data, not to train: for
training give `asr_qa` the manifest of a speech recognition corpus.
"""

import argparse
import re
import sys
from pathlib import Path

import soundfile

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import read_text, write_jsonl

FOLDER = Path("pocketsphinx_testdata/usr/share/pocketsphinx/test/data/librivox")
TRANSCRIPT = re.compile(r"<s>\s*(.+?)\s*</s>\s*\((\S+)\)")


def utterances(downloads: Path) -> list[dict]:
    """Lines of a NeMo manifest, in the order of the package.

    Raises:
        ValueError: the asset is not there.
    """
    folder = (downloads / FOLDER).absolute()
    if not folder.is_dir():
        raise ValueError(
            f"{folder} is missing; run local/assets.py --only pocketsphinx-testdata."
        )
    return [
        {
            "id": id,
            "audio_filepath": str(folder / f"{id}.wav"),
            "duration": round(soundfile.info(folder / f"{id}.wav").duration, 3),
            "text": text,
        }
        for text, id in TRANSCRIPT.findall(read_text(folder / "transcription"))
    ]


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--downloads", type=Path, default=Path("downloads"))
    parser.add_argument("--out", type=Path, default=Path("data/local"))
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    rows = utterances(args.downloads)
    write_jsonl(args.out / "asr_manifest.jsonl", rows)
    seconds = sum(row["duration"] for row in rows)
    path = args.out / "asr_manifest.jsonl"
    print(f"{path}: {len(rows)} utterances, {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(run_cli(main))
