import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.simulation.user_channel.bank import Bank
from espnet2_duplex.simulation.user_channel.noise import (
    coloured_noise,
    coloured_noise_reference,
    draw_noise,
    recorded_noise,
    speech_power,
)
from espnet2_duplex.simulation.user_channel.settings import Noise


@given(st.integers(0, 300), st.floats(0, 0.999), st.integers(0, 2**63 - 1))
def test_kernel_equals_the_plain_definition(num_samples, pole, seed):
    np.testing.assert_array_equal(
        coloured_noise(num_samples, pole, seed),
        coloured_noise_reference(num_samples, pole, seed),
    )


def test_white_noise_is_white_and_near_to_normal():
    noise = coloured_noise(200_000, 0.0, 5).astype(np.float64)
    assert abs(noise.mean()) < 0.01
    assert noise.std() == pytest.approx(1, abs=0.01)
    # Four uniform numbers: excess of -0.3 = -1.2 / 4, where one has -1.2.
    assert (noise**4).mean() - 3 == pytest.approx(-0.3, abs=0.05)
    for lag in (1, 2, 3, 100):
        assert abs(np.corrcoef(noise[lag:], noise[:-lag])[0, 1]) < 0.01


def test_the_pole_is_the_correlation_of_neighbours():
    noise = coloured_noise(200_000, 0.8, 5)
    assert np.corrcoef(noise[1:], noise[:-1])[0, 1] == pytest.approx(0.8, abs=0.01)


def test_other_seeds_give_other_noise():
    first, second = coloured_noise(20_000, 0.0, 1), coloured_noise(20_000, 0.0, 2)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03


def test_speech_power_counts_only_where_the_user_speaks():
    spoken = np.array([0, 0.5, -0.5, 0, 0], np.float32)
    assert speech_power(spoken, spoken) == pytest.approx(0.25)
    # A room adds a tail; the user does not speak longer for it.
    heard = np.array([0, 0.5, -0.5, 0.5, 0], np.float32)
    assert speech_power(heard, spoken) == pytest.approx(0.375)


def test_a_user_who_says_nothing_counts_as_one_of_usual_level():
    silence = np.zeros(100, np.float32)
    assert speech_power(silence, silence) == pytest.approx(10**-2.4)


@pytest.mark.parametrize("snr_db", [0.0, 12.5, 40.0])
def test_signal_to_noise_ratio_is_reached(snr_db):
    settings = Noise(share=1, snr_range_db=(snr_db, snr_db))
    noise = draw_noise(50_000, 0.01, settings, Bank(), np.random.default_rng(0))
    reached = 10 * np.log10(0.01 / np.mean(noise.astype(np.float64) ** 2))
    assert reached == pytest.approx(snr_db, abs=0.01)


@pytest.fixture
def ramp(tmp_path):
    """A recording of 1000 samples that count up; its path."""
    path = tmp_path / "ramp.wav"
    samples = np.arange(1, 1001, dtype=np.float32) / 2048
    soundfile.write(path, samples, 16000, subtype="FLOAT")
    return str(path)


def test_a_long_recording_gives_one_stretch(ramp):
    starts = set()
    for seed in range(20):
        noise = recorded_noise(ramp, 300, np.random.default_rng(seed)) * 2048
        assert np.diff(noise).tolist() == [1] * 299
        starts.add(noise[0])
    assert len(starts) > 15


def test_a_short_recording_is_repeated(ramp):
    noise = recorded_noise(ramp, 2500, np.random.default_rng(0)) * 2048
    assert noise[0] == noise[1000] == noise[2000]
    assert sorted(noise[:1000]) == list(range(1, 1001))


def test_recordings_take_the_place_of_coloured_noise(ramp):
    settings = Noise(share=1, snr_range_db=(20, 20), recordings_share=1.0)
    bank = Bank(noises=(ramp,))
    noise = draw_noise(500, 0.01, settings, bank, np.random.default_rng(0))
    np.testing.assert_allclose(np.diff(noise, n=2), 0, atol=1e-6)
    assert np.mean(noise**2) == pytest.approx(1e-4, rel=1e-3)


def test_a_silent_recording_stays_silence(tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(100), 16000)
    settings = Noise(share=1, recordings_share=1.0)
    bank = Bank(noises=(str(path),))
    noise = draw_noise(500, 0.01, settings, bank, np.random.default_rng(0))
    assert noise.tolist() == [0] * 500
