"""Sounds of a user's side that are no speech: coughs, knocks, clicks, thumps.

Parametric and drawn from a generator, for those who have no recordings. Each is a source
(bursts of noise, a train of pulses) through resonances: a cough is a burst, a breath
and a short voiced end in a vocal tract (Korpas, Sadlonova and Vrabec, 1996); a knock is
a board with a few damped modes; a click is a short burst of high frequencies.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

PEAK_LEVEL = 0.4  # about the peak of speech at -24 dBFS RMS
FADE_SECONDS = 0.005
# Hz: resonances of an open vocal tract and their widths.
TRACT = ((650.0, 180.0), (1250.0, 220.0), (2500.0, 350.0), (3500.0, 500.0))


def _num(seconds: float, sample_rate: int) -> int:
    return max(round(seconds * sample_rate), 2)


def _noise(seconds: float, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(_num(seconds, sample_rate))


def _decay(num_samples: int, to_db: float = -60.0) -> np.ndarray:
    """Exponential decay from 1 to `to_db`."""
    return 10 ** (np.linspace(0, to_db, num_samples) / 20)


def _swell(num_samples: int, rise_share: float) -> np.ndarray:
    """Half a cosine up to 1 and half a cosine down to 0."""
    rise = max(round(rise_share * num_samples), 1)
    up = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, rise))
    down = 0.5 + 0.5 * np.cos(np.linspace(0, np.pi, num_samples - rise))
    return np.concatenate([up, down])


def _pulses(
    seconds: float, start_hz: float, end_hz: float, sample_rate: int, jitter: np.ndarray
) -> np.ndarray:
    """A glottal source: one smooth pulse a period, of gliding, jittered pitch."""
    num_samples = _num(seconds, sample_rate)
    pitch = np.linspace(start_hz, end_hz, num_samples)
    pitch *= np.interp(np.arange(num_samples), *_knots(num_samples, jitter))
    pulses = np.diff(np.floor(np.cumsum(pitch) / sample_rate), prepend=0)
    return lfilter([1.0], [1.0, -0.9], pulses - pulses.mean())


def _knots(num_samples: int, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.linspace(0, num_samples, len(values)), values


def _resonate(
    source: np.ndarray,
    resonances: Sequence[tuple[float, float]],
    sample_rate: int,
    scale: float = 1.0,
) -> np.ndarray:
    """Sum of two-pole resonances (Hz, width in Hz), those above 90 % of Nyquist not.

    Args:
        source: (N,) float.
        resonances: centre and width.
        sample_rate: in Hz.
        scale: of the centres, as a shorter tract has it.
    """
    output = np.zeros_like(source)
    for hz, width_hz in resonances:
        if hz * scale < 0.45 * sample_rate:
            radius = np.exp(-np.pi * width_hz / sample_rate)
            angle = 2 * np.pi * hz * scale / sample_rate
            poles = [1.0, -2 * radius * np.cos(angle), radius**2]
            output += lfilter([1 - radius], poles, source)
    return output


def _band(
    sound: np.ndarray, low_hz: float, high_hz: float, sample_rate: int
) -> np.ndarray:
    edges = (low_hz, min(high_hz, 0.45 * sample_rate))
    sos = butter(2, edges, "bandpass", fs=sample_rate, output="sos")
    return sosfilt(sos, sound)


def _unit(sound: np.ndarray) -> np.ndarray:
    return sound / np.abs(sound).max()


def _train(
    events: Sequence[np.ndarray], starts_seconds: Sequence[float], sample_rate: int
) -> np.ndarray:
    """Sounds at their starts, added."""
    firsts = [round(start * sample_rate) for start in starts_seconds]
    output = np.zeros(max(f + len(e) for f, e in zip(firsts, events)))
    for first, event in zip(firsts, events):
        output[first : first + len(event)] += event
    return output


def _repeated(
    one: Callable[[], np.ndarray],
    count: int,
    gap_range_seconds: tuple[float, float],
    sample_rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """`count` sounds one after the other, each softer or louder than the last."""
    events, starts, start = [], [], 0.0
    for _ in range(count):
        event = _unit(one()) * 10 ** (rng.uniform(-6, 0) / 20)
        events.append(event)
        starts.append(start)
        start += len(event) / sample_rate + rng.uniform(*gap_range_seconds)
    return _train(events, starts, sample_rate)


def cough(sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """One to three coughs, each a burst, a breath and mostly a voiced end."""
    scale = rng.uniform(0.85, 1.2)  # men to children
    pitch_hz = rng.uniform(150, 380)
    voiced = rng.uniform(0, 0.8)

    def one() -> np.ndarray:
        burst = _noise(rng.uniform(0.03, 0.06), sample_rate, rng)
        burst *= _swell(len(burst), 0.15)
        breath = _noise(rng.uniform(0.12, 0.25), sample_rate, rng)
        breath *= 0.5 * _decay(len(breath), -24)
        seconds, jitter = rng.uniform(0.06, 0.14), rng.uniform(0.9, 1.1, 8)
        end = _pulses(seconds, pitch_hz, 0.7 * pitch_hz, sample_rate, jitter)
        end *= voiced * _swell(len(end), 0.3)
        starts = [0.0, 0.6 * len(burst) / sample_rate]
        starts.append(starts[1] + 0.6 * len(breath) / sample_rate)
        source = _train([burst, breath, end], starts, sample_rate)
        source = np.append(source, np.zeros(_num(0.03, sample_rate)))
        return _resonate(source, TRACT, sample_rate, scale)

    count = int(rng.integers(1, 4))
    return _repeated(one, count, (0.05, 0.3), sample_rate, rng)


def throat_clearing(sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """One or two rough, low, creaky sounds with breath in them."""
    scale, pitch_hz = rng.uniform(0.8, 1.1), rng.uniform(55, 110)

    def one() -> np.ndarray:
        seconds, jitter = rng.uniform(0.25, 0.5), rng.uniform(0.7, 1.3, 24)
        creak = _pulses(seconds, pitch_hz, 0.8 * pitch_hz, sample_rate, jitter)
        breath = 0.25 * rng.standard_normal(len(creak))
        source = (creak + breath) * _swell(len(creak), rng.uniform(0.1, 0.4))
        return _resonate(source, TRACT[:3], sample_rate, scale)

    return _repeated(one, int(rng.integers(1, 3)), (0.05, 0.2), sample_rate, rng)


def knock(sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Two to four knocks on wood, evenly spaced."""
    modes_hz = rng.uniform(120, 900, 5)
    decays = rng.uniform(0.03, 0.09, 5)
    period = rng.uniform(0.13, 0.25)
    count = int(rng.integers(2, 5))
    events = [_struck(modes_hz, decays, sample_rate, rng) for _ in range(count)]
    starts = np.arange(count) * period + rng.uniform(0, 0.02, count)
    return _train(events, starts, sample_rate)


