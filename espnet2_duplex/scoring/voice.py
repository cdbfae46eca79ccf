"""Which voice the agent's speech is compared with, by its sound."""

import hashlib
from collections.abc import Sequence

import numpy as np

from espnet2_duplex.metrics.speech.agent_voice import read_voice


def voice_digest(paths: Sequence[str]) -> str | None:
    """Digest of the sound of a voice, wherever its files lie; None without files.

    Args:
        paths: as `read_voice` takes them.

    Raises:
        ValueError: as `read_voice`.
    """
    if not paths:
        return None
    digest = hashlib.sha256()

    def add(clip: np.ndarray) -> np.ndarray:
        digest.update(np.ascontiguousarray(clip, dtype=np.float32).tobytes())
        digest.update(b"|")
        return np.ones(1)  # no embedding is wanted

    read_voice(paths, add)  # it chooses the clips, here as where they are encoded
    return digest.hexdigest()
