"""Noise at a given distance below the user's speech."""

import numba
import numpy as np
import soundfile

from espnet2_duplex.simulation.user_channel.bank import Bank
from espnet2_duplex.simulation.user_channel.level import energy
from espnet2_duplex.simulation.user_channel.settings import Noise

# RMS of the recipe's clips; stands for the speech of a user who says nothing.
NOMINAL_SPEECH_DBFS = -24.0

# SplitMix64 (Steele, Lea and Flood, 2014).
_STEP = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB
_ALL_BITS = 0xFFFFFFFFFFFFFFFF
# Four 16-bit numbers sum to this on average, and have this deviation.
_SUM_MEAN = 2 * 0xFFFF
_SUM_SCALE = np.float32(1 / np.sqrt((2**32 - 1) / 3))


def speech_power(heard: np.ndarray, spoken: np.ndarray) -> float:
    """Energy of the user's speech per sample in which it speaks.

    Args:
        heard: (N,) float32, the speech at the microphone, for example in a room.
        spoken: (N,) float32, the turns alone; zero where the user is silent.
    """
    num_spoken = np.count_nonzero(spoken)
    if num_spoken == 0:
        return 10 ** (NOMINAL_SPEECH_DBFS / 10)
    return energy(heard) / num_spoken


def coloured_noise_reference(num_samples: int, pole: float, seed: int) -> np.ndarray:
    """Noise (num_samples,) float32 from white to brown. Plain definition.

    ``y[n] = white[n] + pole * y[n - 1]``; white is the sum of four uniform numbers,
    which is near enough to normal and takes a quarter of the time of numpy's.
    """
    noise = np.zeros(num_samples, np.float32)
    pole, previous = np.float32(pole), np.float32(0)
    for n in range(num_samples):
        seed = (seed + _STEP) & _ALL_BITS
        bits = ((seed ^ (seed >> 30)) * _MIX_1) & _ALL_BITS
        bits = ((bits ^ (bits >> 27)) * _MIX_2) & _ALL_BITS
        bits ^= bits >> 31
        total = sum((bits >> shift) & 0xFFFF for shift in (0, 16, 32, 48))
        white = np.float32(total - _SUM_MEAN) * _SUM_SCALE
        previous = noise[n] = white + pole * previous
    return noise


def coloured_noise(num_samples: int, pole: float, seed: int) -> np.ndarray:
    """Same as :func:`coloured_noise_reference`, compiled."""
    noise = np.empty(num_samples, np.float32)
    _coloured_noise_kernel(noise, np.float32(pole), np.uint64(seed))
    return noise


@numba.njit(cache=True)
def _coloured_noise_kernel(noise, pole, seed):
    previous = np.float32(0)
    for n in range(noise.shape[0]):
        seed += np.uint64(_STEP)
        bits = (seed ^ (seed >> np.uint64(30))) * np.uint64(_MIX_1)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(_MIX_2)
        bits ^= bits >> np.uint64(31)
        total = (
            np.int64(bits & np.uint64(0xFFFF))
            + np.int64((bits >> np.uint64(16)) & np.uint64(0xFFFF))
            + np.int64((bits >> np.uint64(32)) & np.uint64(0xFFFF))
            + np.int64(bits >> np.uint64(48))
        )
        previous = np.float32(total - _SUM_MEAN) * _SUM_SCALE + pole * previous
        noise[n] = previous


def recorded_noise(
    path: str, num_samples: int, generator: np.random.Generator
) -> np.ndarray:
    """A stretch (num_samples,) float32 of a recording, which is repeated if short."""
    with soundfile.SoundFile(path) as recording:
        spare = recording.frames - num_samples
        recording.seek(int(generator.integers(max(spare, 0) + 1)))
        samples = recording.read(min(num_samples, recording.frames), dtype="float32")
    if spare < 0:
        samples = np.roll(samples, -int(generator.integers(len(samples))))
    return np.resize(samples, num_samples)


def draw_noise(
    num_samples: int,
    power: float,
    settings: Noise,
    bank: Bank,
    generator: np.random.Generator,
) -> np.ndarray:
    """Noise for one conversation.

    Args:
        num_samples: of the user's stream.
        power: of the speech, see :func:`speech_power`.
        settings: what to draw.
        bank: its recordings.
        generator: draws.
    Returns:
        (num_samples,) float32; silence if the recording is.
    """
    snr_db = generator.uniform(*settings.snr_range_db)
    pole = generator.uniform(*settings.colour_range)
    if generator.random() < settings.recordings_share:
        path = bank.noises[generator.integers(len(bank.noises))]
        noise = recorded_noise(path, num_samples, generator)
    else:
        seed = int(generator.integers(2**63))
        noise = coloured_noise(num_samples, pole, seed)
    noise_power = energy(noise) / num_samples
    if noise_power > 0:
        noise *= np.float32(np.sqrt(power * 10 ** (-snr_db / 10) / noise_power))
    return noise
