"""Silero as Full-Duplex-Bench's scripts call it."""

import numpy as np
import pytest
from scipy.signal import lfilter

from espnet2_duplex.metrics.full_duplex_bench.speech import make_bench_detector

FORMANTS = ((700, 80), (1220, 100), (2600, 150))  # (frequency, bandwidth) in Hz


def vowel(num_seconds, rate):
    """A long "ah" that silero takes for speech, float32 (N,)."""
    time = np.arange(round(num_seconds * rate)) / rate
    phase = np.cumsum(120 + 15 * np.sin(2 * np.pi * 3 * time)) / rate
    sound = np.diff(np.floor(phase), prepend=0)  # a pulse a period
    for frequency, bandwidth in FORMANTS:
        radius = np.exp(-np.pi * bandwidth / rate)
        cosine = np.cos(2 * np.pi * frequency / rate)
        sound = lfilter([1 - radius], [1, -2 * radius * cosine, radius**2], sound)
    sound *= 0.6 + 0.4 * np.sin(2 * np.pi * 4 * time)
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def at_one_second(rate):
    return np.concatenate([np.zeros(rate), vowel(1.2, rate), np.zeros(rate)]).astype(
        np.float32
    )


def test_speech_begins_where_it_begins():
    (segment,) = make_bench_detector()(at_one_second(16000))
    assert segment.start == pytest.approx(1.0, abs=0.1)


def test_every_rate_is_taken_for_16_khz():
    (segment,) = make_bench_detector()(at_one_second(24000))
    assert segment.start == pytest.approx(1.5, abs=0.1)


def test_seconds_are_rounded_on_demand():
    (exact,) = make_bench_detector()(at_one_second(16000))
    (rounded,) = make_bench_detector(num_decimals=1)(at_one_second(16000))
    assert (rounded.start, rounded.end) == (round(exact.start, 1), round(exact.end, 1))
    assert rounded != exact


def test_silence_has_no_segments():
    assert make_bench_detector()(np.zeros(16000, np.float32)) == ()
