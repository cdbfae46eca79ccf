"""What the judge of the GPT score answers: numbers, or nothing that counts."""

import json
from collections.abc import Sequence

from espnet2_duplex.chat.asking import BadAnswer

LOWEST, HIGHEST = 0, 10
SCORES = range(LOWEST, HIGHEST + 1)


def parse_scores(text: str, num_turns: int) -> list[int]:
    """The scores of an answer, in the order of the turns.

    What stands around the JSON object (a fence, a greeting) is passed over; nothing
    else is forgiven.

    Raises:
        BadAnswer: no JSON object, a turn that is missing, double or unknown, or a score
            that is not a whole number from 0 to 10.
    """
    entries = _entries(text)
    scores: dict[int, int] = {}
    for entry in entries:
        number, score = _number_and_score(entry)
        if number in scores:
            raise BadAnswer(f"turn {number} has two scores")
        scores[number] = score
    if set(scores) != set(range(1, num_turns + 1)):
        raise BadAnswer(
            f"there are scores of {len(scores)} turns, not of 1 to {num_turns}"
        )
    return [scores[number] for number in sorted(scores)]


def expected_score(probabilities: Sequence[float]) -> float | None:
    """Mean of the scores 0 to 10 by their probabilities, which need not add up to 1.

    G-Eval's weighting (arXiv 2303.16634, Sec. 2). None where no score is likely at all.
    """
    total = sum(probabilities)
    if not total > 0:  # NaN, too
        return None
    weighted = sum(
        score * share for score, share in zip(SCORES, probabilities, strict=True)
    )
    return weighted / total


def _entries(text: str) -> list:
    start, end = text.find("{"), text.rfind("}") + 1
    try:
        found = json.loads(text[start:end]) if start >= 0 else None
    except (ValueError, RecursionError) as problem:
        raise BadAnswer("it is not one JSON object") from problem
    entries = found.get("turns") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise BadAnswer('it is no JSON object with a list "turns"')
    return entries


def _number_and_score(entry) -> tuple[int, int]:
    if not isinstance(entry, dict):
        raise BadAnswer("an entry is no JSON object")
    number, score = entry.get("turn"), entry.get("score")
    if type(number) is not int:  # True is an int, too
        raise BadAnswer('the "turn" of an entry is not a number')
    if type(score) is not int or score not in SCORES:
        raise BadAnswer(f"the score of turn {number} is no whole number from 0 to 10")
    return number, score
