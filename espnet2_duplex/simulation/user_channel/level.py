"""Level of the microphone, and the bounds of its samples."""

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
    return stream * np.float32(PEAK / peak) if peak > PEAK else stream


def peak_of(stream: np.ndarray) -> float:
    """Largest magnitude of a stream; 0 of an empty one."""
    return float(max(stream.max(), -stream.min())) if len(stream) else 0.0


def mean_square(stream: np.ndarray) -> float:
    """Energy per sample of a stream that is not empty."""
    return float(np.square(stream).mean())


def clip(stream: np.ndarray) -> np.ndarray:
    """A stream within +-`PEAK`."""
    return np.clip(stream, np.float32(-PEAK), np.float32(PEAK))
