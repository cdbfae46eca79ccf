"""MS MARCO QA v2.1 (Sec. 4.1): the user reads a passage and asks, the agent answers.

Three forms of the file, told apart by themselves: columns as first published
({"query": {"0": ...}, "passages": {"0": [...]}, ...}), one query a line, and the rows
of the Hugging Face hub, in which the passages are lists by name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sources.published import is_json_lines, load_json, read_objects, text_of
from sources.rows import Job, Options, Refused, agent, kept, make_row, user
from sources.speakable import MAX_TURN_SECONDS, short, speakable
from text_sources import QUESTION_START, sentence

NO_ANSWER = "No Answer Present."
LICENCE = "MS MARCO terms (research, not commercial)"
COLUMNS = ("query", "query_id", "answers", "passages", "wellFormedAnswers")


@dataclass(frozen=True, kw_only=True)
class MarcoOptions(Options):
    """Options of `marco`.

    Attributes:
        path: of the JSON or JSON lines, perhaps gzipped.
        context: "spoken" has the user read the selected passage before the question,
            "none" only asks.
        max_turn_seconds: queries with a longer passage, query or answer are left out,
            as the answer may be in what a cut would remove.
    """

    name: str = "msmarco"
    path: str
    context: str = "spoken"
    max_turn_seconds: float = MAX_TURN_SECONDS

    def __post_init__(self) -> None:
        if self.context not in ("spoken", "none"):
            raise ValueError(f'context is {self.context!r}; write "spoken" or "none".')


def marco(options: MarcoOptions, job: Job) -> Iterator[dict]:
    """One row a query that has an answer and, if it is spoken, a selected passage."""
    queries = read_queries(job.find(options.path))
    return kept(queries, partial(query_row, options), job.refused)


def read_queries(path: Path) -> Iterator[tuple[str, dict]]:
    """(where, query) of any of the three forms.

    Raises:
        ValueError: the file has another form.
    """
    if is_json_lines(path):
        yield from read_objects(path)
        return
    table = load_json(path)
    if not (isinstance(table, dict) and isinstance(table.get("query"), dict)):
        yield from read_objects(path)
        return
    for key in table["query"]:
        where = f"{path}, query {key}"
        try:
            yield where, {name: table[name][key] for name in COLUMNS if name in table}
        except KeyError as problem:
            raise ValueError(
                f"{where} is missing in a column; give the file as it is published."
            ) from problem


def query_row(options: MarcoOptions, query: tuple[str, dict]) -> dict:
    """The row of one query.

    Raises:
        Refused: it has no answer or passage, or one that cannot be said.
        ValueError: it is no query of MS MARCO.
    """
    where, fields = query
    text = text_of(fields, "query", where)
    answer = best_answer(fields)
    said = [selected_passage(fields, where)] if options.context == "spoken" else []
    question = sentence(text, "?" if QUESTION_START.match(text) else ".")
    said = [
        short(speakable(part), "user", options.max_turn_seconds)
        for part in (*said, question)
    ]
    answer = short(speakable(answer), "agent", options.max_turn_seconds)
    key = fields.get("query_id", where.split()[-1])
    turns = [*map(user, said), agent(sentence(answer, _mark(answer)))]
    return make_row(options, key, turns, LICENCE, f"MS MARCO QA v2.1, query {key}")


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
