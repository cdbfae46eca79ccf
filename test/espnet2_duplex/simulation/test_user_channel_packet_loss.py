import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.simulation.user_channel.packet_loss import (
    conceal_packets,
    draw_losses,
    lose_packets,
    vary_network,
)
from espnet2_duplex.simulation.user_channel.settings import PacketLoss


def run_lengths(lost):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], lost, [0]])))
    return edges[1::2] - edges[::2]


@pytest.mark.parametrize(
    "loss_rate, burst_packets", [(0.01, 1), (0.05, 2), (0.1, 4), (0.3, 1.5)]
)
def test_losses_have_their_rate_and_come_in_bursts(loss_rate, burst_packets):
    lost = draw_losses(200_000, loss_rate, burst_packets, np.random.default_rng(0))
    assert lost.mean() == pytest.approx(loss_rate, rel=0.1)
    assert run_lengths(lost).mean() == pytest.approx(burst_packets, rel=0.1)


def test_the_first_packet_is_lost_as_often_as_any():
    first = [
        draw_losses(1, 0.3, 4, np.random.default_rng(seed))[0] for seed in range(1000)
    ]
    assert np.mean(first) == pytest.approx(0.3, abs=0.05)


def test_no_loss_at_a_rate_of_zero():
    assert not draw_losses(1000, 0.0, 2, np.random.default_rng(0)).any()


def test_a_lost_packet_is_silence():
    stream = np.arange(1, 8, dtype=np.float32)
    lost = np.array([False, True, False, True])
    assert lose_packets(stream, lost, 2).tolist() == [1, 2, 0, 0, 5, 6, 0]


def test_the_last_packet_that_came_is_repeated_and_fades():
    stream = np.arange(1, 15, dtype=np.float32)
    lost = np.array([True, False, True, True, True, True, False])
    # Of 3 packets of 2 samples: 1, 0.8, 0.6, 0.4, 0.2, 0, then silence.
    expected = [0, 0, 3, 4, 3, 3.2, 1.8, 1.6, 0.6, 0, 0, 0, 13, 14]
    assert conceal_packets(stream, lost, 2) == pytest.approx(expected, abs=1e-6)


@given(st.integers(0, 200), st.integers(1, 20), st.integers(0, 2**20))
def test_packets_that_come_are_untouched(num_samples, packet, bits):
    stream = np.arange(1, num_samples + 1, dtype=np.float32)
    num_packets = -(-num_samples // packet)
    lost = np.array([bits >> (n % 21) & 1 for n in range(num_packets)], bool)
    of_packet = np.arange(num_samples) // packet
    for function in (lose_packets, conceal_packets):
        output = function(stream, lost, packet)
        assert output.shape == stream.shape and np.isfinite(output).all()
        come = ~lost[of_packet] if num_samples else slice(None)
        np.testing.assert_array_equal(output[come], stream[come])


@pytest.mark.parametrize("concealment_share", [0.0, 1.0])
def test_packets_last_20_ms(concealment_share):
    settings = PacketLoss(
        share=1,
        loss_rate_range=(0.2, 0.2),
        burst_packets_range=(2, 2),
        concealment_share=concealment_share,
    )
    stream = np.ones(16000 * 20, np.float32)
    output = vary_network(stream, settings, 16000, np.random.default_rng(0))
    changed = (output != 1).reshape(-1, 320)
    lost = changed.any(axis=1)
    assert lost.mean() == pytest.approx(0.2, abs=0.06)
    # The first sample of a concealment has faded by nothing.
    assert changed[lost][:, 1:].all()
