"""Level of the microphone, and the bounds of its samples."""

import numba
import numpy as np

from espnet2_duplex.simulation.user_channel.settings import Level

PEAK = 0.99


def vary_level(
    stream: np.ndarray,
    settings: Level,
    sample_rate: int,
    generator: np.random.Generator,
) -> np.ndarray:
    """A stream (N,) float32 at another level, turned down where it would clip."""
    gain_db = generator.uniform(*settings.gain_range_db)
    wander_db = generator.uniform(*settings.wander_range_db)
    stream = stream * np.float32(10 ** (gain_db / 20))
    if wander_db > 0:
        hop = round(settings.wander_seconds * sample_rate)
        num_knots = -(-len(stream) // hop) + 1
        knots = 10 ** (generator.uniform(-wander_db, wander_db, num_knots) / 20)
        ramp = np.linspace(0, 1, hop, endpoint=False, dtype=np.float32)
        for n, (left, right) in enumerate(np.float32([knots[:-1], knots[1:]]).T):
            piece = stream[n * hop : (n + 1) * hop]
            piece *= left + (right - left) * ramp[: len(piece)]
    peak = peak_of(stream)
    if peak > PEAK:
        stream *= np.float32(PEAK / peak)
    return stream


def peak_of(stream: np.ndarray) -> float:
    """Largest magnitude of a stream; 0 of an empty one."""
    return float(max(stream.max(), -stream.min())) if len(stream) else 0.0


def clip(stream: np.ndarray) -> np.ndarray:
    """A stream within +-`PEAK`, changed in place."""
    return np.clip(stream, np.float32(-PEAK), np.float32(PEAK), out=stream)


def energy(stream: np.ndarray) -> float:
    """Sum of the squares of a stream (N,) float32.

    In doubles and in a fixed order, so that it is the same on every machine, and
    without numpy's array of squares: fresh memory costs more than the sum.
    """
    return _energy_kernel(stream)


@numba.njit(cache=True)
def _energy_kernel(stream):
    # Four sums, as each addition waits for the one before it.
    first = second = third = fourth = 0.0
    num_fours = stream.shape[0] // 4 * 4
    for n in range(0, num_fours, 4):
        first += np.float64(stream[n]) ** 2
        second += np.float64(stream[n + 1]) ** 2
        third += np.float64(stream[n + 2]) ** 2
        fourth += np.float64(stream[n + 3]) ** 2
    for n in range(num_fours, stream.shape[0]):
        first += np.float64(stream[n]) ** 2
    return first + second + third + fourth
