"""How well an answer fits what the user interrupted with, from 0 to 5."""

import re
from dataclasses import dataclass

from espnet2_duplex.chat.asking import BadAnswer
from espnet2_duplex.chat.backend import Message
from espnet2_duplex.metrics.counts import Counts, share
from espnet2_duplex.metrics.full_duplex_bench.judging import MARKS

MAX_RATING = 5
RATINGS = tuple(map(str, range(MAX_RATING + 1)))

# Full-Duplex-Bench's question in our words.
INSTRUCTION = """\
A user talks with a voice assistant. While the assistant was answering the user's first \
turn, the user interrupted it with a second turn. Judge whether what the assistant said \
after the interruption fits the second turn.

Scale:
0 - it has nothing at all to do with the interruption
1 - it does not relate to the interruption
2 - it relates to the interruption a little
3 - it relates to the interruption
4 - it relates closely to the interruption
5 - it fits the interruption perfectly

The assistant's words come from a speech recogniser: pass over spelling. Think in one or \
two sentences, then end with a line of exactly this form:
Rating: <a whole number from 0 to 5>"""

# At the end of a line, which may name the scale: "**Rating (0-5):** 4/5".
_RATING = re.compile(
    rf"rating(?:{MARKS}0 ?(?:-|–|to) ?5)?{MARKS}(?<!-)([0-9]+)(?: ?/ ?5)?{MARKS}$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True)
class RatingCounts(Counts):
    """Ratings of answers.

    Attributes:
        num_rated: answers that were rated.
        total: sum of their ratings.
        num_failed: answers for which the judge gave no rating.
    """

    num_rated: int = 0
    total: int = 0
    num_failed: int = 0

    @classmethod
    def of(cls, rating: int | None) -> "RatingCounts":
        """Of one answer; None is a failure."""
        return cls(num_failed=1) if rating is None else cls(1, rating)

    @property
    def mean(self) -> float | None:
        """From 0 to 5, None without ratings."""
        return share(self.total, self.num_rated)

    def figures(self) -> dict:
        """Counts and mean by name."""
        return {
            "rating_mean": self.mean,
            "num_rated": self.num_rated,
            "num_rating_failures": self.num_failed,
        }


def rating_chat(context: str, interruption: str, answer: str) -> tuple[Message, ...]:
    """The question for one answer (v1, "user interruption").

    Args:
        context: the user's first turn.
        interruption: the user's second turn.
        answer: what the agent said after it.
    """
    said = (
        f"First turn of the user: {context}\n"
        f"Interruption by the user: {interruption}\n"
        f"The assistant after the interruption: {answer}"
    )
    return (Message("system", INSTRUCTION), Message("user", said))


def parse_rating(reply: str) -> int:
    """The rating in a judge's reply, the last one that ends a line.

    Raises:
        BadAnswer: there is none from 0 to 5.
    """
    found = _RATING.findall(reply)
    if not found or found[-1] not in RATINGS:
        raise BadAnswer(f"no line ends with a rating from 0 to {MAX_RATING}")
    return int(found[-1])
