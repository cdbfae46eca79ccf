"""Words, what they have in common, and how much they repeat."""

import re
from collections import Counter
from collections.abc import Sequence

STEM_LETTERS = 4  # plan, plans, planning
FUNCTION_WORDS = frozenset(
    "a about all also am an and any are as at be been but by can could did do does "
    "don't for from get go had has have he her his how i i'm if in into is it it's its "
    "just like me more most my no not of on one or our out she should so some that "
    "that's the their them then there they they're this to too up very was we were "
    "what what's when where which who why will with would yes you your".split()
)


def words(text: str) -> list[str]:
    """Lower-case words; an apostrophe belongs to its word."""
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)*", text.lower())


def stems(text: str) -> set[str]:
    """Beginnings of the words that carry the meaning."""
    return {word[:STEM_LETTERS] for word in words(text) if word not in FUNCTION_WORDS}


def ngrams(tokens: Sequence[str], size: int) -> list[tuple[str, ...]]:
    """All runs of `size` words."""
    return [tuple(tokens[n : n + size]) for n in range(len(tokens) - size + 1)]


def repeats_itself(text: str) -> bool:
    """Whether three words in a row, or three times a meaningful word, come again."""
    tokens = words(text)
    trigrams = Counter(ngrams(tokens, 3))
    counts = Counter(token for token in tokens if token not in FUNCTION_WORDS)
    return max(trigrams.values(), default=0) > 1 or max(counts.values(), default=0) > 2


def shared_share(one: str, two: str) -> float:
    """Share of the shorter text's word pairs that the other has too, 0 to 1."""
    first, second = (set(ngrams(["<", *words(text), ">"], 2)) for text in (one, two))
    return len(first & second) / max(min(len(first), len(second)), 1)
