"""MS MARCO QA v2.1 (Sec. 4.1): the user reads a passage and asks, the agent answers.

Three forms of the file, told apart by themselves: columns as first published
({"query": {"0": ...}, "passages": {"0": [...]}, ...}), one query a line, and the rows
of the Hugging Face hub, in which the passages are lists by name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sources.files import Paths, numbered_files
from sources.published import (
    is_json_lines,
    load_json,
    objects_of,
    read_lines,
    text_of,
)
from sources.rows import Job, Options, Refused, agent, kept, make_row, user
from sources.speakable import speakable
from sources.turn_lengths import MAX_TURN_SECONDS, short, short_turn
from text_sources import ASKING, sentence

NO_ANSWER = "No Answer Present."
LICENCE = "MS MARCO terms (research, not commercial)"
COLUMNS = ("query", "query_id", "answers", "passages", "wellFormedAnswers")


@dataclass(frozen=True, kw_only=True)
class MarcoOptions(Options):
    """Options of `marco`.

    Attributes:
        path: of the JSON or JSON lines, perhaps gzipped. A list or a pattern such as
            marco/*.json names several.
        context: "spoken" has the user read the selected passage before the question,
            "none" only asks.
        max_turn_seconds: queries that are longer together with their passage, or whose
            answer is longer, are left out, as the answer may be in what a cut removes.
    """

    name: str = "msmarco"
    path: Paths
    context: str = "spoken"
    max_turn_seconds: float = MAX_TURN_SECONDS

    def __post_init__(self) -> None:
        if self.context not in ("spoken", "none"):
            raise ValueError(f'context is {self.context!r}; write "spoken" or "none".')


def marco(options: MarcoOptions, job: Job) -> Iterator[dict]:
    """One row a query that has an answer and, if it is spoken, a selected passage."""
    queries = (
        (prefix, *query)
        for prefix, path in numbered_files(options.path, job)
        for query in read_queries(path)
    )
    return kept(queries, partial(query_row, options), job.refused)


def read_queries(path: Path) -> Iterator[tuple[str, dict]]:
    """(where, query) of any of the three forms.

    Raises:
        ValueError: the file has another form.
    """
    if is_json_lines(path):
        yield from read_lines(path)
        return
    table = load_json(path)
    if not (isinstance(table, dict) and isinstance(table.get("query"), dict)):
        yield from objects_of(table, path)
        return
    for key in table["query"]:
        where = f"{path}, query {key}"
        try:
            yield where, {name: table[name][key] for name in COLUMNS if name in table}
        except KeyError as problem:
            raise ValueError(
                f"{where} is missing in a column; give the file as it is published."
            ) from problem


def query_row(options: MarcoOptions, query: tuple[str, str, dict]) -> dict:
    """The row of (prefix of the key, where, query); its passage is its group.

    Raises:
        Refused: it has no answer or passage, or one that cannot be said.
        ValueError: it is no query of MS MARCO.
    """
    prefix, where, fields = query
    text = text_of(fields, "query", where)
    answer = best_answer(fields)
    context = [selected_passage(fields, where)] if options.context == "spoken" else []
    question = sentence(text, "?" if ASKING.match(text) else ".")
    said = [speakable(part) for part in (*context, question)]
    said = short_turn(said, "user", options.max_turn_seconds)
    answer = short(speakable(answer), "agent", options.max_turn_seconds)
    key = fields.get("query_id", where.split()[-1])
    turns = [*map(user, said), agent(sentence(answer, _mark(answer)))]
    origin = f"MS MARCO QA v2.1, query {key}"
    group = f"passage: {said[0]}" if context else None
    return make_row(options, f"{prefix}{key}", turns, LICENCE, origin, group)


def _mark(text: str) -> str:
    return text[-1] if text[-1] in ".?!" else "."


def best_answer(fields: dict) -> str:
    """The first well-formed answer, else the first answer.

    Raises:
        Refused: there is none.
    """
    for name in ("wellFormedAnswers", "answers"):
        answers = fields.get(name)
        # The published file has the text "[]" where there is no well-formed answer.
        for answer in answers if isinstance(answers, list) else []:
            if isinstance(answer, str) and answer.strip() not in ("", NO_ANSWER):
                return answer
    raise Refused("no answer")


def selected_passage(fields: dict, where: str) -> str:
    """Text of the first selected passage.

    Raises:
        Refused: none is selected.
        ValueError: the passages have no form of MS MARCO.
    """
    passages = fields.get("passages")
    try:
        if isinstance(passages, dict):
            pairs = zip(passages["is_selected"], passages["passage_text"], strict=True)
        else:
            pairs = [(p["is_selected"], p["passage_text"]) for p in passages]
        texts = [text for is_selected, text in pairs if is_selected]
    except (KeyError, TypeError, ValueError) as problem:
        raise ValueError(
            f"{where}: passages without is_selected and passage_text; give the file as "
            "it is published."
        ) from problem
    if not texts:
        raise Refused("no passage is selected")
    return str(texts[0])
