"""New speakers from two Kokoro voices: a weighted mean of their style matrices.

A blend's name says it all: "af_bella60-af_sky40" is 60 % of the one and 40 % of the
other.
"""

import itertools
import random
import re
from collections.abc import Sequence

BLEND = re.compile(r"(?P<main>\D+)(?P<main_percent>\d+)-(?P<other>\D+)(?P<percent>\d+)")
OTHER_PERCENT = (30, 50)  # less would be the main voice again
MAX_BLENDS_PER_PAIR = 10


def components(voice: str) -> dict[str, float]:
    """Kokoro voices of a blend with their weights, the heavier first; or the voice.

    Raises:
        ValueError: the weights do not sum to 100 %.

    Example:
        >>> components("af_bella60-af_sky40")
        {'af_bella': 0.6, 'af_sky': 0.4}
    """
    match = BLEND.fullmatch(voice)
    if match is None:
        return {voice: 1.0}
    main_percent, other_percent = int(match["main_percent"]), int(match["percent"])
    if main_percent + other_percent != 100:
        raise ValueError(f"the weights of the blend {voice!r} do not sum to 100")
    return {match["main"]: main_percent / 100, match["other"]: other_percent / 100}


def check_num_blends(num_blends: int, voices: Sequence[str]) -> None:
    """So many different blends of the voices can be drawn.

    Raises:
        ValueError: there are too few voices.
    """
    most = MAX_BLENDS_PER_PAIR * len(_pairs(voices))
    if num_blends > most:
        raise ValueError(
            f"num_blends is {num_blends}, but the {len(voices)} training voices make "
            f"{most} blends at most"
        )


def draw_blends(voices: Sequence[str], num_blends: int, seed: int) -> list[str]:
    """Names of different blends, each of two voices of one sex.

    Every pair comes once before one comes again, and the first blends stay what they
    are when more are drawn.

    Args:
        voices: Kokoro's names, in which the second letter tells the sex; blends among
            them are not blended again.
        num_blends: how many.
        seed: of pairs and weights.

    Raises:
        ValueError: as `check_num_blends`.
    """
    check_num_blends(num_blends, voices)
    pairs = _pairs(voices)
    rng = random.Random(f"{seed}/blends")
    rng.shuffle(pairs)
    names: dict[str, None] = {}
    for pair in itertools.cycle(pairs):
        if len(names) >= num_blends:
            break
        main, other = rng.sample(pair, 2)
        percent = rng.randint(*OTHER_PERCENT)
        names[f"{main}{100 - percent}-{other}{percent}"] = None
    return list(names)


def _pairs(voices: Sequence[str]) -> list[tuple[str, str]]:
    """All pairs of voices of one sex that are no blends themselves."""
    single = sorted(voice for voice in voices if len(components(voice)) == 1)
    every_pair = itertools.combinations(single, 2)
    return [(one, two) for one, two in every_pair if one[1:2] == two[1:2]]
