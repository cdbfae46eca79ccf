"""From what a model wrote to lines of speech."""

import re
from collections.abc import Sequence

QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-"})
SENTENCE_END = re.compile(r"[.?!](?=\s|$)")
MIN_WORDS_LEFT = 5  # of a turn that is cut to whole sentences


def tidy(text: str) -> str:
    """One line with plain apostrophes, single spaces and no quotes around it."""
    text = " ".join(text.translate(QUOTES).split())
    if text.count('"') == 2 and text[0] == text[-1] == '"':
        text = text[1:-1].strip()
    return text


def shorten(text: str, max_words: int) -> str:
    """The whole sentences of `text` that fit into `max_words`.

    A text is left as it is where fewer than `MIN_WORDS_LEFT` words would remain, so
    that filters see what is wrong with it.
    """
    is_finished = bool(re.search(r"[.?!]$", text))
    if is_finished and len(text.split()) <= max_words:
        return text
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    heads = [text[:end] for end in ends if len(text[:end].split()) <= max_words]
    if heads and len(heads[-1].split()) >= MIN_WORDS_LEFT:
        return heads[-1]
    return text


def parse_lines(text: str, labels: Sequence[str], num_lines: int) -> list[str] | None:
    """The first `num_lines` lines "<label>: <content>", labels in turn.

    Markdown's asterisks around labels are taken off, lines of other form before the
    first label are passed over ("Here is a conversation:"). None if there are fewer
    lines, or they do not take turns.
    """
    lines: list[str] = []
    for line in filter(str.strip, text.split("\n")):
        name, colon, content = line.replace("*", "").strip().partition(":")
        known = {label.lower(): label for label in labels}.get(name.strip().lower())
        if known is None or not colon:
            if lines:
                return None
            continue
        if known != labels[len(lines) % len(labels)]:
            return None
        lines.append(tidy(content))
        if len(lines) == num_lines:
            return lines
    return None
