"""Table 1, the stored report and the page of a small corpus."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tiny_corpus import INTERRUPTED, PLAIN, record

from espnet2_duplex.metrics.data_report import page_distributions
from espnet2_duplex.metrics.data_report.counting import count_records
from espnet2_duplex.metrics.data_report.data_table import markdown_lines
from espnet2_duplex.metrics.data_report.distribution import Distribution
from espnet2_duplex.metrics.data_report.figures import (
    COLORS,
    Histogram,
    bar_grid,
    source_colors,
)
from espnet2_duplex.metrics.data_report.limits import OutlierLimits
from espnet2_duplex.metrics.data_report.page import render_page
from espnet2_duplex.metrics.data_report.paper_table import (
    PAPER_ROWS,
    SourceInfo,
    display_names,
    hours_text,
    paper_table,
)
from espnet2_duplex.metrics.data_report.report import DataReport, collect_set
from espnet2_duplex.metrics.data_report.statistics import CorpusCounts
from espnet2_duplex.metrics.data_report.stored_report import (
    report_from_dict,
    report_to_dict,
)
from espnet2_duplex.metrics.data_report.timings import Timing


def test_table_1_has_our_rows_and_the_papers():
    infos = {
        "topic": SourceInfo("Topic", "Conversation", "TTS", "Real"),
        "alpaca": SourceInfo("Alpaca", "Spoken QA", "TTS", "Augment"),
    }
    sources = {
        "topic": count_records([INTERRUPTED]),
        "alpaca": count_records([PLAIN]),
        "new": count_records([INTERRUPTED]),
    }
    table = paper_table(sources, infos)
    assert table.rows == (
        ("Spoken QA", "Alpaca", "0.00", "TTS", "✗", "✗"),  # single exchanges only
        ("Conversation", "Topic", "0.00", "TTS", "Real", "✓"),
        ("–", "new", "0.00", "–", "–", "✓"),
    )
    assert table.paper_rows == PAPER_ROWS
    lines = markdown_lines(table)
    assert lines[0] == "|Task|Dataset|#Hours|Speech|Multi-turn|Barge-in|"
    assert lines[-1] == "|*Conversation*|*Topic*|*0.3k*|*TTS*|*Augment*|*✓*|"


@pytest.mark.parametrize(
    "hours, text", [(0.254, "0.25"), (99.0, "99.00"), (200.0, "0.2k"), (3049, "3.0k")]
)
def test_hours_are_written_as_in_the_paper(hours, text):
    assert hours_text(hours) == text


def small_report():
    limits = OutlierLimits()
    sets = {
        "train": collect_set([INTERRUPTED, PLAIN], limits, 10),
        "valid": collect_set([record("c<3>", source="topic")], limits, 10),
    }
    infos = {"topic": SourceInfo("Topic")}
    return DataReport(sets, infos, (Timing("speech", 9.0),), limits, train_set="train")


def test_report_survives_json():
    report = small_report()
    stored = json.loads(json.dumps(report_to_dict(report)))
    assert report_from_dict(stored) == report
    assert stored["total"]["num_conversations"] == 3
    assert stored["seconds_per_hour"] == pytest.approx(9 * 3600 / 30)
    assert stored["sets"]["train"]["total"]["barge_in_share"] == 0.5


@pytest.mark.parametrize("found", [{"sets": {}}, {"sets": []}, {}, [], 3])
def test_foreign_json_is_refused(found):
    with pytest.raises(ValueError, match="it holds no report of data"):
        report_from_dict(found)


@pytest.mark.parametrize(
    "name, value", [("sets", []), ("sets", {"a": []}), ("source_info", []), ("sets", 1)]
)
def test_broken_part_of_a_report_is_refused(name, value):
    stored = {**report_to_dict(small_report()), name: value}
    with pytest.raises(ValueError, match="it holds no report of data"):
        report_from_dict(stored)


@pytest.fixture
def quick_pictures(monkeypatch):
    monkeypatch.setattr(page_distributions, "draw_histogram", lambda *_: "<svg/>")


@pytest.mark.usefixtures("quick_pictures")
def test_table_1_is_that_of_the_training_set():
    report = small_report()
    assert list(report.sources) == ["alpaca"]
    assert report.training.num_conversations == 2
    assert report.total.num_conversations == 3
    together = replace(report, train_set=None)
    assert list(together.sources) == ["alpaca", "topic"]
    page = render_page(report)
    assert "set train: 2 conversations, 0.01 hours" in page
    assert "all sets (train, valid): 3 conversations, 0.01 hours" in page


@pytest.mark.usefixtures("quick_pictures")
def test_sources_have_their_names_everywhere():
    infos = {"alpaca": SourceInfo("Stanford Alpaca")}
    page = render_page(replace(small_report(), infos=infos))
    assert page.count("Stanford Alpaca") == 4  # Table 1, two tables, key
    assert ">alpaca<" not in page


def test_sources_of_one_name_stay_apart():
    infos = {"a": SourceInfo("Alpaca"), "b": SourceInfo("Alpaca")}
    names = display_names(dict.fromkeys("abc", CorpusCounts()), infos)
    assert names == {"a": "Alpaca (a)", "b": "Alpaca (b)", "c": "c"}


@pytest.mark.usefixtures("quick_pictures")
def test_page_says_whether_audio_was_checked():
    assert "Audio: not checked" in render_page(small_report())
    checked = replace(PLAIN, audio_faults=())
    sets = {"train": collect_set([checked], OutlierLimits(), 10)}
    assert "Audio:" not in render_page(replace(small_report(), sets=sets))


def test_page_stands_alone_and_escapes_ids():
    page = render_page(small_report())
    assert "http" not in page and "<script" not in page
    assert "c&lt;3&gt;" in page and "c<3>" not in page
    assert page.count("data:image/svg+xml") == 12
    assert page == render_page(small_report())


def test_bars_are_centred_and_one_far_value_does_not_widen_them():
    values = Distribution.of([0.60, 0.64, 0.68] * 200 + [30.0])
    assert bar_grid(Histogram("seconds", {"a": values}, 0.64)) == (59, 69, 1)
    turns = Distribution.of([2, 4, 4, 8])
    assert bar_grid(Histogram("", {"a": turns}, unit=100)) == (1, 9, 100)


def luminance(color):
    """Of "#rrggbb", as WCAG defines it."""
    channels = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def test_ten_sources_have_colours_of_their_own_that_show_on_light_and_dark():
    colors = source_colors(dict.fromkeys("abcdefghij", CorpusCounts()))
    assert len(set(colors.values())) == 10
    dark = luminance("#1a2027")
    for color in COLORS:
        assert 1.05 / (luminance(color) + 0.05) > 2
        assert (luminance(color) + 0.05) / (dark + 0.05) > 2
