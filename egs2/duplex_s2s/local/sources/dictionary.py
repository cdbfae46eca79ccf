"""Which words the voices have in their dictionary, and which nobody should hear."""

import re
from functools import cache

from pronunciation import Pronunciation
from text_sources import UNWANTED

CRUDE = UNWANTED | frozenset(
    "ass asshole bastard bitch bloody bollocks boob boobs bullshit crap crappy cock "
    "cunt cum damn damned dick dildo dumb fag faggot fetish fuck fucked fucker fucking "
    "fucks goddamn hitler homo horny hooker jerk kill killing laid lmao lmfao loser "
    "murdered naked nazi nigga nigger nude orgasm penis piss pissed poop porn prostitute "
    "pussy rape raped retard retarded sexy sexist racist shit shits shitty shut slut "
    "stfu stupid suck sucked sucks suicidal terrorist tit tits vagina whore wtf "
    "weed drugs drug cocaine meth heroin booze drunken gay lesbian trump hillary".split()
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
