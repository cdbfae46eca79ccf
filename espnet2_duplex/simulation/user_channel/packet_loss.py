"""A network that loses packets in bursts."""

import numpy as np

from espnet2_duplex.simulation.user_channel.settings import PacketLoss
from espnet2_duplex.timing import nearest_sample

PACKET_SECONDS = 0.02
CONCEALED_PACKETS = 3  # G.711 Appendix I: silence 60 ms after the last packet


def draw_losses(
    num_packets: int,
    loss_rate: float,
    burst_packets: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Which packets are lost, by Gilbert's model (1960): two states, good and bad.

    A packet in the bad state is lost. The network leaves it with probability
    ``1 / burst_packets`` at each packet and enters it so that the share of lost packets
    is `loss_rate` in the long run.

    Args:
        num_packets: P.
        loss_rate: from 0 to 0.5.
        burst_packets: mean length of a run of lost packets, at least 1.
        generator: draws.
    Returns:
        (P,) bool.
    """
    leave = 1 / burst_packets
    enter = leave * loss_rate / (1 - loss_rate)
    lost = np.zeros(num_packets, bool)
    is_bad = generator.random() < loss_rate
    position = 0
    while position < num_packets and enter > 0:
        length = int(generator.geometric(leave if is_bad else enter))
        lost[position : position + length] = is_bad
        position += length
        is_bad = not is_bad
    return lost


def lose_packets(stream: np.ndarray, lost: np.ndarray, packet: int) -> np.ndarray:
    """A stream (N,) float32 with silence for each lost packet of `packet` samples."""
    packets = _as_packets(stream, len(lost), packet)
    packets[lost] = 0
    return packets.ravel()[: len(stream)]


def conceal_packets(stream: np.ndarray, lost: np.ndarray, packet: int) -> np.ndarray:
    """A stream (N,) float32 with the last packet that came for each lost one.

    It fades out over `CONCEALED_PACKETS` packets; before the first packet there is
    silence.
    """
    packets = _as_packets(stream, len(lost), packet)
    numbers = np.arange(len(lost))
    last_come = np.maximum.accumulate(np.where(lost, -1, numbers))
    age = numbers - last_come  # 1 for the first lost packet of a run
    fade = np.linspace(1, 0, CONCEALED_PACKETS * packet, dtype=np.float32)
    fades = np.zeros((CONCEALED_PACKETS + 1, packet), np.float32)
    fades[:CONCEALED_PACKETS] = fade.reshape(CONCEALED_PACKETS, packet)
    fade_of = np.minimum(age[lost] - 1, CONCEALED_PACKETS)
    fade_of[last_come[lost] < 0] = CONCEALED_PACKETS
    packets[lost] = packets[last_come[lost]] * fades[fade_of]
    return packets.ravel()[: len(stream)]


def vary_network(
    stream: np.ndarray,
    settings: PacketLoss,
    sample_rate: int,
    generator: np.random.Generator,
) -> np.ndarray:
    """A stream (N,) float32 as it comes through a network drawn from `settings`."""
    packet = nearest_sample(PACKET_SECONDS, sample_rate)
    loss_rate = generator.uniform(*settings.loss_rate_range)
    burst_packets = generator.uniform(*settings.burst_packets_range)
    is_concealed = generator.random() < settings.concealment_share
    num_packets = -(-len(stream) // packet)
    lost = draw_losses(num_packets, loss_rate, burst_packets, generator)
    return (conceal_packets if is_concealed else lose_packets)(stream, lost, packet)


def _as_packets(stream: np.ndarray, num_packets: int, packet: int) -> np.ndarray:
    """A copy as (P, packet); the last packet is filled up with silence."""
    packets = np.zeros((num_packets, packet), np.float32)
    packets.ravel()[: len(stream)] = stream
    return packets
