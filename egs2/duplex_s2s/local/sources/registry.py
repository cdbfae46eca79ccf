"""All kinds of sources, and their options from the entries of a corpus YAML."""

import types
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields
from typing import get_args, get_type_hints

from sources.alpaca import AlpacaOptions, alpaca
from sources.asr_qa import AsrQaOptions, asr_qa
from sources.chitchat import ChitchatOptions, chitchat
from sources.countries import CountryOptions, country_dialogues
from sources.dialogues import DialogueOptions, dialogues
from sources.marco import MarcoOptions, marco
from sources.mini import CodecOptions, MiniOptions, codec_sentences, mini
from sources.own import OwnOptions, conversations
from sources.packaged import (
    QuestionOptions,
    ReadingOptions,
    SmallTalkOptions,
    chatterbot_dialogues,
    questions,
    wikipedia_context,
)
from sources.rows import Job, Options


@dataclass(frozen=True)
class Kind:
    """A kind of source.

    Attributes:
        options: their class.
        rows: makes the rows.
        assets: that it needs besides the default ones.
    """

    options: type[Options]
    rows: Callable[[Options, Job], Iterator[dict]]
    assets: tuple[str, ...] = ()


KINDS = {
    "marco": Kind(MarcoOptions, marco),
    "alpaca": Kind(AlpacaOptions, alpaca),
    "asr_qa": Kind(AsrQaOptions, asr_qa),
    "dialogues": Kind(DialogueOptions, dialogues),
    "chitchat": Kind(ChitchatOptions, chitchat, ("chitchat-dataset",)),
    "conversations": Kind(OwnOptions, conversations),
    "questions": Kind(QuestionOptions, questions),
    "wikipedia_context": Kind(ReadingOptions, wikipedia_context),
    "country_dialogues": Kind(CountryOptions, country_dialogues),
    "chatterbot_dialogues": Kind(SmallTalkOptions, chatterbot_dialogues),
    "mini": Kind(MiniOptions, mini),
    "codec_sentences": Kind(CodecOptions, codec_sentences),
}


def parse_entry(entry: object, where: str) -> tuple[Kind, Options]:
    """Kind and options of one entry of `texts`.

    Args:
        entry: {"source": kind, option: value, ...}.
        where: names it in errors.
    Raises:
        ValueError: no such kind or option, a missing option, or a wrong value.
    """
    if not isinstance(entry, dict) or "source" not in entry:
        raise ValueError(f'{where} is {entry!r}; write for example {{source: "mini"}}.')
    given = dict(entry)
    name = given.pop("source")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"{where}: no source {name!r}; there are {', '.join(KINDS)}.")
    known = {field.name: field for field in fields(kind.options)}
    odd = sorted(map(str, set(given) - set(known)))
    if odd:
        raise ValueError(
            f"{where}: {name} has no option {', '.join(odd)}; there are "
            f"{', '.join(known)}."
        )
    _check_missing(known, given, f"{where}: {name}")
    hints = get_type_hints(kind.options)
    for key, value in given.items():
        _check_type(value, hints[key], f"{where}: {key}")
    _check_shares(given.get("held_out", {}), where)
    try:
        return kind, kind.options(**given)
    except ValueError as problem:
        raise ValueError(f"{where}: {problem}") from problem


def _check_missing(known: dict, given: dict, where: str) -> None:
    for key, field in known.items():
        is_needed = field.default is MISSING and field.default_factory is MISSING
        if is_needed and key not in given:
            raise ValueError(f"{where} lacks {key}; add it.")


def _check_type(value: object, hint: object, where: str) -> None:
    allowed = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in allowed:
        allowed = (*allowed, int)
    if type(value) not in allowed:
        names = " or ".join(kind.__name__ for kind in allowed)
        raise ValueError(f"{where} is {value!r}; expected {names}.")
    if type(value) in (int, float) and value < 0:
        raise ValueError(f"{where} is {value}; expected no number below 0.")


def _check_shares(shares: dict, where: str) -> None:
    good = all(
        isinstance(name, str) and type(share) in (int, float) and 0 <= share < 1
        for name, share in shares.items()
    )
    if not (good and sum(shares.values()) < 1):
        raise ValueError(
            f"{where}: held_out is {shares!r}; expected shares such as "
            "{valid: 0.02, test: 0.02}."
        )
