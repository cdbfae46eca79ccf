import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tts.loudness import LEVEL_DBFS, PEAK, trim_and_level


def tone(seconds, sample_rate=16000, amplitude=0.3):
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return (amplitude * np.sin(2 * np.pi * 200 * time)).astype(np.float32)


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.01, 0.9))
def test_silence_is_cut_off_both_ends_to_a_hundredth(before, after, amplitude):
    silences = [np.zeros(160 * count, np.float32) for count in (before, after)]
    speech = np.concatenate([silences[0], tone(0.5, 16000, amplitude), silences[1]])
    assert abs(len(trim_and_level(speech, 16000)) - 8000) <= 160


@pytest.mark.parametrize("amplitude", [0.001, 0.2, 0.9])
def test_clips_have_one_level(amplitude):
    clip = trim_and_level(tone(1.0, 16000, amplitude), 16000)
    assert 10 * np.log10(np.mean(clip**2)) == pytest.approx(LEVEL_DBFS, abs=0.2)


def test_a_burst_does_not_clip():
    burst = np.concatenate([tone(1.0, 16000, 0.001), np.ones(10, np.float32)])
    assert np.abs(trim_and_level(burst, 16000)).max() <= PEAK + 1e-6


def test_a_clip_begins_and_ends_without_a_click():
    clip = trim_and_level(np.ones(1600, np.float32), 16000)
    assert clip[0] == clip[-1] == 0.0


@pytest.mark.parametrize("num_samples", [0, 100, 16000])
def test_a_silent_voice_is_an_error(num_samples):
    with pytest.raises(ValueError, match="silence"):
        trim_and_level(np.zeros(num_samples, np.float32), 16000)


def test_samples_that_are_no_numbers_are_an_error():
    with pytest.raises(ValueError, match="finite"):
        trim_and_level(np.array([0.1, np.nan] * 800, np.float32), 16000)
