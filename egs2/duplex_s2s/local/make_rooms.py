#!/usr/bin/env python3
"""A bank of rooms for the user's channel: impulse responses to the microphone.

    python local/make_rooms.py data/local/rooms                      # simulated
    python local/make_rooms.py data/local/rooms --measured rirs/     # or a wav.scp

Each simulated room is a shoebox (image sources, Allen and Berkley, 1979) with a
microphone, a talker and a loudspeaker, such as that of a laptop or of a speaker phone.
`bank_settings.py` describes what the section `rooms` of the corpus' YAML may say of them.
Writes `rooms.jsonl` and the responses, which
`espnet2_duplex.simulation.user_channel.bank.Bank` reads.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from bank_settings import RoomBank, read_bank
from recordings import sound_paths
from shares import seed_number

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import write_jsonl
from espnet2_duplex.simulation.user_channel.bank import ROOMS_FILE
from espnet2_duplex.simulation.user_channel.rooms import from_direct_sound
from espnet2_duplex.sound_files import read_mono, write_wav


def write_response(path: Path, response: np.ndarray, sample_rate: int) -> None:
    """Write (R,) float32 with 24 bits: far below its peak, 16 bits are coarse."""
    write_wav(path, response, sample_rate, "PCM_24")


def make_rooms(out: Path, settings: RoomBank, sample_rate: int, seed: int) -> None:
    """Write simulated rooms; each depends on the seed and its number only.

    Raises:
        ValueError: the settings do not go together.
    """
    # Here, as measured rooms do without pyroomacoustics.
    from simulated_rooms import simulated_rooms

    rows = []
    for plan, responses in simulated_rooms(settings, sample_rate, seed):
        row = {"id": f"room{len(rows):04d}", "rt60_seconds": round(plan.rt60, 3)}
        row["size_metres"] = plan.size.round(2).tolist()
        for source, response in responses.items():
            row[source] = f"{row['id']}_{source}.wav"
            row[f"{source}_metres"] = round(plan.distance(source), 3)
            write_response(out / row[source], response, sample_rate)
        rows.append(row)
    write_jsonl(out / ROOMS_FILE, rows)
    print(f"{len(rows)} simulated rooms in {out}")


def take_measured(out: Path, measured: Path, sample_rate: int) -> None:
    """Measured responses; each serves its room's talker and its loudspeaker.

    Raises:
        ValueError: if there are none or one is no response; names it.
    """
    rows = []
    for number, (name, path) in enumerate(sound_paths(measured).items()):
        wav = f"room{number:04d}.wav"
        response = from_direct_sound(read_mono(path, sample_rate), str(path))
        write_response(out / wav, response, sample_rate)
        rows.append({"id": name, "talker": wav, "loudspeaker": wav})
    write_jsonl(out / ROOMS_FILE, rows)
    print(f"{len(rows)} measured rooms in {out}")


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder of the bank")
    parser.add_argument(
        "--config",
        type=Path,
        help="corpus YAML, whose section rooms says what is drawn",
    )
    parser.add_argument("--num_rooms", type=int, help="instead of the YAML's number")
    parser.add_argument(
        "--measured", type=Path, help="folder or wav.scp of responses, taken instead"
    )
    parser.add_argument("--sample_rate", type=int, default=16000, help="in Hz")
    parser.add_argument(
        "--seed", type=seed_number, default=0, help="of the simulated rooms"
    )
    return parser


def main(cmd: list[str] | None = None) -> None:
    options = get_parser().parse_args(cmd)
    settings = read_bank(RoomBank(), "rooms", options.config, options.num_rooms)
    if options.measured:
        take_measured(options.out, options.measured, options.sample_rate)
    else:
        make_rooms(options.out, settings, options.sample_rate, options.seed)


if __name__ == "__main__":
    sys.exit(run_cli(main))