def thump(sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Something heavy set down, or the microphone bumped: one low, dull blow."""
    modes_hz = rng.uniform(50, 160, 3)
    blow = _struck(modes_hz, rng.uniform(0.1, 0.3, 3), sample_rate, rng)
    rumble = _noise(0.08, sample_rate, rng) * _decay(_num(0.08, sample_rate))
    rumble = _band(rumble, 60, 500, sample_rate)
    return _train([_unit(blow), 0.5 * _unit(rumble)], [0.0, 0.0], sample_rate)


def _struck(
    modes_hz: np.ndarray,
    decay_seconds: np.ndarray,
    sample_rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Damped modes that a blow sets off; `decay_seconds` is the fall by 60 dB."""
    time = np.arange(_num(max(decay_seconds), sample_rate)) / sample_rate
    sound = np.zeros(len(time))
    for hz, decay in zip(modes_hz, decay_seconds):
        wave = np.sin(2 * np.pi * hz * time)
        sound += rng.uniform(0.4, 1) * wave * 10 ** (-3 * time / decay)
    return sound


def click(sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Mouse or keys: one to eight presses, each with a softer release."""
    low_hz = rng.uniform(1200, 2500)
    high_hz = low_hz * rng.uniform(1.8, 2.8)

    def one() -> np.ndarray:
        events = []
        for gain in (1.0, rng.uniform(0.2, 0.6)):
            tick = _noise(rng.uniform(0.006, 0.015), sample_rate, rng)
            events.append(gain * _unit(tick * _decay(len(tick))))
        ticks = _train(events, [0.0, rng.uniform(0.05, 0.12)], sample_rate)
        return _band(ticks, low_hz, high_hz, sample_rate)

    return _repeated(one, int(rng.integers(1, 9)), (0.03, 0.2), sample_rate, rng)


KINDS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "cough": cough,
    "throat_clearing": throat_clearing,
    "knock": knock,
    "click": click,
    "thump": thump,
}


def make_sound(kind: str, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """One sound (N,) float32 with a peak of `PEAK_LEVEL`, faded at both ends.

    Args:
        kind: one of `KINDS`.
        sample_rate: in Hz.
        rng: all that differs between two sounds of a kind.
    Raises:
        ValueError: if there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"There is no sound {kind!r}; take one of {', '.join(KINDS)}.")
    sound = KINDS[kind](sample_rate, rng)
    fade = np.linspace(0, 1, _num(FADE_SECONDS, sample_rate))
    sound = np.concatenate([np.zeros(len(fade)), sound])  # no onset falls into the fade
    sound[len(sound) - len(fade) :] *= fade[::-1]
    return (PEAK_LEVEL * _unit(sound)).astype(np.float32)
