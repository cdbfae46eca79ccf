"""A word and when it was said: what recognisers and alignments give."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """One word; its times are seconds since the beginning of the conversation."""

    text: str
    start: float
    end: float


def parse_word(text: object, span: object) -> Word:
    """A word from parsed JSON.

    Args:
        text: of the word.
        span: [start, end] in seconds.

    Raises:
        ValueError: it is not of that kind.
    """
    good = (
        isinstance(text, str)
        and isinstance(span, list)
        and len(span) == 2
        and all(type(time) in (int, float) for time in span)
        and 0 <= span[0] <= span[1] < float("inf")
    )
    if not good:
        raise ValueError(
            f"the word {text!r} has the times {span!r}; expected a text and [start, "
            "end] in seconds"
        )
    return Word(text.strip(), *span)
