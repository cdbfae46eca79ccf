"""Batches that are much larger than asked for, found before they fill the memory.

How they come about is told in the recipe's conf/train_paper.yaml.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

_TOLERATED = 2  # times the share of a process; one conversation may round it up


@dataclass(frozen=True)
class LargestBatch:
    """The batch with the most frames, padding included."""

    num_conversations: int
    longest_id: str
    longest_frames: int

    @property
    def num_frames(self) -> int:
        return self.num_conversations * self.longest_frames


def largest_batch(
    batches: Sequence[Sequence[str]], num_frames: Mapping[str, int]
) -> LargestBatch:
    """Of the batches of one process.

    Args:
        batches: Ids.
        num_frames: By id.
    """
    found = []
    for ids in batches:
        longest = max(ids, key=num_frames.__getitem__)
        found.append(LargestBatch(len(ids), longest, num_frames[longest]))
    return max(found, key=lambda batch: batch.num_frames)


def warn_of_large_batch(
    batch: LargestBatch, share_frames: float, frame_rate: Fraction, option: str
) -> None:
    """Warn if `batch` has more than twice the frames that a process should get.

    Args:
        batch: The largest of this process.
        share_frames: What it should get.
        frame_rate: Frames per second.
        option: The one that gives it that share, such as batch_bins.
    """
    if batch.num_frames <= _TOLERATED * share_frames:
        return
    seconds, longest, share = (
        float(n / frame_rate)
        for n in (batch.num_frames, batch.longest_frames, share_frames)
    )
    logging.warning(
        f"a batch has {seconds:.0f} s with padding where {option} gives a process "
        f"{share:.0f} s: {batch.num_conversations} conversations, the longest "
        f"{batch.longest_id} of {longest:.0f} s; cut or leave out conversations that "
        "long, or see that the memory holds them"
    )
