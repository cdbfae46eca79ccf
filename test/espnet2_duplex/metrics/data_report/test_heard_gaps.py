"""Gaps in the audio, where speech begins later and ends earlier than its turn."""

import numpy as np
import pytest

from espnet2_duplex.conversation import Conversation, Turn
from espnet2_duplex.metrics.data_report.heard_gaps import listen_to_gaps

USER_RATE, AGENT_RATE = 16000, 22050
WHOLE = Conversation(
    "c",
    (
        Turn("user", 1.0, 2.0, "hello"),
        Turn("agent", 2.64, 4.0, "hi"),
        Turn("user", 5.0, 6.0, "again"),
        Turn("agent", 6.64, 8.0, "yes"),
    ),
    9.0,
)


def stream(rate, *spans, level=0.3):
    """Noise of 9 s that is not silent in the spans (start, end) only."""
    noise = np.random.default_rng(0).uniform(-level, level, 9 * rate)
    time = np.arange(9 * rate) / rate
    return noise * np.any([(a <= time) & (time < b) for a, b in spans], axis=0), rate


USER = stream(USER_RATE, (1.0, 1.95), (5.0, 6.0))
AGENT = stream(AGENT_RATE, (2.72, 4.0), (6.64, 8.0))


def test_gap_is_heard_from_the_last_sound_to_the_first():
    heard = listen_to_gaps(WHOLE, USER, AGENT)
    assert heard.is_clean
    assert heard.seconds == pytest.approx([2.72 - 1.95, 0.64], abs=0.0101)


@pytest.mark.parametrize("decibels, is_heard", [(-43, True), (-47, False)])
def test_what_is_45_dB_below_the_loudest_is_not_heard(decibels, is_heard):
    speech, rate = stream(USER_RATE, (1.0, 1.8), (5.0, 6.0))
    tail, _ = stream(USER_RATE, (1.8, 2.0), level=0.3 * 10 ** (decibels / 20))
    gap, _ = listen_to_gaps(WHOLE, (speech + tail, rate), AGENT).seconds
    end = 2.0 if is_heard else 1.8
    assert gap == pytest.approx(2.72 - end, abs=0.0101)


def test_noise_on_the_users_channel_hides_the_gaps():
    noise, _ = stream(USER_RATE, (0.0, 9.0), level=0.01)
    noise[:3200] = 0  # a packet was lost
    heard = listen_to_gaps(WHOLE, (USER[0] + noise, USER_RATE), AGENT)
    assert not heard.is_clean and heard.seconds == ()


def test_echo_and_what_is_outside_the_turns_do_not_count():
    echo, _ = stream(USER_RATE, (2.64, 4.0), level=0.05)
    cough, _ = stream(USER_RATE, (2.1, 2.3), level=0.1)
    disturbed = USER[0] + echo + cough, USER_RATE
    assert listen_to_gaps(WHOLE, disturbed, AGENT) == listen_to_gaps(WHOLE, USER, AGENT)


def test_turn_without_sound_has_no_heard_gap():
    agent = stream(AGENT_RATE, (6.64, 8.0))
    assert len(listen_to_gaps(WHOLE, USER, agent).seconds) == 1
    silence = np.zeros(9 * USER_RATE), USER_RATE
    assert listen_to_gaps(WHOLE, silence, AGENT).seconds == ()
