"""All kinds of sources, and their options from the entries of a corpus YAML."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

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

from espnet2_duplex.simulation.yaml_fields import built, is_number


@dataclass(frozen=True)
class Kind:
    """A kind of source.

    Attributes:
        options: their class.
        rows: makes the rows.
        assets: that it needs besides the default ones.
        files: names of the options that are paths of files.
    """

    options: type[Options]
    rows: Callable[[Options, Job], Iterator[dict]]
    assets: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


KINDS = {
    "marco": Kind(MarcoOptions, marco, files=("path",)),
    "alpaca": Kind(AlpacaOptions, alpaca, files=("path",)),
    "asr_qa": Kind(AsrQaOptions, asr_qa, files=("manifest", "questions")),
    "dialogues": Kind(DialogueOptions, dialogues, files=("path",)),
    "chitchat": Kind(ChitchatOptions, chitchat, ("chitchat-dataset",)),
    "conversations": Kind(OwnOptions, conversations, files=("path",)),
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
    options = built(kind.options, given, f"{where}: {name}")
    _check_shares(options.held_out, f"{where}: {name}")
    return kind, options


def _check_shares(shares: dict, where: str) -> None:
    good = all(
        isinstance(name, str) and is_number(share) and 0 <= share < 1
        for name, share in shares.items()
    )
    if not (good and sum(shares.values()) < 1):
        raise ValueError(
            f"{where}.held_out is {shares!r}; expected shares such as "
            "{valid: 0.02, test: 0.02}."
        )
