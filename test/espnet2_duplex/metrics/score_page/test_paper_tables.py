"""Tables 2 and 3: the paper's figures and ours in the right places."""

import pytest

from espnet2_duplex.metrics.conversation_scores import SetCounts
from espnet2_duplex.metrics.results import to_results
from espnet2_duplex.metrics.score_column import Column
from espnet2_duplex.metrics.score_columns import COLUMNS, measured_columns
from espnet2_duplex.metrics.score_page.paper_figures import PAPER_MODEL, PAPER_MOSHI
from espnet2_duplex.metrics.score_page.paper_tables import (
    differences_note,
    paper_table_2,
    paper_table_3,
    wide_table,
)

OURS = {
    "test_impatient": {
        "num_conversations": 110,
        "barge_in": {
            "success_rate": 0.98765,
            "latency_mean": 0.8064,
            "natural_end_rate": 0.47,
        },
        "false_alarm": {"rate": 0.0067},
        "first_response": {"mean": -0.125, "mean_not_early": 0.7349},
        "speech": {"utmos": None},
        "gpt_score": {"score": 6.25},
    },
    "test_qa": {"gpt_score": {"score": 7.04}},
    "mine": {"gpt_score": {"score": 1.0}},
}
BASELINE = {"test_impatient": {"barge_in": {"success_rate": None}}}
SYSTEMS = {"duplex": OURS, "other": BASELINE}


def texts(table):
    return [row.cells for row in table.rows]


def test_table_2_has_our_rows_below_those_of_the_dataset_made_alike():
    rows = texts(paper_table_2(SYSTEMS))
    assert rows == [
        ("UltraChat", PAPER_MODEL, "83.0", "–", "0.0", "0.52", "0.72", "4.3"),
        ("UltraChat", PAPER_MOSHI, "56.0", "–", "0.0", "0.63", "–", "3.9"),
        ("Impatient", PAPER_MODEL, "94.5", "–", "0.0", "0.69", "0.92", "4.0"),
        ("Impatient", PAPER_MOSHI, "55.1", "–", "0.0", "0.81", "–", "3.8"),
        ("test_impatient", "duplex", "98.8", "47.0", "0.7", "0.81", "0.73", "–"),
        ("test_impatient", "other", "–", "–", "–", "–", "–", "–"),
        ("test_qa", "duplex", "–", "–", "–", "–", "–", "–"),
        ("mine", "duplex", "–", "–", "–", "–", "–", "–"),
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
        ("other", "–", "–", "–", "–", "–", "–", "–"),
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
        ("test_impatient", "other", "–", "–"),
    ]


@pytest.mark.parametrize("results", [{}, {"barge_in": None}, {"barge_in": 3}])
def test_a_column_without_its_keys_is_absent(results):
    column = Column("x", "", ("barge_in", "success_rate"), 100, 1)
    assert column.value(results) is None
    assert column.cell(results) == "–"


def test_every_column_of_the_page_says_what_it_means():
    assert all(column.meaning for column in COLUMNS)
    assert len({column.heading for column in COLUMNS}) == len(COLUMNS)


def test_columns_stand_where_results_json_has_its_figures():
    results = to_results("a", SetCounts(), {"gpt": None}, {}, None)
    for column in COLUMNS:
        place = results
        for key in column.keys:
            assert key in place, column.keys
            place = place[key]


def test_a_count_of_nothing_left_out_is_no_column():
    left_out = next(column for column in COLUMNS if column.heading == "left out")
    none, one = {"num_problems": 0}, {"num_problems": 1}
    assert measured_columns([left_out], [none, {}]) == []
    assert measured_columns([left_out], [none, one]) == [left_out]
    assert left_out.cell(none) == "0"


def test_headings_state_the_definitions_that_the_set_was_scored_with():
    options = {
        "turn_taking": {"success_seconds": 1.0, "tolerance_seconds": 0.25},
        "activity": {"merge_gap_seconds": 0.3},
    }
    scored = {"a": {"speech": {"utmos": 3.0}, "options": options}}
    headings = paper_table_2({"duplex": scored}).headings
    meanings = {heading.text: heading.meaning for heading in headings}
    assert "within 1 s of" in meanings["stopped in time %"]
    assert "within 0.25 s" in meanings["false alarms %"]
    assert "less than 0.3 s stay" in meanings["UTMOS"]
    assert all("{" not in column.header(scored["a"]).meaning for column in COLUMNS)


def test_baselines_have_the_names_of_what_they_are():
    systems = {
        "duplex": {"a": {}},
        **{name: {"a": {}} for name in ("silent", "gt_llm", "baseline_cascade")},
    }
    for table in (paper_table_2(systems), paper_table_3(systems)):
        cells = [cell for row in table.rows for cell in row.cells]
        assert {"always silent", "GT+LLM", "VAD+ASR+LLM+TTS"} < set(cells)
        assert "gt_llm" not in cells


def options(limit=1.5, model="downloads/whisper-base", speed=16.0):
    return {
        "options": {
            "turn_taking": {"success_seconds": limit},
            "quality": {"characters_per_second": speed},
            "asr": {"model": model},
        }
    }


def test_other_definitions_are_named_with_the_systems_that_have_them():
    systems = {
        "duplex": {"a": options(), "b": options()},
        "gt_llm": {"a": options(limit=1.0), "b": options(limit=1.0)},
        "silent": {"a": options(model="/elsewhere/whisper-base")},
    }
    assert differences_note(systems) == (
        "Not scored alike: GT+LLM on a, GT+LLM on b: turn_taking.success_seconds is "
        "1.0, not 1.5."
    )


def test_another_recogniser_is_a_difference_and_another_folder_is_none():
    systems = {
        "duplex": {"a": options()},
        "other": {"a": options(model="downloads/whisper-tiny")},
    }
    assert "asr.model is downloads/whisper-tiny" in differences_note(systems)
    none = {"options": {**options()["options"], "asr": None}}
    assert "asr is none, not given" in differences_note({**systems, "x": {"a": none}})


def test_the_speed_of_the_data_may_differ_between_sets_but_not_in_one():
    one, other = options(), options(speed=14.0)
    assert differences_note({"duplex": {"a": one, "b": other}}) == ""
    note = differences_note({"duplex": {"a": one}, "gt_llm": {"a": other}})
    assert "quality.characters_per_second is 14.0, not 16.0" in note


def test_another_voice_is_named_by_the_beginning_of_its_digest():
    one, other = (
        {"a": {"options": {"speech": {"voice": digit * 64}}}} for digit in "12"
    )
    note = differences_note({"duplex": one, "other": other})
    assert note.endswith("other on a: speech.voice is 22222222, not 11111111.")


def test_systems_scored_alike_need_no_note():
    assert differences_note({"duplex": {"a": options()}, "other": {}}) == ""
