"""Tables 2 and 3 of the paper (Sec. 6.1 and 6.2), our rows beside its own.

Its figures stand here in the form of results.json, so that the same columns read both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from espnet2_duplex.metrics.page_parts import ABSENT, Heading, Row, Table
from espnet2_duplex.metrics.score_columns import (
    FALSE_ALARMS,
    FIRST_RESPONSE,
    GPT_SCORE,
    STOP,
    SUCCESS,
    UTMOS,
    Column,
)

Results = Mapping[str, Mapping]  # set -> content of its results.json
PAPER_MODEL, PAPER_MOSHI = "SALM-Duplex (paper)", "Moshi (paper)"
TABLE_2_COLUMNS = (SUCCESS, FALSE_ALARMS, STOP, FIRST_RESPONSE, UTMOS)


def _figures(
    success: float, stop: float, first_response: float | None, utmos: float
) -> dict:
    """A row of Table 2; all of its false alarms are 0 %."""
    return {
        "barge_in": {"success_rate": success, "latency_mean": stop},
        "false_alarm": {"rate": 0.0},
        "first_response": {"mean": first_response},
        "speech": {"utmos": utmos},
    }


# dataset -> model -> figures; Sec. 6.1: Moshi almost always responds before the user
# ends, so it has no first response.
TABLE_2: Mapping[str, Results] = {
    "UltraChat": {
        PAPER_MODEL: _figures(0.830, 0.52, 0.72, 4.3),
        PAPER_MOSHI: _figures(0.560, 0.63, None, 3.9),
    },
    "Impatient": {
        PAPER_MODEL: _figures(0.945, 0.69, 0.92, 4.0),
        PAPER_MOSHI: _figures(0.551, 0.81, None, 3.8),
    },
}
# model -> dataset -> GPT score, by gpt-4o-mini-2024-07-18
TABLE_3: Mapping[str, Mapping[str, float]] = {
    PAPER_MODEL: {
        "UltraChat": 3.5,
        "Roleplay": 4.6,
        "Topic": 6.1,
        "ASR-QA": 7.8,
        "Alpaca": 2.9,
    },
    PAPER_MOSHI: {
        "UltraChat": 3.4,
        "Roleplay": 1.7,
        "Topic": 2.8,
        "ASR-QA": 1.9,
        "Alpaca": 1.7,
    },
}
TABLE_3_DATASETS = ("UltraChat", "Roleplay", "Topic", "ASR-QA", "Alpaca")
# Our sets that are made as the paper's are.
COUNTERPARTS = {
    "test_multiturn": "UltraChat",
    "test_impatient": "Impatient",
    "test_qa": "ASR-QA",
}
TABLE_2_NOTE = (
    "Rows in italics are the paper's Table 2. Its conversations, voices and recordings "
    "are other ones, and its definitions leave open what results.json states under "
    "options; a set stands under the paper's dataset that is made like it. Our figures "
    "compare with each other, not with the paper's."
)
TABLE_3_NOTE = (
    "Rows in italics are the paper's Table 3, judged by gpt-4o-mini-2024-07-18 on "
    "transcripts by parakeet-tdt_ctc-110m. Scores by another judge, on other data or "
    "from another recogniser do not compare with them. Its row GT+LLM (better than its "
    "model on three datasets, worse on two) is not repeated here."
)


def paper_table_2(
    systems: Mapping[str, Results], counterparts: Mapping[str, str] = COUNTERPARTS
) -> Table:
    """Turn taking and speech quality: one row per dataset and system.

    Args:
        systems: name of a system -> its results, in the order of the rows.
        counterparts: set -> the paper's dataset that is made like it.
    """
    sets = _all_sets(systems)
    groups = [
        [_row_2(dataset, model, found, "paper") for model, found in models.items()]
        + [
            row
            for name in sets
            if counterparts.get(name) == dataset
            for row in _rows_2(name, systems)
        ]
        for dataset, models in TABLE_2.items()
    ]
    others = [name for name in sets if counterparts.get(name) not in TABLE_2]
    groups += [_rows_2(name, systems) for name in others]
    headings = (Heading("dataset"), Heading("model"))
    headings += tuple(column.header for column in TABLE_2_COLUMNS)
    rows = (row for group in groups for row in _marked(group))
    return Table(headings, tuple(rows), num_labels=2)


def paper_table_3(
    systems: Mapping[str, Results], counterparts: Mapping[str, str] = COUNTERPARTS
) -> Table:
    """GPT scores: one row per system, one column per dataset.

    A column of the paper holds the score of the set that is made like its dataset; sets
    without such a dataset have columns of their own.

    Args:
        systems: name of a system -> its results, in the order of the rows.
        counterparts: set -> the paper's dataset that is made like it.
    """
    sets = _all_sets(systems)
    places = {counterparts.get(name): name for name in reversed(sets)}
    columns = [(dataset, places.get(dataset)) for dataset in TABLE_3_DATASETS]
    placed = {name for _, name in columns}
    columns += [(name, name) for name in sets if name not in placed]
    paper_rows = [
        Row(
            (model, *(_paper_score(scores, dataset) for dataset, _ in columns)), "paper"
        )
        for model, scores in TABLE_3.items()
    ]
    rows = [
        Row((model, *(GPT_SCORE.cell(results.get(name, {})) for _, name in columns)))
        for model, results in systems.items()
    ]
    headings = (_heading_3(dataset, name) for dataset, name in columns)
    return Table(
        (Heading("GPT score", GPT_SCORE.meaning), *headings),
        (*paper_rows, *_marked(rows)),
    )


def wide_table(systems: Mapping[str, Results], columns: Sequence[Column]) -> Table:
    """Everything that was measured: one row per set and system.

    Args:
        systems: name of a system -> its results, in the order of the rows.
        columns: those in which nothing was measured are left out.
    """
    found = [
        (name, model, results[name])
        for name in _all_sets(systems)
        for model, results in systems.items()
        if name in results
    ]
    columns = [
        column
        for column in columns
        if any(column.value(results) is not None for _, _, results in found)
    ]
    rows = [
        Row((name, model, *(column.cell(results) for column in columns)))
        for name, model, results in found
    ]
    headings = (Heading("set"), Heading("model"))
    headings += tuple(column.header for column in columns)
    return Table(headings, tuple(rows), num_labels=2)


def _all_sets(systems: Mapping[str, Results]) -> list[str]:
    """Sets of all systems, each once, in the order in which they come."""
    return list(dict.fromkeys(name for results in systems.values() for name in results))


def _rows_2(name: str, systems: Mapping[str, Results]) -> list[Row]:
    return [
        _row_2(name, model, results[name])
        for model, results in systems.items()
        if name in results
    ]


def _row_2(dataset: str, model: str, results: Mapping, css_class: str = "") -> Row:
    cells = (column.cell(results) for column in TABLE_2_COLUMNS)
    return Row((dataset, model, *cells), css_class)


def _marked(group: Sequence[Row]) -> list[Row]:
    """The rows, with a line above the first."""
    return [
        replace(row, css_class=f"{row.css_class} group".strip()) if not index else row
        for index, row in enumerate(group)
    ]


def _paper_score(scores: Mapping[str, float], dataset: str) -> str:
    return f"{scores[dataset]:.1f}" if dataset in scores else ABSENT


def _heading_3(dataset: str, name: str | None) -> Heading:
    if name in (None, dataset):
        return Heading(dataset)
    return Heading(
        f"{dataset} ({name})", f"the paper's {dataset}; of our systems the set {name}"
    )
