"""The public telephone network: 300 to 3400 Hz at 8 kHz, coded by ITU-T G.711."""

from functools import lru_cache

import numpy as np
import soxr

from espnet2_duplex.simulation.user_channel.settings import Telephone
from espnet2_duplex.simulation.user_channel.sounding import convolve

TELEPHONE_RATE = 8000  # Hz
BAND = (300.0, 3400.0)  # Hz, where the gain is -6 dB
NUM_TAPS = 255  # falls by 60 dB within 100 Hz


def g711(samples: np.ndarray, law: str) -> np.ndarray:
    """What is left of samples after coding and decoding by G.711.

    Args:
        samples: integers of 16 bits.
        law: "mu" or "a".
    Returns:
        Integers of the same shape.
    """
    samples = np.asarray(samples, np.int64)
    if law == "mu":
        magnitude = np.minimum(np.abs(samples), 32635) + 132
    else:
        magnitude = np.where(samples < 0, -samples - 1, samples)
    # A step is 1/16 of the power of two below the magnitude; decoding gives its middle.
    # The finest is 8 (mu, where 132 is the least magnitude) or 16 (a).
    shift = np.maximum(np.frexp(magnitude)[1] - 5, 3 if law == "mu" else 4)
    middle = (magnitude >> shift << shift) + (1 << (shift - 1))
    decoded = middle - 132 if law == "mu" else middle
    return np.where(samples < 0, -decoded, decoded)


@lru_cache
def _decoded(law: str) -> np.ndarray:
    """(65536,) float32: what each 16-bit sample, read as unsigned, becomes."""
    every = np.arange(2**16, dtype=np.uint16).view(np.int16)
    return (g711(every, law) / 2**15).astype(np.float32)


@lru_cache
def _band_filter() -> np.ndarray:
    """(NUM_TAPS,) float32 by the window method, with Hamming's window.

    The same as scipy's `firwin`, but importing scipy.signal takes most of the time in
    which a job starts.
    """
    low, high = (2 * edge / TELEPHONE_RATE for edge in BAND)  # of Nyquist's frequency
    times = np.arange(NUM_TAPS) - NUM_TAPS // 2
    taps = high * np.sinc(high * times) - low * np.sinc(low * times)
    taps *= np.hamming(NUM_TAPS)
    taps /= taps @ np.cos(np.pi * times * (low + high) / 2)  # gain 1 in the middle
    return taps.astype(np.float32)


def over_telephone(stream: np.ndarray, sample_rate: int, law: str) -> np.ndarray:
    """A stream as it comes out of the telephone network, not delayed.

    Args:
        stream: (N,) float32; what is beyond +-1 is clipped.
        sample_rate: in Hz, at least 8 kHz.
        law: "mu" or "a".
    Returns:
        (N,) float32.
    """
    half = NUM_TAPS // 2
    narrow = soxr.resample(stream, sample_rate, TELEPHONE_RATE)
    narrow = convolve(np.pad(narrow, (0, half)), _band_filter())[half:]
    narrow *= np.float32(2**15)
    pcm = np.rint(np.clip(narrow, -(2**15), 2**15 - 1)).astype(np.int16)
    narrow = np.take(_decoded(law), pcm.view(np.uint16))
    wide = soxr.resample(narrow, TELEPHONE_RATE, sample_rate)
    return np.pad(wide, (0, max(len(stream) - len(wide), 0)))[: len(stream)]


def draw_law(settings: Telephone, generator: np.random.Generator) -> str:
    """The law of one conversation: "mu" or "a"."""
    drawn = ("mu", "a")[generator.integers(2)]
    return drawn if settings.law == "both" else settings.law
