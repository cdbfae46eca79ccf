"""Chat as people type it -> sentences as people say them."""

import re

from sources.rows import Refused
from sources.speakable import speakable

EMOTICON = re.compile(
    r"(?<!\w)([:;=8xX]['\-^]?[)(DPpOo3/\\|*]+|<3+|\^_*\^|[-._]{3,})(?!\w)"
)
ELLIPSIS = re.compile(r"\s*(?:\.\s*){2,}")
SHORT_FORMS = {
    "u": "you",
    "ur": "your",
    "r": "are",
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
    "rn": "right now",
    "pls": "please",
    "plz": "please",
    "thx": "thanks",
    "tho": "though",
    "bc": "because",
    "cuz": "because",
    "ok": "okay",
    "k": "okay",
    "lol": "",
    "haha": "ha ha",
    "hahaha": "ha ha",
    "hahahaha": "ha ha",
}
SHORT_WORD = re.compile(
    r"\b(" + "|".join(SHORT_FORMS) + r")\b(?!['.]\w)", re.IGNORECASE
)


def spoken_message(text: str) -> str:
    """One message of a chat as it is said; "" if nothing of it is.

    Emoticons go, short forms are written out, and a sentence ends with one mark.

    Raises:
        Refused: it holds what cannot be said (`speakable`).
    """
    text = EMOTICON.sub(" ", text.replace("’", "'"))
    text = SHORT_WORD.sub(lambda m: SHORT_FORMS[m.group(1).lower()], text)
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


def spoken_turn(messages: list[str]) -> str:
    """All messages of a turn as it is said.

    Raises:
        Refused: nothing is left, or something cannot be said.
    """
    said = " ".join(filter(None, map(spoken_message, messages)))
    if not said:
        raise Refused("an empty turn")
    return said
