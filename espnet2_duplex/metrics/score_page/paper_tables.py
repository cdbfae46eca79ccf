"""Tables 2 and 3 of the paper (Sec. 6.1 and 6.2), our rows beside its own.

Its figures stand here in the form of results.json, so that the same columns read both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from espnet2_duplex.metrics.page_parts import ABSENT, Heading, Row, Table
from espnet2_duplex.metrics.score_column import Column
from espnet2_duplex.metrics.score_columns import (
    FALSE_ALARMS,
    FIRST_RESPONSE,
    GPT_SCORE,
    NATURAL_END,
    STOP,
    SUCCESS,
    UTMOS,
    measured_columns,
)
from espnet2_duplex.metrics.score_definitions import differing_options
from espnet2_duplex.metrics.score_page.paper_figures import (
    TABLE_2,
    TABLE_3,
    TABLE_3_DATASETS,
    Results,
)

TABLE_2_COLUMNS = (SUCCESS, NATURAL_END, FALSE_ALARMS, STOP, FIRST_RESPONSE, UTMOS)
# Systems that the recipe decodes beside the model.
BASELINES = {
    "silent": "always silent",
    "gt_reference": "reference spoken",
    "gt_llm": "GT+LLM",
    "cascade": "VAD+ASR+LLM+TTS",
    "moshi": "Moshi",
}


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
    "compare with each other, not with the paper's. Its first response may count early "
    "starts, ours does not."
)
TABLE_3_NOTE = (
    "Rows in italics are the paper's Table 3, judged by gpt-4o-mini-2024-07-18 on "
    "transcripts by parakeet-tdt_ctc-110m. Scores by another judge, on other data or "
    "from another recogniser do not compare with them. Its row GT+LLM, an LLM that reads "
    "every user turn, is not repeated here (Sec. 6.2: better than its model on three "
    "datasets, worse on two); a row of that name is ours."
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
    headings += tuple(
        column.header(_first_results(systems)) for column in TABLE_2_COLUMNS
    )
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
        Row(
            (
                system_name(model),
                *(GPT_SCORE.cell(results.get(name, {})) for _, name in columns),
            )
        )
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
    columns = measured_columns(columns, [results for _, _, results in found])
    rows = [
        Row((name, system_name(model), *(column.cell(results) for column in columns)))
        for name, model, results in found
    ]
    headings = (Heading("set"), Heading("model"))
    headings += tuple(column.header(_first_results(systems)) for column in columns)
    return Table(headings, tuple(rows), num_labels=2)


def system_name(name: str) -> str:
    """As tables show it: of a baseline, what it is."""
    return BASELINES.get(name.removeprefix("baseline_"), name)


def differences_note(systems: Mapping[str, Results]) -> str:
    """What the table's systems were not scored alike in; "" for nothing.

    Args:
        systems: name of a system -> its results, the one to compare with first.
    """
    lines = []
    for text, where in differing_options(systems).items():
        names = (f"{system_name(system)} on {name}" for system, name in where)
        lines.append(f"{', '.join(names)}: {text}.")
    return " ".join(("Not scored alike:", *lines)) if lines else ""


def _first_results(systems: Mapping[str, Results]) -> Mapping:
    """Whose definitions the headings state."""
    return next((found for sets in systems.values() for found in sets.values()), {})


def _all_sets(systems: Mapping[str, Results]) -> list[str]:
    """Sets of all systems, each once, in the order in which they come."""
    return list(dict.fromkeys(name for results in systems.values() for name in results))


def _rows_2(name: str, systems: Mapping[str, Results]) -> list[Row]:
    return [
        _row_2(name, system_name(model), results[name])
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
