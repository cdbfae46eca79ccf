"""Times and rates of a set with their 95 % intervals over conversations."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from espnet2_duplex.metrics.bootstrap import paired_bootstrap

NUM_RESAMPLES = 2000
IN_TIME, LATE, NOT_STOPPED = "in time", "late", "not stopped"
ANSWER, EARLY = "after the user", "early"
RATES = ("stopped in time", "false alarms", "answered")
Conversations = Sequence[Mapping]  # lines of conversations.jsonl


@dataclass(frozen=True)
class Estimate:
    """A mean or a rate.

    Attributes:
        name: of the quantity.
        value: pooled over all conversations.
        low: 2.5th percentile of its resamples.
        high: 97.5th percentile.
        num: what it is a mean or a share of.
    """

    name: str
    value: float
    low: float
    high: float
    num: int


@dataclass(frozen=True)
class Times:
    """Times of a set.

    Attributes:
        groups: name -> seconds.
        means: of some of them.
    """

    groups: Mapping[str, Sequence[float]]
    means: tuple[Estimate, ...]


def pooled_estimate(
    name: str,
    sums: Sequence[float],
    weights: Sequence[int],
    seed: int = 0,
) -> Estimate | None:
    """A pooled mean or rate, with the interval that holds 95 % of its resamples.

    Conversations are drawn with replacement, so that events of one conversation stay
    together (Bisani and Ney, ICASSP 2004): what is pooled is the sum of all `sums` over
    the sum of all `weights`.

    Args:
        name: of the quantity.
        sums: (N,) of each conversation: sum of its values, or number of successes.
        weights: (N,) of each conversation: number of its values, or of its trials.
        seed: same seed, same interval.

    Returns:
        None without values.
    """
    found = paired_bootstrap(
        sums, [0.0] * len(sums), weights, num_resamples=NUM_RESAMPLES, seed=seed
    )
    if found is None:
        return None
    return Estimate(name, found.value, found.low, found.high, int(sum(weights)))


def mean_estimate(
    name: str, values: Sequence[Sequence[float]], seed: int = 0
) -> Estimate | None:
    """Mean of all values, see `pooled_estimate`.

    Args:
        name: of the quantity.
        values: of each conversation.
        seed: same seed, same interval.
    """
    return pooled_estimate(
        name, [sum(each) for each in values], [len(each) for each in values], seed
    )


def stop_times(conversations: Conversations, seed: int = 0) -> Times:
    """From the user's onset to the agent's stop, of every barge-in.

    Where the agent did not stop, up to the end of the recording.
    """
    is_in_time = [
        [each["latency"] for each in fields["barge_ins"] if each["in_time"]]
        for fields in conversations
    ]
    means = (
        mean_estimate("mean, in time", is_in_time, seed),
        mean_estimate("mean, all", _latencies(conversations, "barge_ins"), seed),
    )
    events = [each for fields in conversations for each in fields["barge_ins"]]
    return Times(
        {
            IN_TIME: [each["latency"] for each in events if each["in_time"]],
            LATE: [
                each["latency"]
                for each in events
                if each["stopped"] and not each["in_time"]
            ],
            NOT_STOPPED: [each["latency"] for each in events if not each["stopped"]],
        },
        _known(means),
    )


def first_response_times(conversations: Conversations, seed: int = 0) -> Times:
    """From the end of the first user turn to the agent's response, signed."""
    return _response_times(
        conversations, lambda response: response["user_turn"] == 0, seed
    )


def response_times(conversations: Conversations, seed: int = 0) -> Times:
    """The same of every user turn that has a response."""
    return _response_times(conversations, lambda response: True, seed)


def rates(conversations: Conversations, seed: int = 0) -> tuple[Estimate, ...]:
    """Stopped in time, false alarms and answered, as in results.json.

    Args:
        conversations: of a set.
        seed: same seed, same intervals.
    """
    found = (
        pooled_estimate(
            RATES[0],
            [
                sum(each["in_time"] for each in fields["barge_ins"])
                for fields in conversations
            ],
            [len(fields["barge_ins"]) for fields in conversations],
            seed,
        ),
        pooled_estimate(
            RATES[1],
            [
                len({each["user_turn"] for each in fields["false_alarms"]})
                for fields in conversations
            ],
            [len(fields["user_turns"]) for fields in conversations],
            seed,
        ),
        pooled_estimate(
            RATES[2],
            [len(fields["answered"]) for fields in conversations],
            [
                len(fields["answered"]) + len(fields["unanswered"])
                for fields in conversations
            ],
            seed,
        ),
    )
    return _known(found)


def _response_times(
    conversations: Conversations, is_counted: Callable[[Mapping], bool], seed: int
) -> Times:
    latencies = [
        [each["latency"] for each in fields["responses"] if is_counted(each)]
        for fields in conversations
    ]
    not_early = [[time for time in times if time >= 0] for times in latencies]
    means = (
        mean_estimate("mean, not early", not_early, seed),
        mean_estimate("mean, all", latencies, seed),
    )
    every = [time for times in latencies for time in times]
    return Times(
        {
            ANSWER: [time for time in every if time >= 0],
            EARLY: [time for time in every if time < 0],
        },
        _known(means),
    )


def _latencies(conversations: Conversations, key: str) -> list[list[float]]:
    return [[each["latency"] for each in fields[key]] for fields in conversations]


def _known(estimates: Iterable[Estimate | None]) -> tuple[Estimate, ...]:
    return tuple(estimate for estimate in estimates if estimate is not None)
