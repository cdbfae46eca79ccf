"""How long a turn will be when it is spoken, and limits to that (Sec. 4.2)."""

from collections.abc import Sequence

from sources.rows import Refused
from sources.speakable import SENTENCE_END

SECONDS_PER_WORD = {"user": 0.36, "agent": 0.37}  # measured on the packaged voices
# Spoken to estimated seconds, 95th percentile of the texts of 28 words and more that the
# packaged voices said for conf/data_all.yaml; their medians are 1.03 and 0.94.
LONG_TEXT_MARGIN = {"user": 1.17, "agent": 1.0}
MAX_TURN_SECONDS = 25.0  # Sec. 4.2


def seconds_of(text: str, role: str) -> float:
    """Length of the spoken text, estimated from its words."""
    return SECONDS_PER_WORD[role] * len(text.split())


def longest_seconds_of(text: str, role: str) -> float:
    """Length that the spoken text hardly exceeds, for limits."""
    return LONG_TEXT_MARGIN[role] * seconds_of(text, role)


def cut(text: str, role: str, max_seconds: float) -> str:
    """The first sentences of a text that last at most `max_seconds` (Sec. 4.2).

    Raises:
        Refused: the first one is longer.
    """
    said = ""
    for sentence in SENTENCE_END.split(text):
        longer = f"{said} {sentence}".strip()
        if longest_seconds_of(longer, role) > max_seconds:
            break
        said = longer
    if not said:
        raise Refused("a first sentence that is too long")
    return said


def short(text: str, role: str, max_seconds: float) -> str:
    """The text itself.

    Raises:
        Refused: it lasts longer than `max_seconds`.
    """
    if longest_seconds_of(text, role) > max_seconds:
        raise Refused(f"a text of the {role} that is too long")
    return text


def short_turn(texts: Sequence[str], role: str, max_seconds: float) -> Sequence[str]:
    """The texts themselves, which are said one after the other as one turn.

    Raises:
        Refused: together they last longer than `max_seconds`.
    """
    short(" ".join(texts), role, max_seconds)
    return texts
