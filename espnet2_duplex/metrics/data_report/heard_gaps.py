"""The gap as it is heard: from the user's last sound to the agent's first.

The turns say when BOS and EOS are. What is heard is further apart: an agent's clip begins
with the silence of the frame of its BOS, and a user turn that is answered ends with less
than a frame of silence, so that the answer begins on a frame.
"""

from dataclasses import dataclass

import numpy as np

from espnet2_duplex.conversation import Conversation, Turn
from espnet2_duplex.metrics.data_report.floor_changes import gaps

BLOCKS_PER_SECOND = 100
HEARD_DECIBELS = -45.0
# Outside the turns. Lost packets are digital silence as well, but there are few of them.
MIN_SILENT_SHARE = 0.1


@dataclass(frozen=True)
class HeardGaps:
    """Of one conversation that was listened to.

    Attributes:
        is_clean: whether the user's channel is silent between the turns. Noise hides
            the end of the speech.
        seconds: one for each gap of the turns; empty if the channel is not clean.
    """

    is_clean: bool
    seconds: tuple[float, ...] = ()


@dataclass(frozen=True)
class _Loudness:
    """Mean squares of a stream in blocks of 10 ms.

    Attributes:
        power: (blocks,).
        block_seconds: length of a block, a whole number of samples.
    """

    power: np.ndarray
    block_seconds: float

    def blocks(self, turn: Turn) -> slice:
        """Those that hold any of the turn."""
        first = int(turn.start / self.block_seconds)
        return slice(first, int(np.ceil(turn.end / self.block_seconds)))

    def heard(self, turn: Turn) -> tuple[float, float] | None:
        """Start and end in seconds of what is heard of a turn, None of a silent one."""
        blocks = self.blocks(turn)
        threshold = 10 ** (HEARD_DECIBELS / 10) * self.power.max(initial=0.0)
        (loud,) = np.nonzero(self.power[blocks] > threshold)
        if not len(loud):
            return None
        first, last = blocks.start + loud[0], blocks.start + loud[-1]
        return first * self.block_seconds, (last + 1) * self.block_seconds


def listen_to_gaps(
    conversation: Conversation,
    user: tuple[np.ndarray, int],
    agent: tuple[np.ndarray, int],
) -> HeardGaps:
    """Measure the gaps of :func:`.floor_changes.gaps` in the audio.

    A block of 10 ms is heard if its level is at most 45 dB below that of the loudest
    block of the stream. A gap before or after a turn without sound is left out.

    Args:
        conversation: the turns.
        user: samples (S,) and their rate in Hz.
        agent: the same, at a rate of its own.
    """
    listening, speaking = _loudness(*user), _loudness(*agent)
    if not _is_clean(conversation, listening):
        return HeardGaps(is_clean=False)
    found = []
    for gap in gaps(conversation):
        before, after = listening.heard(gap.before), speaking.heard(gap.after)
        if before and after:
            found.append(after[0] - before[1])
    return HeardGaps(True, tuple(found))


def _is_clean(conversation: Conversation, user: _Loudness) -> bool:
    outside = np.ones(len(user.power), bool)
    for turn in conversation.turns:
        outside[user.blocks(turn)] = False
    silent = user.power[outside] == 0
    return len(silent) > 0 and silent.mean() >= MIN_SILENT_SHARE


def _loudness(speech: np.ndarray, sample_rate: int) -> _Loudness:
    hop = sample_rate // BLOCKS_PER_SECOND
    blocks = speech[: len(speech) // hop * hop].reshape(-1, hop)
    power = np.einsum("bs,bs->b", blocks, blocks) / hop
    return _Loudness(power, hop / sample_rate)
