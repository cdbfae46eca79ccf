"""Filters: what a line must not be. Each has a name, under which it is counted."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from llm.roles import META, has_label, is_unlike_a_user, is_unlike_an_agent
from llm.words import repeats_itself, shared_share, stems
from sources.dictionary import is_crude, num_unknown_words
from sources.rows import Refused
from sources.speakable import speakable

MIN_WORDS = 2
MAX_WORDS = 30  # Sec. 4.3
MAX_SHARED = 0.5  # of two lines' word pairs
MIN_QUOTED = 0.6  # of an answer's meaningful words, from the transcript
ITEM = re.compile(r"(?:^|[.:?!]\s)\d{1,2}[.)](?=\s|$)")  # "1." of a list


@dataclass(frozen=True)
class Draft:
    """A line and what stands around it.

    Attributes:
        text: the line.
        earlier: the lines before it; speakers take turns, the user or asker begins.
        subject: what it is all about: a topic, a context or a transcript.
        examples: lines of the prompt's examples.
    """

    text: str
    earlier: Sequence[str] = ()
    subject: str = ""
    examples: Sequence[str] = ()

    @property
    def is_answer(self) -> bool:
        return len(self.earlier) % 2 == 1


Filters = Mapping[str, Callable[[Draft], bool]]


def _cannot_be_said(draft: Draft) -> bool:
    try:
        return speakable(draft.text) != draft.text or bool(ITEM.search(draft.text))
    except Refused:
        return True


def _confuses_roles(draft: Draft) -> bool:
    is_unlike = is_unlike_an_agent if draft.is_answer else is_unlike_a_user
    return has_label(draft.text) or is_unlike(draft.text)


def _is_off_topic(draft: Draft) -> bool:
    """The first line misses the subject, or an answer takes up nothing before it."""
    if draft.earlier and not draft.is_answer:
        return False
    known = set().union(*map(stems, [draft.subject, *draft.earlier]))
    return bool(known) and not known & stems(draft.text)


def _is_not_from_transcript(draft: Draft) -> bool:
    answer = stems(draft.text)
    quoted = answer & stems(draft.subject)
    return draft.is_answer and len(quoted) < MIN_QUOTED * max(len(answer), 1)


def _is_like_any(text: str, others: Sequence[str]) -> bool:
    return any(shared_share(text, other) > MAX_SHARED for other in others)


FORM: Filters = {
    "too short": lambda draft: len(draft.text.split()) < MIN_WORDS,
    "too long": lambda draft: len(draft.text.split()) > MAX_WORDS,
    "unfinished": lambda draft: not re.search(r"[.?!]$", draft.text),
    "cannot be said": _cannot_be_said,
    "about itself": lambda draft: bool(META.search(draft.text)),
}
CONTENT: Filters = {
    "crude": lambda draft: is_crude(draft.text),
    "repeats itself": lambda draft: repeats_itself(draft.text),
    "repeats a line": lambda draft: _is_like_any(draft.text, draft.earlier),
    "copies an example": lambda draft: _is_like_any(draft.text, draft.examples),
    "off topic": _is_off_topic,
    "unknown words": lambda draft: num_unknown_words(draft.text) > 0,
}
DIALOGUE: Filters = {**FORM, "role confusion": _confuses_roles, **CONTENT}
QUESTION: Filters = {
    **FORM,
    "label": lambda draft: has_label(draft.text),
    "no question": lambda draft: draft.text.endswith("?") == draft.is_answer,
    **CONTENT,
    "not from the transcript": _is_not_from_transcript,
}


def first_objection(draft: Draft, filters: Filters) -> str | None:
    """Name of the first filter that rejects a line, None if it passes all."""
    return next((name for name, rejects in filters.items() if rejects(draft)), None)
