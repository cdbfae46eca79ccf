"""Which words the voices have in their dictionary, and which nobody should hear."""

import re
from functools import cache

from pronunciation import Pronunciation
from text_sources import UNWANTED

CRUDE = UNWANTED | frozenset(
    "ass asshole bastard bitch bollocks boob boobs bullshit cock crap crappy "
    "cunt cum damn damned dick dildo fag faggot fuck fucked fucker fucking "
    "fucks goddamn hitler hooker horny killing lmao lmfao murdered naked nazi "
    "nigga nigger nude orgasm penis piss pissed poop porn prostitute pussy "
    "rape raped retard retarded sexist sexy shit shits shitty slut stfu stupid "
    "suicidal terrorist tit tits vagina whore wtf".split()
)
WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")


@cache
def pronunciation() -> Pronunciation:
    """The one dictionary, loaded at its first use."""
    return Pronunciation()


@cache
def is_known(word: str) -> bool:
    """Whether the voices' dictionary has a word."""
    return pronunciation().phonemes(word) is not None


def words_of(text: str) -> list[str]:
    """Words of letters."""
    return WORD.findall(text)


def num_unknown_words(text: str) -> int:
    """Number of words that are in no dictionary."""
    return sum(not is_known(word) for word in words_of(text))


def is_crude(text: str) -> bool:
    """Whether a demonstration should not say it."""
    return not CRUDE.isdisjoint(word.lower() for word in words_of(text))
