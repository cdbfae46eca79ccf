"""Chat as people type it -> sentences as people say them."""

import re

from sources.rows import Refused
from sources.speakable import speakable

# Eyes that could be a number or a letter need a nose or a bracket, but for "xD".
EMOTICON = re.compile(
    r"(?<!\w)([:;=]['\-^]?[)(DPpOo/\\|*]+|:['\-^]?3+|[xX](['\-^][)(DPpOo*]+|[)(]+|D+)"
    r"|8['\-^][)(DPp]+|<3+|\^_*\^|[-._]{3,})(?!\w)"
)
ELLIPSIS = re.compile(r"\s*(?:\.\s*){2,}")
SHORT_FORMS = {
    "ur": "your",
    "im": "I'm",
    "ive": "I've",
    "dont": "don't",
    "doesnt": "doesn't",
    "didnt": "didn't",
    "isnt": "isn't",
    "wasnt": "wasn't",
    "havent": "haven't",
    "cant": "can't",
    "couldnt": "couldn't",
    "wouldnt": "wouldn't",
    "thats": "that's",
    "whats": "what's",
    "theres": "there's",
    "youre": "you're",
    "theyre": "they're",
    "btw": "by the way",
    "idk": "I don't know",
    "tbh": "to be honest",
    "omg": "oh my god",
    "pls": "please",
    "plz": "please",
    "thx": "thanks",
    "tho": "though",
    "cuz": "because",
    "ok": "okay",
    "lol": "",
    "haha": "ha ha",
    "hahaha": "ha ha",
    "hahahaha": "ha ha",
}
# As capitals these are names: "vitamin K", "an RN", "44 BC".
SMALL_SHORT_FORMS = {
    "u": "you",
    "r": "are",
    "rn": "right now",
    "bc": "because",
    "k": "okay",
}
SHORT_WORD = re.compile(
    rf"(?<![\w'.&-])(?:((?i:{'|'.join(SHORT_FORMS)}))"
    rf"|(?<!\d )({'|'.join(SMALL_SHORT_FORMS)}))(?!\w|['.&-]\w)"
)


def spoken_message(text: str) -> str:
    """One message of a chat as it is said; "" if nothing of it is.

    Emoticons go, short forms are written out, and a sentence ends with one mark.

    Raises:
        Refused: it holds what cannot be said (`speakable`).
    """
    text = EMOTICON.sub(" ", text.replace("’", "'"))
    text = SHORT_WORD.sub(_written_out, text)
    text = re.sub(r"\bi\b", "I", text)
    text = ELLIPSIS.sub(", ", text.strip(" .,") + "." * text.rstrip().endswith("."))
    text = re.sub(r"[!?.,]*\?[!?.,]*", "?", text)
    text = re.sub(r"[!.,]*![!.,]*", "!", text)
    text = re.sub(r",{2,}", ",", text)
    if not re.search(r"\w", text):
        return ""
    text = speakable(text)
    if text[-1] not in ".?!":
        text += "."
    return text[0].upper() + text[1:]


def _written_out(short: re.Match) -> str:
    any_case, small = short.groups()
    return SHORT_FORMS[any_case.lower()] if any_case else SMALL_SHORT_FORMS[small]


def spoken_turn(messages: list[str]) -> str:
    """All messages of a turn as it is said.

    Raises:
        Refused: nothing is left, or something cannot be said.
    """
    said = " ".join(filter(None, map(spoken_message, messages)))
    if not said:
        raise Refused("an empty turn")
    return said
