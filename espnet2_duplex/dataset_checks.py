"""Checks of one conversation as it stands on disk; the errors are for its owner.

Each error is one sentence that names the conversation, the file or the turn, says what
was found and expected, and what to do.
"""

from pathlib import Path

import numpy as np

from espnet2_duplex.conversation import Conversation, turns_from_json
from espnet2_duplex.sound_files import read_samples
from espnet2_duplex.timing import FrameClock


def check_speech(
    name: str, speech: np.ndarray, sample_rate: int, expected_rate: int
) -> None:
    """Audio is mono, at the expected rate, not empty and finite.

    Args:
        name: what to call it in an error, for example its path.
        speech: (N,) float, or (N, channels).
        sample_rate: of `speech`, in Hz.
        expected_rate: in Hz.

    Raises:
        ValueError: if it is not.
    """
    if sample_rate != expected_rate:
        raise ValueError(
            f"{name} has {sample_rate} Hz, but {expected_rate} Hz are expected; "
            f"resample it to {expected_rate} Hz."
        )
    if speech.ndim != 1:
        raise ValueError(
            f"{name} has {speech.shape[1]} channels, but mono is expected; keep one "
            "channel."
        )
    if len(speech) == 0:
        raise ValueError(f"{name} has no samples; record it again or leave it out.")
    (bad,) = np.nonzero(~np.isfinite(speech))
    if len(bad):
        raise ValueError(
            f"{name} has {len(bad)} samples that are not finite numbers, the first at "
            f"sample {bad[0]}; write it again from the original."
        )


def load_speech(path: Path, expected_rate: int) -> np.ndarray:
    """Samples (N,) float32 of a sound file that passes `check_speech`.

    Raises:
        ValueError: if the file is missing, unreadable or wrong.
    """
    speech, sample_rate = read_samples(path)
    if speech.shape[1] == 1:
        speech = speech[:, 0]
    check_speech(str(path), speech, sample_rate, expected_rate)
    return speech


def check_equal_duration(
    id: str, num_user_frames: int, num_agent_frames: int, clock: FrameClock
) -> None:
    """Both streams of a conversation cover the same frames.

    Raises:
        ValueError: if they do not.
    """
    if num_user_frames != num_agent_frames:
        raise ValueError(
            f"conversation {id}: the user's wav lasts "
            f"{clock.seconds(num_user_frames):.2f} s and the agent's "
            f"{clock.seconds(num_agent_frames):.2f} s; pad the shorter one with "
            "silence."
        )


def load_conversation(
    id: str,
    turns_json: str,
    user_path: Path,
    agent_path: Path,
    *,
    user_rate: int,
    agent_rate: int,
    clock: FrameClock = FrameClock(),
) -> Conversation:
    """Read and check everything that a data folder says of one conversation.

    Args:
        id: of the conversation.
        turns_json: its line of `turns`, without the id.
        user_path: of the user's wav.
        agent_path: of the agent's wav.
        user_rate: expected, in Hz.
        agent_rate: expected, in Hz.
        clock: frames that both wavs must cover equally.

    Raises:
        ValueError: if anything is wrong.
    """
    num_frames = [
        clock.num_frames(len(load_speech(path, rate)), rate)
        for path, rate in ((user_path, user_rate), (agent_path, agent_rate))
    ]
    check_equal_duration(id, *num_frames, clock)
    turns = turns_from_json(turns_json, id)
    return Conversation(id, turns, clock.seconds(num_frames[0]))
