import numpy as np
import pytest

from espnet2_duplex.simulation.user_channel.echo import agent_echo, overdrive
from espnet2_duplex.simulation.user_channel.settings import Echo

RATE = 16000
DIRECT = np.ones(1, np.float32)


def make_agent(seconds=3.0):
    """Silence with one second of noise from 0.5 s."""
    agent = np.zeros(round(seconds * RATE), np.float32)
    noise = np.random.default_rng(0).standard_normal(RATE)
    agent[RATE // 2 : RATE // 2 + RATE] = 0.1 * noise
    return agent


def echo_of(agent, response=DIRECT, seed=0, delay=0.2, gain_db=-20, **settings):
    settings = Echo(
        share=1,
        delay_range_seconds=(delay, delay),
        gain_range_db=(gain_db, gain_db),
        **{"distortion_share": 0.0, **settings},
    )
    return agent_echo(agent, response, RATE, settings, np.random.default_rng(seed))


def delay_of(echo, agent):
    """Samples by which the echo is behind, by cross-correlation."""
    size = 2 * len(agent)
    spectrum = np.fft.rfft(echo, size) * np.conj(np.fft.rfft(agent, size))
    return int(np.argmax(np.fft.irfft(spectrum)))


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.25])
@pytest.mark.parametrize("gain_db", [-40, -10])
def test_delay_and_level(delay, gain_db):
    agent = make_agent()
    echo = echo_of(agent, delay=delay, gain_db=gain_db)
    assert delay_of(echo, agent) == round(delay * RATE)
    level_db = 10 * np.log10(np.sum(echo**2) / np.sum(agent**2))
    assert level_db == pytest.approx(gain_db, abs=0.01)


def test_a_room_and_a_bad_loudspeaker_change_neither_delay_nor_level():
    rng = np.random.default_rng(1)
    response = np.float32(
        0.1 * rng.standard_normal(4000) * 10 ** np.linspace(0, -3, 4000)
    )
    response[0] = 1
    agent = make_agent()
    echo = echo_of(agent, response, distortion_share=1.0)
    assert delay_of(echo, agent) == round(0.2 * RATE)
    level_db = 10 * np.log10(np.sum(echo**2) / np.sum(agent**2))
    assert level_db == pytest.approx(-20, abs=0.01)


def test_there_is_no_echo_before_its_delay_nor_of_silence():
    agent = make_agent()
    echo = echo_of(agent, delay=0.25)
    assert not echo[: round(0.75 * RATE) - 320].any()
    assert echo[round(0.75 * RATE) :][:100].any()
    assert not echo_of(np.zeros(5000, np.float32)).any()


def test_an_echo_after_the_end_is_not_heard():
    agent = make_agent(1.5)
    assert not echo_of(agent, delay=2.0).any()
    assert echo_of(agent, delay=0.5).shape == agent.shape


def test_the_agent_is_not_changed():
    agent = make_agent()
    before = agent.copy()
    echo_of(agent, distortion_share=1.0)
    np.testing.assert_array_equal(agent, before)


def test_overdrive_bends_the_peaks():
    agent = np.float32([0, 0.05, -0.1])
    assert overdrive(agent, 2.0) == pytest.approx([0, np.tanh(1), -np.tanh(2)])
    assert overdrive(agent, 0.01) / 0.01 == pytest.approx([0, 0.5, -1], rel=1e-3)
    assert overdrive(np.zeros(3, np.float32), 2.0).tolist() == [0, 0, 0]


def test_delays_fill_their_range():
    settings = Echo(share=1, delay_range_seconds=(0.1, 0.3), distortion_share=0)
    agent = make_agent(1.9)
    delays = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        delays.append(delay_of(agent_echo(agent, DIRECT, RATE, settings, rng), agent))
    assert 0.1 * RATE <= min(delays) < 0.13 * RATE
    assert 0.27 * RATE < max(delays) <= 0.3 * RATE
