"""The results of a set from those of its parts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from espnet2_duplex.metrics.conversation_scores import SetCounts
from espnet2_duplex.metrics.counts import pooled
from espnet2_duplex.metrics.results import to_results


def merge_results(parts: Sequence[Mapping], name: str) -> dict:
    """The results of a set from those of its parts.

    The options of the first part stand for all; local models may lie elsewhere on every
    machine, so that of their paths only the last name must be the same.

    Raises:
        ValueError: the parts were scored by different definitions or versions of
            packages, or their counts are of another version of this package.
    """
    first = parts[0]
    for part in parts[1:]:
        _check_same(name, first, part)
    counts = pooled(
        (SetCounts.from_dict(part["counts"]) for part in parts), SetCounts()
    )
    problems = [part["gpt_score"]["problem"] for part in parts]
    problem = next((problem for problem in problems if problem), None)
    return to_results(name, counts, first["options"], first["versions"], problem)


def _check_same(name: str, first: Mapping, other: Mapping) -> None:
    mine, others = _definitions(first), _definitions(other)
    differing = [key for key in mine | others if mine.get(key) != others.get(key)]
    if differing:
        raise ValueError(
            f"the parts of {name} differ in their definitions ({', '.join(differing)}); "
            "score all of them with the same options and packages"
        )


def _definitions(results: Mapping) -> dict:
    """Options and versions, with the names of models instead of their paths."""
    found = {**results["options"], "versions": results["versions"]}
    for name in ("asr", "gpt"):
        if found[name] is not None:
            found[name] = {**found[name], "model": Path(found[name]["model"]).name}
    return found
