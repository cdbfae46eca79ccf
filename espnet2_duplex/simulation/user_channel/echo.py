"""The agent's own voice, from the user's loudspeaker back into the microphone."""

import numpy as np

from espnet2_duplex.simulation.user_channel.level import energy, peak_of
from espnet2_duplex.simulation.user_channel.settings import Echo
from espnet2_duplex.simulation.user_channel.sounding import convolve
from espnet2_duplex.timing import nearest_sample


def overdrive(agent: np.ndarray, drive: float) -> np.ndarray:
    """What a small loudspeaker makes of a stream (M,) float32; silence stays silence.

    ``tanh(drive * x)`` for a peak of 1: nearly linear below a drive of 0.3.
    """
    driven = agent * np.float32(drive / max(peak_of(agent), 1e-6))
    return np.tanh(driven, out=driven)


def agent_echo(
    agent: np.ndarray,
    response: np.ndarray,
    sample_rate: int,
    settings: Echo,
    generator: np.random.Generator,
) -> np.ndarray:
    """What the microphone hears of the agent.

    Args:
        agent: (N,) float32, at the rate of the user's stream; it is not changed.
        response: (R,) float32, loudspeaker to microphone, from the direct sound on.
        sample_rate: in Hz.
        settings: what to draw.
        generator: draws.
    Returns:
        (N,) float32; exactly zero before the delay.
    """
    delay_seconds = generator.uniform(*settings.delay_range_seconds)
    gain_db = generator.uniform(*settings.gain_range_db)
    drive = generator.uniform(*settings.drive_range)
    is_distorted = generator.random() < settings.distortion_share
    heard = convolve(overdrive(agent, drive) if is_distorted else agent, response)
    heard_energy = energy(heard)
    delay = nearest_sample(delay_seconds, sample_rate)
    if heard_energy == 0 or delay >= len(agent):
        return np.zeros_like(agent)
    wanted = energy(agent) * 10 ** (gain_db / 10)
    gain = np.float32(np.sqrt(wanted / heard_energy))
    echo = np.empty_like(agent)
    echo[:delay] = 0
    np.multiply(heard[: len(agent) - delay], gain, out=echo[delay:])
    return echo
