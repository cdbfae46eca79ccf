"""Backchannels: an agent should murmur while it listens, and leave the user the turn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from espnet2_duplex.metrics.activity import Segment
from espnet2_duplex.metrics.counts import Counts
from espnet2_duplex.metrics.full_duplex_bench.average import Average
from espnet2_duplex.metrics.full_duplex_bench.histogram import (
    distance_to_humans,
    histogram_of,
)
from espnet2_duplex.metrics.full_duplex_bench.mode import shown
from espnet2_duplex.metrics.full_duplex_bench.take_over import TakeOverCounts
from espnet2_duplex.words import Word

DISTANCE_WITHOUT_CANDIDATES = 1.0  # above every distance, as published


@dataclass(frozen=True)
class BackchannelOptions:
    """What is a backchannel (eval_backchannel.py).

    Attributes:
        max_candidate_seconds: a longer segment takes the turn; what follows it is not
            looked at.
        backchannel_seconds: a backchannel is shorter.
        backchannel_words: and has at most so many words.
    """

    max_candidate_seconds: float = 3.0
    backchannel_seconds: float = 1.0
    backchannel_words: int = 2


@dataclass(frozen=True)
class BackchannelCounts(Counts):
    """Backchannels of listening agents.

    Attributes:
        any_decides: takeovers where any segment that is no backchannel takes the turn.
        last_decides: takeovers where the last candidate decides.
        frequency: candidates per second of recording.
        distance: to the times of people's backchannels.
        num_candidates: segments up to the first that is too long.
        num_backchannels: of these, the backchannels.
        num_without: samples without candidates.
    """

    any_decides: TakeOverCounts = TakeOverCounts()
    last_decides: TakeOverCounts = TakeOverCounts()
    frequency: Average = Average()
    distance: Average = Average()
    num_candidates: int = 0
    num_backchannels: int = 0
    num_without: int = 0

    def figures(self, mode: str) -> dict:
        """See `BenchCounts`."""
        take_over = self.last_decides if mode == "strict" else self.any_decides
        figures = take_over.figures() | {
            "frequency_mean": self.frequency.mean,
            "jsd_mean": self.distance.mean,
            "num_candidates": self.num_candidates,
        }
        if mode == "fixed":
            figures["num_backchannels"] = self.num_backchannels
            figures["num_without_candidates"] = self.num_without
        return figures

    def changes(self) -> list[str]:
        """See `BenchCounts`."""
        return [
            f"TOR is {shown(self.last_decides.rate)} where the last segment decides, as "
            f"published, and {shown(self.any_decides.rate)} where any segment does",
            f"{self.num_without} of {self.any_decides.num_samples} agents had no "
            "candidate; their JSD is 1, as published, though 0.833 is the largest",
        ]


def count_backchannels(
    segments: Sequence[Segment],
    words: Sequence[Word],
    duration: float,
    human_histogram: np.ndarray | None = None,
    options: BackchannelOptions = BackchannelOptions(),
) -> BackchannelCounts:
    """Score one sample (v1, "backchannel"; eval_backchannel.py).

    Args:
        segments: of the agent's speech, in time order.
        words: of the agent.
        duration: of the agent's recording, in seconds.
        human_histogram: (bins,) people's backchannels in this sample; None where it is
            not known: then there is no distance.
        options: limits.
    """
    candidates = _candidates(segments, options)
    genuine = [
        is_backchannel(segment, len(words_in(segment, words)), options)
        for segment in candidates
    ]
    too_long = len(candidates) < len(segments)
    distance = None
    if human_histogram is not None:
        distance = DISTANCE_WITHOUT_CANDIDATES
        if candidates:
            histogram = histogram_of(candidates, duration)
            distance = distance_to_humans(histogram, human_histogram)
    return BackchannelCounts(
        any_decides=TakeOverCounts.of(too_long or not all(genuine)),
        last_decides=TakeOverCounts.of(too_long or not all(genuine[-1:])),
        frequency=Average.of(len(candidates) / duration),
        distance=Average.of(distance),
        num_candidates=len(candidates),
        num_backchannels=sum(genuine),
        num_without=int(not candidates),
    )


def words_in(segment: Segment, words: Sequence[Word]) -> list[Word]:
    """The words that overlap a segment; one that begins at its end belongs to it too."""
    return [
        word
        for word in words
        if word.start <= segment.end
        and (word.end > segment.start or word.start >= segment.start)
    ]


def is_backchannel(
    segment: Segment, num_words: int, options: BackchannelOptions = BackchannelOptions()
) -> bool:
    """Whether a segment with so many words leaves the user the turn."""
    # In floats, as in the published code.
    is_short = segment.end - segment.start < options.backchannel_seconds
    return is_short and num_words <= options.backchannel_words


def _candidates(
    segments: Sequence[Segment], options: BackchannelOptions
) -> Sequence[Segment]:
    """The segments before the first one that is too long."""
    for n, segment in enumerate(segments):
        if segment.end - segment.start > options.max_candidate_seconds:
            return segments[:n]
    return segments
