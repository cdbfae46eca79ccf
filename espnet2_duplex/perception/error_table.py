"""Error rates of a CTC model by set and kind of text, heard in several ways."""

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from espnet2_duplex.perception.ctc import CtcErrors
from espnet2_duplex.perception.ctc_checkpoint import half_precision
from espnet2_duplex.perception.ctc_model import (
    CtcModel,
    Heard,
    total_errors,
    transcribe_all,
)
from espnet2_duplex.perception.utterances import Utterance

AS_TRAINED = "as trained"
HALF_PRECISION = "half precision"
IN_STEPS = "half precision, in steps"
ALL_KINDS = "all"


@dataclass(frozen=True)
class ScoredSet:
    """Speech to score on.

    Attributes:
        name: of the set.
        utterances: with the texts that CTC can spell.
        kinds: id -> kind of text.
    """

    name: str
    utterances: Sequence[Utterance]
    kinds: Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """Edit counts of one kind of text in one set, or of all kinds.

    Attributes:
        set: its name.
        kind: of text.
        num_utterances: that have a text.
        errors: way of hearing -> edit counts.
    """

    set: str
    kind: str
    num_utterances: int
    errors: Mapping[str, CtcErrors]


def exported(model: CtcModel) -> CtcModel:
    """The same model with its encoder's weights as encoder.pth holds them."""
    rounded = copy.deepcopy(model)
    rounded.encoder.load_state_dict(half_precision(model.encoder))
    return rounded


def hear(
    model: CtcModel, scored: ScoredSet, *, in_steps: bool
) -> dict[str, list[Heard]]:
    """Transcripts of a set: way of hearing -> utterances.

    Args:
        model: as trained.
        scored: the set.
        in_steps: whether to listen in steps of a frame as well, which takes long.
    """
    rounded = exported(model)
    heard = {
        AS_TRAINED: transcribe_all(model, scored.utterances),
        HALF_PRECISION: transcribe_all(rounded, scored.utterances),
    }
    if in_steps:
        heard[IN_STEPS] = transcribe_all(rounded, scored.utterances, in_steps=True)
    return heard


def rows_of(scored: ScoredSet, heard: Mapping[str, Sequence[Heard]]) -> list[Row]:
    """One row for each kind of text, in order of name, and the last for all of them."""
    spelt = [one.utterance.id for one in heard[AS_TRAINED]]
    counts = Counter(scored.kinds[id] for id in spelt)
    rows = []
    for kind in [*sorted(counts), ALL_KINDS] if len(counts) > 1 else counts:
        errors = {
            way: total_errors(
                [h for h in some if kind in (scored.kinds[h.utterance.id], ALL_KINDS)]
            )
            for way, some in heard.items()
        }
        num = len(spelt) if kind == ALL_KINDS else counts[kind]
        rows.append(Row(scored.name, kind, num, errors))
    return rows


def to_json(row: Row) -> dict:
    """A row with counts and rates, for results.json."""
    errors = {
        way: {
            **asdict(counts),
            "word_error_rate": counts.word_error_rate,
            "character_error_rate": counts.character_error_rate,
        }
        for way, counts in row.errors.items()
    }
    return {**asdict(row), "errors": errors}


def to_markdown(rows: Sequence[Row]) -> str:
    """A table: WER / CER in per cent for each way of hearing."""
    ways = list(rows[0].errors)
    lines = [("set", "text", "utterances", "words", *ways), ("---",) * (4 + len(ways))]
    for row in rows:
        num_words = row.errors[ways[0]].num_words
        rates = [
            f"{100 * errors.word_error_rate:.1f} / {100 * errors.character_error_rate:.1f}"
            for errors in row.errors.values()
        ]
        lines.append(
            (row.set, row.kind, str(row.num_utterances), str(num_words), *rates)
        )
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
