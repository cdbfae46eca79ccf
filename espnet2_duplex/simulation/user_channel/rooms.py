"""A room: what a microphone hears of a talker some way off."""

import numpy as np

from espnet2_duplex.simulation.user_channel.sounding import convolve

TAIL_DB = -60.0  # of a response's energy, inaudible and dropped


def from_direct_sound(response: np.ndarray, name: str) -> np.ndarray:
    """An impulse response whose direct sound comes at once and with gain 1.

    Otherwise turns would begin later than the data folder says, by 3 ms for a metre,
    and the response's arbitrary level would change theirs.

    Args:
        response: (R,) float32 as simulated or measured; its highest peak is the direct
            sound.
        name: for errors.
    Returns:
        (R',) float32; ends where `TAIL_DB` of the energy is left.
    Raises:
        ValueError: if it is not a response.
    """
    if not (len(response) and np.isfinite(response).all() and response.any()):
        raise ValueError(
            f"{name} is no impulse response: it is empty, silent or not finite; "
            "make or measure it again."
        )
    peak = int(np.abs(response).argmax())
    direct = response[peak:] / response[peak]
    left = np.cumsum(np.square(direct[::-1], dtype=np.float64))[::-1]
    num_heard = int(np.count_nonzero(left > left[0] * 10 ** (TAIL_DB / 10)))
    return direct[:num_heard].astype(np.float32)


def in_room(user: np.ndarray, response: np.ndarray) -> np.ndarray:
    """The user's stream in a room: its sounds begin where they did, and die away later.

    What would be heard after the end of the stream is lost.

    Args:
        user: (N,) float32.
        response: (R,) float32, talker to microphone, from the direct sound on.
    Returns:
        (N,) float32.
    """
    return convolve(user, response)
