"""Stop and response latencies of overlapping speech (v1.5).

::

    user    |segment--|              |segment---------|
    agent               |segment--------------|              |segment---|
                      <-> response                    <------> response
                                     <- stop -> overlap
"""

from collections.abc import Sequence
from dataclasses import dataclass

from espnet2_duplex.metrics.activity import Segment, merge_segments
from espnet2_duplex.metrics.counts import Counts, Latencies
from espnet2_duplex.metrics.full_duplex_bench.average import deviation
from espnet2_duplex.metrics.full_duplex_bench.mode import shown
from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, microseconds

NUM_DECIMALS = 3  # of the published intervals, in seconds


@dataclass(frozen=True)
class TimingOptions:
    """Which silences are bridged (get_timing.py, whose comments say 0.3 and 0.05 s).

    Attributes:
        user_gap_seconds: the longest one between two segments of the user.
        agent_gap_seconds: the longest one between two segments of the agent.
    """

    user_gap_seconds: float = 0.6
    agent_gap_seconds: float = 0.5


@dataclass(frozen=True)
class Overlap:
    """A stretch in which both speak.

    Attributes:
        start: seconds.
        end: seconds.
        begun_by_user: the agent had begun before.
        ended_by_agent: it ends with the agent's segment, not only with the user's.
    """

    start: float
    end: float
    begun_by_user: bool
    ended_by_agent: bool


@dataclass(frozen=True)
class Response:
    """The silence from the end of the user's segment to the agent's next start.

    Attributes:
        start: end of the user's segment, in seconds.
        end: start of the agent's, in seconds.
        over_speech: the agent was speaking at `start`, so that `end` is no response.
    """

    start: float
    end: float
    over_speech: bool


@dataclass(frozen=True)
class TimingCounts(Counts):
    """Latencies of all overlaps and responses.

    Attributes:
        overlaps: lengths of all.
        stops: lengths of those that the user began and the agent ended.
        num_never_stopped: overlaps that the user began and ended.
        num_begun_by_agent: the other overlaps.
        responses: lengths of all gaps.
        clean_responses: of those that begin in the agent's silence.
    """

    overlaps: Latencies = Latencies()
    stops: Latencies = Latencies()
    num_never_stopped: int = 0
    num_begun_by_agent: int = 0
    responses: Latencies = Latencies()
    clean_responses: Latencies = Latencies()

    def figures(self, mode: str) -> dict:
        """See `BenchCounts`; Full-Duplex-Bench lists intervals, all else is ours."""
        stops, responses = self.overlaps, self.responses
        more = {}
        if mode == "fixed":
            stops, responses = self.stops, self.clean_responses
            more = {
                "num_never_stopped": self.num_never_stopped,
                "num_begun_by_agent": self.num_begun_by_agent,
                "num_responses_over_speech": len(self.responses) - len(responses),
            }
        return {
            "num_stops": len(stops),
            "stop_latency_mean": stops.mean,
            "stop_latency_std": deviation(stops),
            "stop_latency_median": stops.median,
            "num_responses": len(responses),
            "response_latency_mean": responses.mean,
            "response_latency_std": deviation(responses),
            "response_latency_median": responses.median,
        } | more

    def changes(self) -> list[str]:
        """See `BenchCounts`."""
        num_over_speech = len(self.responses) - len(self.clean_responses)
        return [
            f"of {len(self.overlaps)} overlaps, the agent outlasted the user in "
            f"{self.num_never_stopped} and began {self.num_begun_by_agent} itself; the "
            f"mean stop latency is {shown(self.overlaps.mean)} s with these, as "
            f"published, and {shown(self.stops.mean)} s without",
            f"{num_over_speech} of {len(self.responses)} responses follow an end of the "
            "user at which the agent was speaking; the mean response latency is "
            f"{shown(self.responses.mean)} s with these, as published, and "
            f"{shown(self.clean_responses.mean)} s without",
        ]


def merge_speakers(
    user: Sequence[Segment],
    agent: Sequence[Segment],
    options: TimingOptions = TimingOptions(),
) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Segments of both with short silences bridged, those of the limit's length too."""
    instant = 1 / MICROSECONDS_PER_SECOND
    return (
        merge_segments(user, options.user_gap_seconds + instant),
        merge_segments(agent, options.agent_gap_seconds + instant),
    )


def overlaps_of(user: Sequence[Segment], agent: Sequence[Segment]) -> list[Overlap]:
    """Stretches in which both speak, in time order (get_timing.py, "stop").

    Args:
        user: merged segments, in time order.
        agent: likewise.
    """
    found = []
    for own in user:
        for other in agent:
            start, end = max(own.start, other.start), min(own.end, other.end)
            if start < end:
                begun_by_user = other.start < own.start
                ended_by_agent = other.end <= own.end
                found.append(
                    Overlap(
                        round(start, NUM_DECIMALS),
                        round(end, NUM_DECIMALS),
                        begun_by_user,
                        ended_by_agent,
                    )
                )
    return found


def responses_of(user: Sequence[Segment], agent: Sequence[Segment]) -> list[Response]:
    """From the last end of the user before each start of the agent to that start.

    An end before the agent's previous start was responded to there (get_timing.py,
    "resp").

    Args:
        user: merged segments, in time order.
        agent: likewise.
    """
    found, previous_start = [], float("-inf")
    for segment in agent:
        ends = [own.end for own in user if previous_start <= own.end < segment.start]
        if ends:
            over_speech = any(other.start <= ends[-1] < other.end for other in agent)
            found.append(
                Response(
                    round(ends[-1], NUM_DECIMALS),
                    round(segment.start, NUM_DECIMALS),
                    over_speech,
                )
            )
        previous_start = segment.start
    return found


def count_timing(
    overlaps: Sequence[Overlap], responses: Sequence[Response]
) -> TimingCounts:
    """Latencies of one sample."""
    begun_by_user = [overlap for overlap in overlaps if overlap.begun_by_user]
    stops = [overlap for overlap in begun_by_user if overlap.ended_by_agent]
    return TimingCounts(
        overlaps=_lengths(overlaps),
        stops=_lengths(stops),
        num_never_stopped=len(begun_by_user) - len(stops),
        num_begun_by_agent=len(overlaps) - len(begun_by_user),
        responses=_lengths(responses),
        clean_responses=_lengths([r for r in responses if not r.over_speech]),
    )


def _lengths(spans: Sequence[Overlap | Response]) -> Latencies:
    return Latencies(tuple(microseconds(span.end - span.start) for span in spans))
