"""What the agent does after an overlap, in one of four labels (v1.5)."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from espnet2_duplex.chat.asking import BadAnswer
from espnet2_duplex.chat.backend import Message
from espnet2_duplex.metrics.counts import Counts, share
from espnet2_duplex.metrics.full_duplex_bench.judging import MARKS
from espnet2_duplex.words import Word

LABELS = ("RESPOND", "RESUME", "UNCERTAIN", "UNKNOWN")

# Full-Duplex-Bench's labels (evaluation/instruction/behavior.txt) in our words.
INSTRUCTION = """\
A user talks with a voice assistant. Then somebody speaks over the conversation: the \
user interrupts or murmurs, talks to another person, or a stranger is heard. You get the \
words of both sides, each as [word, start, end] in seconds, twice: "clean" is the same \
conversation without that overlap, "noisy" has it. The words of "user_noisy" that are \
not in "user_clean" are the overlap.

Find in "agent_noisy" the first new thing that the assistant says after the overlap has \
begun: it addresses the overlap, or changes from answering to something else, or takes \
up its thread with an opener such as "anyway". What it had begun before the overlap is \
not new. Label it:

RESPOND - it takes up what was said in the overlap: answers it or reacts to its content
RESUME - it passes over the overlap and goes on with, or finishes, what it was doing
UNCERTAIN - it says that it did not hear or understand, or asks to repeat
UNKNOWN - none of these, or there is nothing new

End your reply with a line of exactly this form:
Label: <one of RESPOND, RESUME, UNCERTAIN, UNKNOWN>"""

_LABEL = re.compile(
    rf"label{MARKS}(?:C_)?({'|'.join(LABELS)}){MARKS}$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True)
class Transcripts:
    """Words of both sides, without and with the overlap."""

    user_clean: Sequence[Word]
    user_noisy: Sequence[Word]
    agent_clean: Sequence[Word]
    agent_noisy: Sequence[Word]


@dataclass(frozen=True)
class BehaviourCounts(Counts):
    """Labels of samples.

    Attributes:
        labels: label -> samples.
        num_failed: samples for which the judge gave no label.
    """

    labels: Counter[str] = field(default_factory=Counter)
    num_failed: int = 0

    @classmethod
    def of(cls, label: str | None) -> "BehaviourCounts":
        """Of one sample; None is a failure."""
        return cls(num_failed=1) if label is None else cls(Counter([label]))

    def figures(self) -> dict:
        """Share of each label among the labelled samples, and counts."""
        total = self.labels.total()
        return {
            **{label.lower(): share(self.labels[label], total) for label in LABELS},
            "num_labelled": total,
            "num_label_failures": self.num_failed,
        }


def behaviour_chat(transcripts: Transcripts) -> tuple[Message, ...]:
    """The question for one sample."""
    lines = [
        f'"{name}": {json.dumps(_rows(words), ensure_ascii=False)}'
        for name, words in vars(transcripts).items()
    ]
    return (Message("system", INSTRUCTION), Message("user", "\n".join(lines)))


def parse_label(reply: str) -> str:
    """The label in a judge's reply, the last one that ends a line.

    Raises:
        BadAnswer: there is none.
    """
    found = _LABEL.findall(reply)
    if not found:
        raise BadAnswer("no line ends with a label")
    return found[-1].upper()


def _rows(words: Sequence[Word]) -> list[list]:
    return [[word.text, round(word.start, 2), round(word.end, 2)] for word in words]
