"""Whether the agent took the turn: TOR, the takeover rate."""

from collections.abc import Sequence
from dataclasses import dataclass

from espnet2_duplex.metrics.counts import Counts, share
from espnet2_duplex.words import Word


@dataclass(frozen=True)
class TakeOverOptions:
    """What is too little to be a turn (eval_pause_handling.py and others).

    Attributes:
        min_seconds: from the first word's start to the last word's end; shorter speech
            of few words takes no turn.
        max_words: so many are few.
    """

    min_seconds: float = 1.0
    max_words: int = 3


def takes_over(
    words: Sequence[Word], options: TakeOverOptions = TakeOverOptions()
) -> bool:
    """Whether words are a turn and not nothing or a backchannel.

    Full-Duplex-Bench v1: no words take no turn; nor do at most three words that span
    less than one second; all else does.

    Args:
        words: of the agent, in time order.
        options: limits.
    """
    if not words:
        return False
    # Not in microseconds: at the limit, the float decides as in the published code.
    span_seconds = words[-1].end - words[0].start
    return span_seconds >= options.min_seconds or len(words) > options.max_words


@dataclass(frozen=True)
class TakeOverCounts(Counts):
    """How many agents took the turn.

    Attributes:
        num_samples: agents.
        num_taken: of these, those that took it.
    """

    num_samples: int = 0
    num_taken: int = 0

    @classmethod
    def of(cls, taken: bool) -> "TakeOverCounts":
        """Of one sample."""
        return cls(1, int(taken))

    @property
    def rate(self) -> float | None:
        """TOR, None without samples."""
        return share(self.num_taken, self.num_samples)

    def figures(self) -> dict:
        """Counts and the rate by name."""
        return {
            "num_samples": self.num_samples,
            "num_take_overs": self.num_taken,
            "take_over_rate": self.rate,
        }
