"""Alpaca (Sec. 4.1): the user gives an instruction, perhaps with input; one answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from sources.files import Paths, numbered_files
from sources.published import read_objects, text_of
from sources.rows import Job, Options, Refused, agent, kept, make_row, user
from sources.speakable import speakable
from sources.turn_lengths import MAX_TURN_SECONDS, cut, short_turn

LICENCE = "CC-BY-NC-4.0"
NO_INPUT = frozenset(["", "<noinput>", "noinput", "no input", "none", "n/a"])


@dataclass(frozen=True, kw_only=True)
class AlpacaOptions(Options):
    """Options of `alpaca`.

    Attributes:
        path: alpaca_data.json, or the same objects as JSON lines; perhaps gzipped. A
            list or a pattern such as alpaca/*.json names several.
        max_turn_seconds: answers are cut there at the end of a sentence; instructions
            that are longer together with their input are left out.
        licence: of the file; other files in this form have others.
    """

    name: str = "alpaca"
    path: Paths
    max_turn_seconds: float = MAX_TURN_SECONDS
    licence: str = LICENCE


def alpaca(options: AlpacaOptions, job: Job) -> Iterator[dict]:
    """One row an instruction; its input is read after it."""
    items = (
        (f"{prefix}{number:06d}", f"{path.name}, item {number}", *item)
        for prefix, path in numbered_files(options.path, job)
        for number, item in enumerate(read_objects(path))
    )
    return kept(items, partial(instruction_row, options), job.refused)


def instruction_row(options: AlpacaOptions, item: tuple) -> dict:
    """The row of (key, origin, where, object).

    Raises:
        Refused: it cannot be said, or has no answer.
        ValueError: it is no object of Alpaca.
    """
    key, origin, where, fields = item
    said = [text_of(fields, "instruction", where)]
    context = text_of({"input": "", **fields}, "input", where)
    if context.strip().lower() not in NO_INPUT:
        said.append(context)
    answer = text_of(fields, "output", where)
    if not answer.strip():
        raise Refused("no answer")
    limit = options.max_turn_seconds
    turns = [*map(user, short_turn([*map(speakable, said)], "user", limit))]
    turns.append(agent(cut(speakable(answer), "agent", limit)))
    return make_row(options, key, turns, options.licence, f"Alpaca, {origin}")
