"""Rooms by image sources (Allen and Berkley, 1979): drawn, then simulated."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyroomacoustics
from bank_settings import RoomBank

from espnet2_duplex.simulation.user_channel.rooms import from_direct_sound

SPEED_OF_SOUND = 343.0  # m/s
MAX_ORDER = 60  # reflections; enough for 0.8 s but in the smallest rooms
DISPLACEMENT = 0.08  # metres of an image; exact images of a box give a sweeping tone
MAX_TRIES = 10_000  # to draw a room in which everything has room


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


def draw_plan(
    rng: np.random.Generator, sample_rate: int, settings: RoomBank
) -> RoomPlan:
    """A room that can have its reverberation time, and places that are inside.

    Raises:
        ValueError: none is found, as the settings do not go together.
    """
    wall = settings.wall_metres
    for _ in range(MAX_TRIES):
        size = np.array([rng.uniform(*bounds) for bounds in settings.sizes_metres])
        rt60 = float(rng.uniform(*settings.rt60_seconds))
        try:
            pyroomacoustics.inverse_sabine(rt60, size)
        except ValueError:  # so large a room cannot be so dry
            continue
        microphone = rng.uniform(wall, size - wall)
        talker, loudspeaker = (
            microphone + _offset(rng, bounds, sample_rate)
            for bounds in (settings.talker_metres, settings.loudspeaker_metres)
        )
        places = np.stack([talker, loudspeaker])
        if (places > wall).all() and (places < size - wall).all():
            return RoomPlan(size, rt60, microphone, talker, loudspeaker)
    raise ValueError(
        f"no room was found in {MAX_TRIES} tries for {settings}; let talker and "
        "loudspeaker be nearer, the rooms larger, or their rt60_seconds longer."
    )


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


def simulated_rooms(
    settings: RoomBank, sample_rate: int, seed: int
) -> Iterator[tuple[RoomPlan, dict[str, np.ndarray]]]:
    """Each room with its responses; it depends on the seed and its number only.

    Args:
        settings: what is drawn.
        sample_rate: in Hz.
        seed: of all draws.

    Raises:
        ValueError: as `draw_plan`.
    """
    pyroomacoustics.constants.set("num_threads", 1)  # sums in one order
    for number in range(settings.num_rooms):
        rng = np.random.default_rng([seed, number])
        plan = draw_plan(rng, sample_rate, settings)
        yield plan, simulate(plan, sample_rate, rng)
