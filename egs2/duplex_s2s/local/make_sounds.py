#!/usr/bin/env python3
"""A bank of sounds from the user's side that are no speech: coughs, knocks, clicks.

    python local/make_sounds.py data/local/sounds                    # synthetic
    python local/make_sounds.py data/local/sounds --own recordings/  # or a wav.scp

Writes wavs and `sounds.jsonl`, one {"wav", "seconds", "kind"} a line.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from bank_settings import SoundBank, read_bank
from recordings import sound_paths
from shares import seed_number

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import write_jsonl
from espnet2_duplex.simulation.sounds import KINDS, PEAK_LEVEL, make_sound
from espnet2_duplex.sound_files import read_mono, write_wav

SOUNDS_FILE = "sounds.jsonl"
OWN_KIND = "own"


def write_sound(
    out: Path, name: str, kind: str, sound: np.ndarray, sample_rate: int
) -> dict:
    """Write (N,) float32 and return its line of `sounds.jsonl`."""
    write_wav(out / f"{name}.wav", sound, sample_rate)
    seconds = round(len(sound) / sample_rate, 6)
    return {"wav": f"{name}.wav", "seconds": seconds, "kind": kind}


def make_sounds(out: Path, num_each: int, sample_rate: int, seed: int) -> None:
    """Sounds of every kind; each depends on the seed, its kind and its number only."""
    rows = []
    for kind in KINDS:
        for number in range(num_each):
            rng = np.random.default_rng([seed, number, *kind.encode()])
            sound = make_sound(kind, sample_rate, rng)
            name = f"{kind}{number:04d}"
            rows.append(write_sound(out, name, kind, sound, sample_rate))
    write_jsonl(out / SOUNDS_FILE, rows)
    print(f"{len(rows)} synthetic sounds in {out}")


def take_own(out: Path, own: Path, sample_rate: int) -> None:
    """Own recordings, brought to the peak of the synthetic ones.

    Raises:
        ValueError: if there are none or one is silent; names it.
    """
    rows = []
    for number, path in enumerate(sound_paths(own).values()):
        sound = read_mono(path, sample_rate)
        if not sound.any():
            raise ValueError(f"{path} is silent; leave it out.")
        sound *= np.float32(PEAK_LEVEL / np.abs(sound).max())
        name = f"{OWN_KIND}{number:04d}"
        rows.append(write_sound(out, name, OWN_KIND, sound, sample_rate))
    write_jsonl(out / SOUNDS_FILE, rows)
    print(f"{len(rows)} own sounds in {out}")


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder of the bank")
    parser.add_argument(
        "--config", type=Path, help="corpus YAML, whose section sounds says how many"
    )
    parser.add_argument("--num_each", type=int, help="instead of the YAML's number")
    parser.add_argument(
        "--own", type=Path, help="folder or wav.scp of recordings, taken instead"
    )
    parser.add_argument("--sample_rate", type=int, default=16000, help="in Hz")
    parser.add_argument(
        "--seed", type=seed_number, default=0, help="of the synthetic sounds"
    )
    return parser


def main(cmd: list[str] | None = None) -> None:
    options = get_parser().parse_args(cmd)
    settings = read_bank(SoundBank(), "sounds", options.config, options.num_each)
    if options.own:
        take_own(options.out, options.own, options.sample_rate)
    else:
        make_sounds(options.out, settings.num_each, options.sample_rate, options.seed)


if __name__ == "__main__":
    sys.exit(run_cli(main))
