"""A layout's pieces of wav files -> the user's and the agent's stream."""

from collections.abc import Callable, Sequence

import numpy as np

from espnet2_duplex.simulation.layout import Layout, Piece
from espnet2_duplex.simulation.user_channel.chain import Bank, apply_user_channel
from espnet2_duplex.simulation.user_channel.settings import UserChannel
from espnet2_duplex.timing import nearest_sample

FADE_SECONDS = 0.01  # where a piece begins or ends inside its wav
Load = Callable[[str, int], np.ndarray]  # path, Hz -> (N,) float32


def place_pieces(
    pieces: Sequence[Piece], duration: float, sample_rate: int, load: Load
) -> np.ndarray:
    """Put pieces at their starts; outside all is exactly zero.

    A piece that ends before its wav does fades out over its last 10 ms; one that begins
    inside its wav fades in.

    Args:
        pieces: of one role.
        duration: of the conversation, in seconds.
        sample_rate: in Hz.
        load: reads a wav.
    Returns:
        (duration * sample_rate,) float32.
    """
    stream = np.zeros(nearest_sample(duration, sample_rate), np.float32)
    fade = nearest_sample(FADE_SECONDS, sample_rate)
    for piece in pieces:
        clip = load(piece.wav, sample_rate)
        first = nearest_sample(piece.offset, sample_rate)
        start = nearest_sample(piece.start, sample_rate)
        length = nearest_sample(piece.start + piece.seconds, sample_rate) - start
        heard = clip[first : first + length]
        if piece.gain_db:
            heard = heard * np.float32(10 ** (piece.gain_db / 20))
        # One sample of difference is rounding of the piece's end, not a cut.
        is_cut = first + len(heard) < len(clip) - 1
        if first > 0 or is_cut:
            heard = _faded(heard, fade if first > 0 else 0, fade if is_cut else 0)
        stream[start : start + len(heard)] += heard[: len(stream) - start]
    return stream


def _faded(speech: np.ndarray, num_in: int, num_out: int) -> np.ndarray:
    """A copy whose first and last samples rise from and fall to zero."""
    speech = speech.copy()
    num_in, num_out = min(num_in, len(speech)), min(num_out, len(speech))
    speech[:num_in] *= np.linspace(0, 1, num_in, dtype=np.float32)
    speech[len(speech) - num_out :] *= np.linspace(1, 0, num_out, dtype=np.float32)
    return speech


def render(
    layout: Layout,
    user_rate: int,
    agent_rate: int,
    user_channel: UserChannel,
    bank: Bank,
    seed: int,
    load: Load,
) -> tuple[np.ndarray, np.ndarray]:
    """User's and agent's stream of a layout, float32, equally long in time.

    Args:
        layout: what is heard when.
        user_rate: in Hz.
        agent_rate: in Hz.
        user_channel: what the user's stream goes through.
        bank: rooms and noises for that.
        seed: with the conversation's id it decides the channel's draws.
        load: reads a wav.
    """

    def placed(pieces: Sequence[Piece], rate: int) -> np.ndarray:
        return place_pieces(pieces, layout.conversation.duration, rate, load)

    of_agent = [piece for piece in layout.pieces if piece.role == "agent"]
    of_user = [piece for piece in layout.pieces if piece.role == "user"]
    others = [piece for piece in of_user if not piece.in_turn]
    user = placed([piece for piece in of_user if piece.in_turn], user_rate)
    agent = placed(of_agent, agent_rate)
    heard = apply_user_channel(
        user,
        agent,
        user_rate,
        agent_rate,
        user_channel,
        bank,
        np.random.default_rng([seed, *layout.conversation.id.encode()]),
        placed(others, user_rate) if others else None,
    )
    return heard, agent
