#!/usr/bin/env python3
"""A bank of rooms for the user's channel: impulse responses to the microphone.

    python local/make_rooms.py data/local/rooms                      # simulated
    python local/make_rooms.py data/local/rooms --measured rirs/     # or a wav.scp

Each simulated room is a shoebox (image sources, Allen and Berkley, 1979) with a
microphone, a talker and a loudspeaker, such as that of a laptop or of a speaker phone.
Writes `rooms.jsonl` and the responses, which
`espnet2_duplex.simulation.user_channel.bank.Bank` reads.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyroomacoustics
from recordings import sound_paths

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import write_jsonl
from espnet2_duplex.simulation.user_channel.bank import ROOMS_FILE
from espnet2_duplex.simulation.user_channel.rooms import from_direct_sound
from espnet2_duplex.sound_files import read_mono, write_wav

SPEED_OF_SOUND = 343.0  # m/s
SIZE_RANGE = ((2.5, 8.0), (2.0, 6.0), (2.3, 3.5))  # length, width, height in metres
RT60_RANGE = (0.1, 0.8)  # seconds until the sound has fallen by 60 dB
TALKER_RANGE = (0.3, 2.0)  # metres from the microphone
LOUDSPEAKER_RANGE = (0.1, 1.0)  # metres from the microphone
WALL_DISTANCE = 0.4  # metres, of everything
MAX_ORDER = 60  # reflections; enough for 0.8 s but in the smallest rooms
DISPLACEMENT = 0.08  # metres of an image; exact images of a box give a sweeping tone


@dataclass(frozen=True)
class RoomPlan:
    """A room and what stands in it; all in metres but `rt60` (seconds)."""

    size: np.ndarray  # (3,)
    rt60: float
    microphone: np.ndarray  # (3,)
    talker: np.ndarray  # (3,)
    loudspeaker: np.ndarray  # (3,)

    def distance(self, source: str) -> float:
        """Metres from a source to the microphone."""
        return float(np.linalg.norm(getattr(self, source) - self.microphone))


def draw_plan(rng: np.random.Generator, sample_rate: int) -> RoomPlan:
    """A room that can have its reverberation time, and places that are inside."""
    while True:
        size = np.array([rng.uniform(*bounds) for bounds in SIZE_RANGE])
        rt60 = float(rng.uniform(*RT60_RANGE))
        try:
            pyroomacoustics.inverse_sabine(rt60, size)
        except ValueError:  # so large a room cannot be so dry
            continue
        microphone = rng.uniform(WALL_DISTANCE, size - WALL_DISTANCE)
        talker, loudspeaker = (
            microphone + _offset(rng, bounds, sample_rate)
            for bounds in (TALKER_RANGE, LOUDSPEAKER_RANGE)
        )
        places = np.stack([talker, loudspeaker])
        if (places > WALL_DISTANCE).all() and (places < size - WALL_DISTANCE).all():
            return RoomPlan(size, rt60, microphone, talker, loudspeaker)


def _offset(
    rng: np.random.Generator, bounds: tuple[float, float], sample_rate: int
) -> np.ndarray:
    """A vector (3,) in any direction, whose length sound passes in whole samples.

    So the direct sound is one sample, not a pulse between two.
    """
    metres_per_sample = SPEED_OF_SOUND / sample_rate
    low, high = (bound / metres_per_sample for bound in bounds)
    direction = rng.standard_normal(3)
    length = rng.integers(int(np.ceil(low)), int(high) + 1) * metres_per_sample
    return direction / np.linalg.norm(direction) * length


def simulate(
    plan: RoomPlan, sample_rate: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Responses (R,) float32 of talker and loudspeaker, from the direct sound on."""
    absorption, order = pyroomacoustics.inverse_sabine(plan.rt60, plan.size)
    room = pyroomacoustics.ShoeBox(
        plan.size,
        fs=sample_rate,
        materials=pyroomacoustics.Material(absorption),
        max_order=min(order, MAX_ORDER),
    )
    room.set_sound_speed(SPEED_OF_SOUND)
    room.add_microphone(plan.microphone)
    room.add_source(plan.talker)
    room.add_source(plan.loudspeaker)
    room.image_source_model()
    for source in room.sources:
        moved = source.orders > 0
        moves = rng.uniform(-DISPLACEMENT, DISPLACEMENT, source.images.shape)
        source.images[:, moved] += moves[:, moved]
    room.compute_rir()
    talker, loudspeaker = (np.float32(response) for response in room.rir[0])
    return {
        "talker": from_direct_sound(talker, "talker"),
        "loudspeaker": from_direct_sound(loudspeaker, "loudspeaker"),
    }


def write_response(path: Path, response: np.ndarray, sample_rate: int) -> None:
    """Write (R,) float32 with 24 bits: far below its peak, 16 bits are coarse."""
    write_wav(path, response, sample_rate, "PCM_24")


def make_rooms(out: Path, num_rooms: int, sample_rate: int, seed: int) -> None:
    """Simulate rooms; each depends on the seed and its number only."""
    pyroomacoustics.constants.set("num_threads", 1)  # sums in one order
    rows = []
    for number in range(num_rooms):
        rng = np.random.default_rng([seed, number])
        plan = draw_plan(rng, sample_rate)
        row = {"id": f"room{number:04d}", "rt60_seconds": round(plan.rt60, 3)}
        row["size_metres"] = plan.size.round(2).tolist()
        for source, response in simulate(plan, sample_rate, rng).items():
            row[source] = f"{row['id']}_{source}.wav"
            row[f"{source}_metres"] = round(plan.distance(source), 3)
            write_response(out / row[source], response, sample_rate)
        rows.append(row)
    write_jsonl(out / ROOMS_FILE, rows)
    print(f"{num_rooms} simulated rooms in {out}")


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
    parser.add_argument("--num_rooms", type=int, default=64, help="simulated rooms")
    parser.add_argument(
        "--measured", type=Path, help="folder or wav.scp of responses, taken instead"
    )
    parser.add_argument("--sample_rate", type=int, default=16000, help="in Hz")
    parser.add_argument("--seed", type=int, default=0, help="of the simulated rooms")
    return parser


def main(cmd: list[str] | None = None) -> None:
    options = get_parser().parse_args(cmd)
    if options.num_rooms < 1:
        raise ValueError(f"--num_rooms is {options.num_rooms}; expected at least 1.")
    if options.measured:
        take_measured(options.out, options.measured, options.sample_rate)
    else:
        make_rooms(options.out, options.num_rooms, options.sample_rate, options.seed)


if __name__ == "__main__":
    sys.exit(run_cli(main))
