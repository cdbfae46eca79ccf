"""Columns of the tables of scores: where in results.json a figure stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from espnet2_duplex.metrics.page_parts import ABSENT, Heading


@dataclass(frozen=True)
class Column:
    """A figure of a set.

    Attributes:
        heading: with the unit.
        meaning: its definition in one line.
        keys: where the value stands in results.json.
        factor: from there to the unit.
        decimals: of the cell.
    """

    heading: str
    meaning: str
    keys: tuple[str, ...]
    factor: float = 1
    decimals: int = 0

    def value(self, results: Mapping) -> float | None:
        """In the unit of results.json; None where it was not measured."""
        value: Any = results
        for key in self.keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def cell(self, results: Mapping) -> str:
        """In the unit of the heading; ABSENT where it was not measured."""
        value = self.value(results)
        return ABSENT if value is None else f"{self.factor * value:.{self.decimals}f}"

    @property
    def header(self) -> Heading:
        """For a table of a page."""
        return Heading(self.heading, self.meaning)


SUCCESS = Column(
    "stopped in time %",
    "barge-ins after which the agent stopped within 1.5 s of the user's onset (Sec. "
    "5.2: success rate)",
    ("barge_in", "success_rate"),
    100,
    1,
)
STOP = Column(
    "stop s",
    "user's onset to the end of the agent's speech, mean over barge-ins stopped in "
    "time (Sec. 5.2: barge-in latency)",
    ("barge_in", "latency_mean"),
    1,
    2,
)
FALSE_ALARMS = Column(
    "false alarms %",
    "user turns during which the agent began to speak, unless the turn ended within "
    "0.1 s (Sec. 5.2)",
    ("false_alarm", "rate"),
    100,
    1,
)
FIRST_RESPONSE = Column(
    "first response s",
    "end of the first user turn to the start of the agent's speech, mean; an early "
    "start is negative (Sec. 5.2)",
    ("first_response", "mean"),
    1,
    2,
)
UTMOS = Column(
    "UTMOS",
    "estimated mean opinion score of the agent's speech without its silence, 1 to 5",
    ("speech", "utmos"),
    1,
    1,
)
GPT_SCORE = Column(
    "GPT score",
    "a language model's mark for the agent's answers, 0 to 10, against the reference "
    "(Sec. 5.2)",
    ("gpt_score", "score"),
    1,
    1,
)
COLUMNS = (
    Column("conversations", "that were scored", ("num_conversations",)),
    Column(
        "barge-ins",
        "user turns that began inside the agent's speech",
        ("barge_in", "num_events"),
    ),
    SUCCESS,
    STOP,
    Column(
        "stop s, all",
        "the same mean over all barge-ins; up to the end of the recording where the "
        "agent did not stop",
        ("barge_in", "latency_mean_all"),
        1,
        2,
    ),
    FALSE_ALARMS,
    FIRST_RESPONSE,
    Column(
        "p90 s",
        "90th percentile of the first response",
        ("first_response", "p90"),
        1,
        2,
    ),
    Column(
        "early",
        "conversations in which the agent's first response began before the user's end",
        ("first_response", "num_early"),
    ),
    Column(
        "answered %",
        "user turns that left time for an answer and got one",
        ("first_response", "rate_answered"),
        100,
        1,
    ),
    Column(
        "exact text %",
        "answers whose written text is the reference's, word by word",
        ("text_exact", "rate"),
        100,
        1,
    ),
    Column(
        "ASR-BLEU",
        "BLEU of the transcript of the agent's speech against the reference",
        ("asr_bleu",),
        1,
        1,
    ),
    Column(
        "WER speech/text %",
        "word errors of the transcript against the text that the agent wrote",
        ("wer_speech_vs_text",),
        100,
        1,
    ),
    UTMOS,
    GPT_SCORE,
)
