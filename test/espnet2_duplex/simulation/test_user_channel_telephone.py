import numpy as np
import pytest

from espnet2_duplex.simulation.user_channel.settings import Telephone
from espnet2_duplex.simulation.user_channel.telephone import (
    draw_law,
    g711,
    over_telephone,
)


def tone(hz, sample_rate=16000, seconds=1.0):
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return np.float32(0.5 * np.sin(2 * np.pi * hz * time))


def gain_db(hz, law="mu", sample_rate=16000):
    """Of a tone, away from the ends, where it is cut off."""
    sent = tone(hz, sample_rate)
    heard = over_telephone(sent, sample_rate, law)
    middle = slice(sample_rate // 4, -sample_rate // 4)
    power = max(np.mean(heard[middle] ** 2), 1e-12)
    return 10 * np.log10(power / np.mean(sent[middle] ** 2))


@pytest.mark.parametrize("law", ["mu", "a"])
@pytest.mark.parametrize("hz", [400, 1000, 2000, 3000])
def test_the_band_passes(hz, law):
    assert gain_db(hz, law) == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("law", ["mu", "a"])
@pytest.mark.parametrize("hz", [50, 100, 200, 3600, 4500, 6000, 7500])
def test_what_lies_outside_the_band_is_40_db_down(hz, law):
    assert gain_db(hz, law) < -40


@pytest.mark.parametrize("hz", [300, 3400])
def test_the_edges_are_6_db_down(hz):
    assert gain_db(hz) == pytest.approx(-6, abs=0.5)


def test_other_rates_and_odd_lengths_are_kept():
    assert gain_db(1000, sample_rate=24000) == pytest.approx(0, abs=0.2)
    for num_samples in (1, 2, 777, 16001):
        stream = np.full(num_samples, 0.1, np.float32)
        assert over_telephone(stream, 16000, "a").shape == (num_samples,)


def test_speech_is_not_delayed():
    burst = tone(1000) * np.float32(np.hanning(16000)) ** 8
    heard = over_telephone(burst, 16000, "mu")
    assert np.argmax(np.correlate(heard, burst, "full")) - (len(burst) - 1) == 0


def test_silence_is_silence_by_the_law_that_has_a_zero():
    assert not over_telephone(np.zeros(1000, np.float32), 16000, "mu").any()


@pytest.mark.parametrize(
    "law, sample, decoded",
    [  # of the tables in ITU-T G.711, at 16 bits
        ("mu", 0, 0),
        ("mu", 1, 0),
        ("mu", 4, 8),
        ("mu", 32767, 32124),
        ("mu", -32768, -32124),
        ("a", 0, 8),
        ("a", 15, 8),
        ("a", 16, 24),
        ("a", -1, -8),
        ("a", 255, 248),
        ("a", 256, 264),
        ("a", 32767, 32256),
        ("a", -32768, -32256),
    ],
)
def test_g711(law, sample, decoded):
    assert g711(np.array([sample]), law).tolist() == [decoded]


@pytest.mark.parametrize("law, num_values", [("mu", 255), ("a", 256)])
def test_g711_has_eight_bits_and_changes_nothing_twice(law, num_values):
    once = g711(np.arange(-(2**15), 2**15), law)
    assert len(np.unique(once)) == num_values  # mu-law has its zero twice
    assert (np.diff(once) >= 0).all()
    np.testing.assert_array_equal(g711(once, law), once)


@pytest.mark.parametrize("law", ["mu", "a"])
def test_g711_is_37_db_below_speech(law):
    samples = np.round(3000 * np.random.default_rng(0).laplace(size=20_000))
    samples = np.clip(samples, -32768, 32767).astype(np.int64)
    error = g711(samples, law) - samples
    snr_db = 10 * np.log10(np.mean(samples**2) / np.mean(error**2))
    assert 36 < snr_db < 40


def test_both_laws_are_as_frequent():
    rng = np.random.default_rng(0)
    laws = [draw_law(Telephone(share=1), rng) for _ in range(1000)]
    assert laws.count("mu") == pytest.approx(500, abs=50)
    assert draw_law(Telephone(share=1, law="a"), rng) == "a"
