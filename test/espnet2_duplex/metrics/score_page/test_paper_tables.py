"""Tables 2 and 3: the paper's figures and ours in the right places."""

import pytest

from espnet2_duplex.metrics.score_columns import COLUMNS, Column
from espnet2_duplex.metrics.score_page.paper_tables import (
    PAPER_MODEL,
    PAPER_MOSHI,
    paper_table_2,
    paper_table_3,
    wide_table,
)

OURS = {
    "test_impatient": {
        "num_conversations": 110,
        "barge_in": {"success_rate": 0.98765, "latency_mean": 0.8064},
        "false_alarm": {"rate": 0.0067},
        "first_response": {"mean": -0.125},
        "speech": {"utmos": None},
        "gpt_score": {"score": 6.25},
    },
    "test_qa": {"gpt_score": {"score": 7.04}},
    "mine": {"gpt_score": {"score": 1.0}},
}
SILENT = {"test_impatient": {"barge_in": {"success_rate": None}}}
SYSTEMS = {"duplex": OURS, "silent": SILENT}


def texts(table):
    return [row.cells for row in table.rows]


def test_table_2_has_our_rows_below_those_of_the_dataset_made_alike():
    rows = texts(paper_table_2(SYSTEMS))
    assert rows == [
        ("UltraChat", PAPER_MODEL, "83.0", "0.0", "0.52", "0.72", "4.3"),
        ("UltraChat", PAPER_MOSHI, "56.0", "0.0", "0.63", "–", "3.9"),
        ("Impatient", PAPER_MODEL, "94.5", "0.0", "0.69", "0.92", "4.0"),
        ("Impatient", PAPER_MOSHI, "55.1", "0.0", "0.81", "–", "3.8"),
        ("test_impatient", "duplex", "98.8", "0.7", "0.81", "-0.12", "–"),
        ("test_impatient", "silent", "–", "–", "–", "–", "–"),
        ("test_qa", "duplex", "–", "–", "–", "–", "–"),
        ("mine", "duplex", "–", "–", "–", "–", "–"),
    ]


def test_table_2_marks_the_paper_and_the_beginning_of_a_dataset():
    classes = [row.css_class for row in paper_table_2(SYSTEMS).rows]
    assert classes == [
        "paper group",
        "paper",
        "paper group",
        "paper",
        "",
        "",
        "group",
        "group",
    ]


def test_table_3_puts_our_scores_under_the_dataset_made_alike():
    table = paper_table_3(SYSTEMS)
    assert [heading.text for heading in table.headings] == [
        "GPT score",
        "UltraChat",
        "Roleplay",
        "Topic",
        "ASR-QA (test_qa)",
        "Alpaca",
        "test_impatient",
        "mine",
    ]
    assert texts(table) == [
        (PAPER_MODEL, "3.5", "4.6", "6.1", "7.8", "2.9", "–", "–"),
        (PAPER_MOSHI, "3.4", "1.7", "2.8", "1.9", "1.7", "–", "–"),
        ("duplex", "–", "–", "–", "7.0", "–", "6.2", "1.0"),
        ("silent", "–", "–", "–", "–", "–", "–", "–"),
    ]


def test_two_sets_of_one_dataset_both_have_a_column():
    systems = {
        "duplex": {name: {"gpt_score": {"score": n}} for n, name in enumerate("ab")}
    }
    table = paper_table_3(systems, {"a": "Topic", "b": "Topic"})
    assert [heading.text for heading in table.headings][3:] == [
        "Topic (a)",
        "ASR-QA",
        "Alpaca",
        "b",
    ]
    assert texts(table)[-1][3:] == ("0.0", "–", "–", "1.0")


def test_without_counterparts_every_set_stands_for_itself():
    rows = texts(paper_table_2({"duplex": OURS}, {}))
    assert [row[0] for row in rows[4:]] == ["test_impatient", "test_qa", "mine"]


def test_wide_table_leaves_out_columns_without_any_figure():
    columns = (
        Column("n", "number", ("num_conversations",)),
        Column("x", "never measured", ("x", "y", "z")),
        Column("stop ms", "in milliseconds", ("barge_in", "latency_mean"), 1000, 1),
    )
    table = wide_table(SYSTEMS, columns)
    assert [heading.text for heading in table.headings] == [
        "set",
        "model",
        "n",
        "stop ms",
    ]
    assert texts(table)[:2] == [
        ("test_impatient", "duplex", "110", "806.4"),
        ("test_impatient", "silent", "–", "–"),
    ]


@pytest.mark.parametrize("results", [{}, {"barge_in": None}, {"barge_in": 3}])
def test_a_column_without_its_keys_is_absent(results):
    column = Column("x", "", ("barge_in", "success_rate"), 100, 1)
    assert column.value(results) is None
    assert column.cell(results) == "–"


def test_every_column_of_the_page_says_what_it_means():
    assert all(column.meaning for column in COLUMNS)
    assert len({column.heading for column in COLUMNS}) == len(COLUMNS)
