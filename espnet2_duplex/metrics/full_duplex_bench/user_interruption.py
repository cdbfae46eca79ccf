"""User interruption: an agent should stop, listen, and answer what it was interrupted by.

::

    user    |context----|                     |interruption----|
    agent                  <-answer->|segment-----|             <-latency->|segment---|
                                              <stop->
"""

from collections.abc import Sequence
from dataclasses import dataclass

from espnet2_duplex.metrics.activity import Segment, merge_segments
from espnet2_duplex.metrics.counts import Counts, Latencies
from espnet2_duplex.metrics.full_duplex_bench.average import clipped_mean, latency_of
from espnet2_duplex.metrics.full_duplex_bench.mode import shown
from espnet2_duplex.metrics.full_duplex_bench.ratings import RatingCounts
from espnet2_duplex.metrics.full_duplex_bench.take_over import (
    TakeOverCounts,
    TakeOverOptions,
    takes_over,
)
from espnet2_duplex.words import Word


@dataclass(frozen=True)
class InterruptionCounts(Counts):
    """What agents did at an interruption.

    Attributes:
        take_over: by the words after the interruption.
        latencies: of all takeovers, from the interruption's end to the first word.
        stopped_latencies: of the takeovers by agents that did not talk on, from the end
            to the first word, or to an earlier start during the interruption.
        stop_latencies: from the onset to the end of the segment that it interrupted.
        num_never_stopped: agents that talked on from the onset past the end.
        ratings: of the takeovers.
    """

    take_over: TakeOverCounts = TakeOverCounts()
    latencies: Latencies = Latencies()
    stopped_latencies: Latencies = Latencies()
    stop_latencies: Latencies = Latencies()
    num_never_stopped: int = 0
    ratings: RatingCounts = RatingCounts()

    def figures(self, mode: str) -> dict:
        """See `BenchCounts`; `latency_mean` counts negative latencies as 0."""
        figures = self.take_over.figures()
        rating = self.ratings.figures()
        if mode == "strict":
            return figures | {"latency_mean": clipped_mean(self.latencies)} | rating
        stopped = self.stopped_latencies
        return (
            figures
            | {
                "latency_mean": clipped_mean(stopped),
                "latency_mean_signed": stopped.mean,
                "num_latencies": len(stopped),
                "num_early": stopped.num_negative,
                "num_speaking_at_onset": len(self.stop_latencies)
                + self.num_never_stopped,
                "num_never_stopped": self.num_never_stopped,
                "stop_latency_mean": self.stop_latencies.mean,
            }
            | rating
        )

    def changes(self) -> list[str]:
        """See `BenchCounts`."""
        num_samples = self.take_over.num_samples
        return [
            f"{self.num_never_stopped} of {num_samples} agents talked on through the "
            f"interruption and {self.stopped_latencies.num_negative} began during it; "
            f"the mean latency is {shown(clipped_mean(self.latencies))} s with them, as "
            f"published, and {shown(clipped_mean(self.stopped_latencies))} s without "
            "the former",
            f"those that were speaking and stopped did so "
            f"{shown(self.stop_latencies.mean)} s after the onset in the mean",
        ]


def words_after(words: Sequence[Word], end: float) -> list[Word]:
    """The words that begin at or after the end of an interruption."""
    return [word for word in words if word.start >= end]


def count_strictly(
    words: Sequence[Word], end: float, options: TakeOverOptions = TakeOverOptions()
) -> InterruptionCounts:
    """Score one sample (v1, "user interruption"; eval_user_interruption.py).

    Args:
        words: of the agent, in time order; those after the interruption, because only
            that sound was transcribed.
        end: of the interruption, in seconds.
        options: of the takeover.
    """
    taken = takes_over(words, options)
    latency = latency_of(words[0].start - end if taken else None)
    return InterruptionCounts(TakeOverCounts.of(taken), latency, latency)


def count_interruption(
    words: Sequence[Word],
    interruption: Segment,
    segments: Sequence[Segment],
    options: TakeOverOptions = TakeOverOptions(),
    pause_seconds: float = 0.5,
) -> InterruptionCounts:
    """Score one sample, telling agents that stop from those that talk on.

    The agent talks on if it speaks at the onset and at the end and pauses only shortly
    in between. A silence at the end itself is no such pause, however short: what
    follows it may be a quick answer.

    Args:
        words: of the agent, in time order; earlier ones are passed over.
        interruption: by the user.
        segments: of the agent's speech, with all silences that the detector hears.
        options: of the takeover.
        pause_seconds: a silence within a turn is shorter.
    """
    onset, end = interruption.start, interruption.end
    segments = _turns_of(segments, end, pause_seconds)
    counts = count_strictly(words_after(words, end), end, options)
    interrupted = [s for s in segments if s.start < onset < s.end]
    at_end = [s for s in segments if s.start < end < s.end]
    never_stopped = bool(interrupted) and interrupted == at_end
    latencies = Latencies()
    if counts.take_over.num_taken and not never_stopped:
        latencies = counts.latencies
        if at_end:
            latencies = latency_of(at_end[0].start - end)
    stop = None
    if interrupted and not never_stopped:
        stop = interrupted[0].end - onset
    return InterruptionCounts(
        counts.take_over,
        counts.latencies,
        latencies,
        latency_of(stop),
        int(never_stopped),
    )


def _turns_of(
    segments: Sequence[Segment], end: float, pause_seconds: float
) -> tuple[Segment, ...]:
    """Segments with short pauses bridged, before and after `end` but not across it."""
    until = [segment for segment in segments if segment.start < end]
    after = [segment for segment in segments if segment.start >= end]
    return (
        *merge_segments(until, pause_seconds),
        *merge_segments(after, pause_seconds),
    )
