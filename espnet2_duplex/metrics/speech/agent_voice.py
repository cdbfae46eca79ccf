"""The agent's voice as one speaker embedding, to which a system's speech is compared."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from espnet2_duplex.conversation import turns_from_json
from espnet2_duplex.data_folder import read_table
from espnet2_duplex.metrics.activity import SAMPLE_RATE
from espnet2_duplex.metrics.speech.speaker_similarity import SpeakerEncoder
from espnet2_duplex.sound_files import read_mono
from espnet2_duplex.timing import nearest_sample

MAX_TURNS = 20
MIN_TURN_SECONDS = 1.6  # Resemblyzer's window


def read_voice(paths: Sequence[str], encode: SpeakerEncoder) -> np.ndarray:
    """Embedding (D,) of a voice, of length 1: the mean direction of its clips.

    Args:
        paths: sound files, each a clip without long silences; or an ``agent.scp`` with
            ``turns`` beside it, of which up to 20 of the agent's turns are taken, from
            conversations far from each other.
        encode: of a clip.

    Raises:
        ValueError: a file is missing or unreadable, or holds no speech.
    """
    embeddings = []
    for path in paths:
        clips = reference_turns(path) if Path(path).suffix == ".scp" else _sound(path)
        for clip in clips:
            embedding = encode(clip)
            embeddings.append(embedding / np.linalg.norm(embedding))
    mean = np.mean(embeddings, axis=0)
    return mean / np.linalg.norm(mean)


def reference_turns(scp: str | Path) -> list[np.ndarray]:
    """Up to 20 of the agent's turns of a data folder, each (S,) float32 at 16 kHz.

    Args:
        scp: its ``agent.scp``.

    Raises:
        ValueError: a file is missing or unreadable, or no turn lasts 1.6 s.
    """
    scp = Path(scp)
    sounds, turns = read_table(scp), read_table(scp.parent / "turns")
    found = []
    for name in sorted(sounds):
        for turn in turns_from_json(turns.get(name, "[]"), name):
            if turn.role == "agent" and turn.end - turn.start >= MIN_TURN_SECONDS:
                found.append((name, turn))
                break  # one of each conversation
    if not found:
        raise ValueError(
            f"{scp} and the turns beside it have no turn of the agent of "
            f"{MIN_TURN_SECONDS} s or more; name sound files of its voice instead"
        )
    indices = np.linspace(0, len(found) - 1, min(MAX_TURNS, len(found))).round()
    clips = []
    for name, turn in (found[int(index)] for index in indices):
        speech = read_mono(sounds[name], SAMPLE_RATE)
        start = nearest_sample(turn.start, SAMPLE_RATE)
        clips.append(speech[start : nearest_sample(turn.end, SAMPLE_RATE)])
    return clips


def _sound(path: str) -> Iterator[np.ndarray]:
    speech = read_mono(path, SAMPLE_RATE)
    if not speech.any():
        raise ValueError(f"{path} is silent; name a sound file of the agent's voice")
    yield speech
