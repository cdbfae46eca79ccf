from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from espnet2_duplex.simulation.user_channel.bank import RoomResponses
from espnet2_duplex.simulation.user_channel.chain import (
    EFFECTS,
    Bank,
    apply_user_channel,
    draw_effects,
)
from espnet2_duplex.simulation.user_channel.settings import (
    Level,
    Noise,
    Telephone,
    UserChannel,
)

USER_RATE, AGENT_RATE = 16000, 22050
OFF = UserChannel()
ALL = UserChannel(**{name: replace(getattr(OFF, name), share=1.0) for name in EFFECTS})
# The mini corpus: level always, noise in three of four conversations.
MINI = UserChannel(
    noise=Noise(share=0.75, snr_range_db=(20, 40), colour_range=(0, 0.95)),
    level=Level(share=1.0, gain_range_db=(-6, 6), wander_range_db=(0, 0)),
)


def make_user(seconds=2.0, level=0.06):
    """Noise from 0.5 to 1 s, silence around."""
    user = np.zeros(round(seconds * USER_RATE), np.float32)
    noise = np.random.default_rng(0).standard_normal(USER_RATE // 2)
    user[USER_RATE // 2 : USER_RATE] = level * noise
    return user


def make_agent(seconds=2.0):
    """Noise from 1.2 to 1.7 s, silence around."""
    agent = np.zeros(round(seconds * AGENT_RATE), np.float32)
    noise = np.random.default_rng(1).standard_normal(AGENT_RATE // 2)
    start = round(1.2 * AGENT_RATE)
    agent[start : start + AGENT_RATE // 2] = 0.06 * noise
    return agent


@pytest.fixture(scope="module")
def bank():
    rng = np.random.default_rng(0)
    rooms = []
    for _ in range(3):
        decay = 0.1 * 10 ** np.linspace(0, -3, 2000)
        responses = np.float32(decay * rng.standard_normal((2, 2000)))
        responses[:, 0] = 1
        rooms.append(RoomResponses(*responses))
    return Bank(USER_RATE, tuple(rooms))


def run(channel, bank, seed=0, user=None, agent=None):
    user = make_user() if user is None else user
    agent = make_agent() if agent is None else agent
    rng = np.random.default_rng(seed)
    return apply_user_channel(user, agent, USER_RATE, AGENT_RATE, channel, bank, rng)


def test_default_settings_change_nothing():
    user = make_user(level=0.9)  # some of it beyond 0.99
    np.testing.assert_array_equal(run(OFF, Bank(), user=user), make_user(level=0.9))


def test_missing_rooms_are_said_even_if_the_draw_would_not_need_them():
    rare = replace(OFF, room=replace(OFF.room, share=1e-9))
    with pytest.raises(ValueError, match="share of room"):
        run(rare, Bank())


@pytest.mark.parametrize("room_share", [0.0, 1.0])
def test_noise_is_measured_against_the_turns_and_not_against_coughs(bank, room_share):
    """A loud cough is heard and leaves the noise what it is."""
    noisy = replace(
        OFF,
        room=replace(OFF.room, share=room_share),
        noise=Noise(share=1.0, snr_range_db=(20, 20)),
    )
    cough = np.zeros_like(make_user())
    cough[25000:27000] = 0.5
    rng = np.random.default_rng(0)
    args = (make_user(), make_agent(), USER_RATE, AGENT_RATE, noisy, bank, rng, cough)
    with_cough, without = apply_user_channel(*args), run(noisy, bank)
    np.testing.assert_allclose(with_cough[:24900], without[:24900], atol=1e-6)
    assert with_cough[25000:27000].mean() > 0.3


def test_sounds_are_heard_where_no_effect_is_drawn():
    cough = np.zeros_like(make_user())
    cough[25000:27000] = 0.5
    rng = np.random.default_rng(0)
    args = (make_user(), make_agent(), USER_RATE, AGENT_RATE, OFF, Bank(), rng, cough)
    np.testing.assert_array_equal(apply_user_channel(*args), make_user() + cough)


def test_same_seed_same_bytes_other_seed_others(bank):
    first = run(ALL, bank, seed=1)
    assert first.tobytes() == run(ALL, bank, seed=1).tobytes()
    assert first.tobytes() != run(ALL, bank, seed=2).tobytes()


@pytest.mark.parametrize("off", EFFECTS)
def test_switching_one_effect_off_leaves_the_draws_of_the_others(off):
    fewer = replace(ALL, **{off: replace(getattr(ALL, off), share=0.0)})
    drawn = draw_effects(ALL, np.random.default_rng(3))
    remaining = draw_effects(fewer, np.random.default_rng(3))
    assert set(drawn) - set(remaining) == {off}
    for name, rng in remaining.items():
        assert rng.random(4).tolist() == drawn[name].random(4).tolist()


def test_the_noise_is_the_same_with_and_without_an_echo(bank):
    loud = replace(ALL.noise, snr_range_db=(10, 10))
    noisy = replace(OFF, noise=loud)
    both = replace(noisy, echo=ALL.echo)
    echo = run(replace(OFF, echo=ALL.echo), bank) - make_user()
    np.testing.assert_allclose(run(both, bank) - run(noisy, bank), echo, atol=1e-6)


def test_effects_are_drawn_with_their_shares_and_independently():
    half = UserChannel(
        **{name: replace(getattr(OFF, name), share=0.5) for name in EFFECTS}
    )
    drawn = [draw_effects(half, np.random.default_rng(n)) for n in range(400)]
    table = np.array([[name in one for name in EFFECTS] for one in drawn], float)
    np.testing.assert_allclose(table.mean(axis=0), 0.5, atol=0.1)
    correlations = np.corrcoef(table.T) - np.eye(len(EFFECTS))
    assert np.abs(correlations).max() < 0.2


def test_room_and_echo_share_a_place():
    for name in ("room", "echo"):
        only = replace(OFF, **{name: replace(getattr(OFF, name), share=1.0)})
        alone = draw_effects(only, np.random.default_rng(5))["place"]
        together = draw_effects(ALL, np.random.default_rng(5))["place"]
        assert alone.integers(1000) == together.integers(1000)


@given(
    seed=st.integers(0, 1000),
    num_samples=st.integers(0, 4000),
    level=st.sampled_from([0.0, 0.05, 3.0]),
    on=st.sets(st.sampled_from(EFFECTS), min_size=1),
)
@settings(max_examples=60, deadline=None)
def test_output_is_as_long_finite_and_within_bounds(bank, seed, num_samples, level, on):
    channel = UserChannel(**{name: getattr(ALL, name) for name in on})
    rng = np.random.default_rng(seed)
    user = np.float32(level * rng.standard_normal(num_samples))
    agent = np.float32(
        0.1 * rng.standard_normal(round(num_samples * AGENT_RATE / USER_RATE))
    )
    before = user.copy(), agent.copy()
    output = run(channel, bank, seed, user, agent)
    assert output.dtype == np.float32 and output.shape == user.shape
    assert np.isfinite(output).all()
    assert np.abs(output).max(initial=0) <= np.float32(0.99)
    np.testing.assert_array_equal(user, before[0])
    np.testing.assert_array_equal(agent, before[1])


def test_a_user_who_says_nothing_is_disturbed_all_the_same(bank):
    output = run(ALL, bank, user=np.zeros(2 * USER_RATE, np.float32))
    assert output.any() and np.isfinite(output).all()


def test_noise_is_measured_against_the_speech_in_its_room(bank):
    snr_db = 15.0
    room = replace(OFF, room=ALL.room)
    both = replace(room, noise=Noise(share=1, snr_range_db=(snr_db, snr_db)))
    speech = run(room, bank)
    noise = run(both, bank) - speech
    power = np.sum(speech**2) / np.count_nonzero(make_user())
    reached = 10 * np.log10(power / np.mean(noise**2))
    assert reached == pytest.approx(snr_db, abs=0.1)


def test_a_room_keeps_the_onset(bank):
    output = run(replace(OFF, room=ALL.room), bank)
    onset = USER_RATE // 2
    assert np.abs(output[:onset]).max() < 1e-6
    assert output[onset] == pytest.approx(make_user()[onset], abs=1e-6)


def test_the_telephone_comes_after_the_noise(bank):
    channel = replace(
        OFF,
        noise=Noise(share=1, snr_range_db=(0, 0), colour_range=(0, 0)),
        telephone=Telephone(share=1),
    )
    spectrum = np.abs(np.fft.rfft(run(channel, bank))) ** 2
    hz = np.fft.rfftfreq(2 * USER_RATE, 1 / USER_RATE)
    assert spectrum[hz > 4500].sum() < 1e-4 * spectrum.sum()


def test_the_mini_corpus_can_be_expressed():
    user = make_user()
    speaks = user != 0
    gains_db, snrs_db, num_clean = [], [], 0
    for seed in range(200):
        output = run(MINI, Bank(), seed)
        gain = np.dot(output[speaks], user[speaks]) / np.dot(user[speaks], user[speaks])
        noise = output - np.float32(gain) * user
        gains_db.append(20 * np.log10(gain))
        if not output[~speaks].any():
            num_clean += 1
            continue
        power = gain**2 * np.mean(user[speaks] ** 2)
        snrs_db.append(10 * np.log10(power / np.mean(noise**2)))
    assert num_clean == pytest.approx(50, abs=15)
    assert -6.1 <= min(gains_db) < -5 and 5 < max(gains_db) <= 6.1
    assert 19.9 <= min(snrs_db) < 21 and 39 < max(snrs_db) <= 40.1
