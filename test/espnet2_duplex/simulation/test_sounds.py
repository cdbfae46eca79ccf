import numpy as np
import pytest

from espnet2_duplex.simulation.sounds import KINDS, PEAK_LEVEL, make_sound

RATE = 16000


def sounds(kind, count=12, sample_rate=RATE):
    return [
        make_sound(kind, sample_rate, np.random.default_rng(n)) for n in range(count)
    ]


def energy_below(sound, hz, sample_rate=RATE):
    """Share of the energy below a frequency."""
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    below = np.fft.rfftfreq(len(sound), 1 / sample_rate) < hz
    return spectrum[below].sum() / spectrum.sum()


@pytest.mark.parametrize("sample_rate", [8000, 16000, 24000])
@pytest.mark.parametrize("kind", KINDS)
def test_every_sound_is_short_has_its_peak_and_ends_softly(kind, sample_rate):
    for sound in sounds(kind, 12, sample_rate):
        assert sound.dtype == np.float32
        assert 0.03 < len(sound) / sample_rate < 2.5
        assert np.isfinite(sound).all()
        assert np.abs(sound).max() == pytest.approx(PEAK_LEVEL, rel=1e-6)
        assert sound[0] == sound[-1] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_sounds_repeat_with_their_seed_only(kind):
    first, second = sounds(kind, 2)
    assert first.tobytes() == sounds(kind, 1)[0].tobytes()
    assert first.tobytes() != second.tobytes()


def test_a_cough_is_wide_but_mostly_below_4_khz():
    below = [energy_below(sound, 4000) for sound in sounds("cough")]
    assert min(below) > 0.75
    assert np.mean([energy_below(sound, 500) for sound in sounds("cough")]) < 0.6


def test_a_cough_begins_with_its_burst():
    for sound in sounds("cough"):
        loud = np.flatnonzero(np.abs(sound) > 0.1 * PEAK_LEVEL)
        assert loud[0] / RATE < 0.03


def test_clearing_the_throat_is_low():
    below = [energy_below(sound, 1500) for sound in sounds("throat_clearing")]
    assert min(below) > 0.8


def test_thumps_are_low_knocks_are_higher_clicks_are_high():
    centre = {
        kind: np.mean([energy_below(sound, 400) for sound in sounds(kind)])
        for kind in ("thump", "knock", "click")
    }
    assert centre["thump"] > 0.9 > centre["knock"] > 0.2
    assert centre["click"] < 0.02


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="no sound 'sneeze'; take one of cough"):
        make_sound("sneeze", RATE, np.random.default_rng(0))
