"""Pooling, intervals, the table and the page of codec scores, worked out by hand."""

import json

import numpy as np
import pytest

from espnet2_duplex.metrics.bootstrap import paired_bootstrap
from espnet2_duplex.metrics.codec_report.page import (
    Clip,
    Example,
    render_page,
    spectrogram,
)
from espnet2_duplex.metrics.codec_report.results import (
    CodecShape,
    SystemScores,
    system_results,
)
from espnet2_duplex.metrics.codec_report.table import make_table, markdown_lines
from espnet2_duplex.metrics.speech.character_errors import (
    CharacterErrorCounts,
    count_character_errors,
)

SHAPE = CodecShape(22050, 12.5, 4, 4032, (1008, 2016, 1008, 4032), (6.0,) * 4, 100)
TEXTS = ("ab cd", "efghi")
ORIGINALS = SystemScores(
    "original",
    [
        {"transcript": "ab cd", "dnsmos_p808": 4.0},
        {"transcript": "efghx", "dnsmos_p808": 3.0},
    ],
)
CODEC = SystemScores(
    "tiny",
    [
        {"transcript": "ab d", "dnsmos_p808": 3.5},
        {"transcript": "efghxy", "dnsmos_p808": None},
    ],
    SHAPE,
)


def results_of(system):
    return system_results(system, ORIGINALS, TEXTS, str)


@pytest.mark.parametrize(
    "reference, hypothesis, errors, characters",
    [
        ("abc", "abc", 0, 3),
        ("abc", "axc", 1, 3),
        ("ab cd", "abcd", 1, 5),  # a blank counts
        ("abc", "", 3, 3),
        ("", "ab", 2, 0),
    ],
)
def test_character_errors_are_edits(reference, hypothesis, errors, characters):
    found = count_character_errors(reference, hypothesis)
    assert found == CharacterErrorCounts(errors, characters)


def test_pooled_rate_weighs_characters_not_sentences():
    counts = [CharacterErrorCounts(1, 2), CharacterErrorCounts(0, 98)]
    assert sum(counts, start=CharacterErrorCounts()).rate == 0.01
    assert CharacterErrorCounts().rate is None


def test_codec_is_compared_with_text_and_with_what_is_heard_in_the_recording():
    results = results_of(CODEC)
    assert results["cer"] == {"num_errors": 3, "num_characters": 10, "rate": 0.3}
    assert results["cer_to_original"]["num_errors"] == 2
    assert results["cer_difference"]["value"] == 0.2
    original = results_of(ORIGINALS)
    assert original["cer"]["rate"] == 0.1
    assert not any("difference" in key for key in original)


def test_undefined_scores_are_left_out_of_means_and_pairs():
    results = results_of(CODEC)
    assert results["dnsmos_p808"] == {"num": 1, "sum": 3.5, "mean": 3.5}
    assert results["dnsmos_p808_difference"]["value"] == -0.5
    json.dumps(results, allow_nan=False)


def test_scores_that_nobody_measured_are_absent():
    results = results_of(SystemScores("bare", [{}, {}], SHAPE))
    assert set(results) == {"codec"}


def test_bitrate_and_use_of_the_codebooks():
    codec = results_of(CODEC)["codec"]
    assert codec["bitrate_kbps"] == pytest.approx(0.5989, abs=1e-4)  # the paper's 0.6
    assert codec["utilisation"] == 0.5
    assert codec["entropy_share"] == pytest.approx(6 / np.log2(4032), abs=1e-6)


def test_constant_difference_has_no_width():
    found = paired_bootstrap([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_interval_is_that_of_the_mean():
    first = np.random.default_rng(0).standard_normal(400)
    found = paired_bootstrap(first, np.zeros(400))
    half_width = 1.96 * first.std() / np.sqrt(400)
    assert found.value == pytest.approx(first.mean())
    assert found.high - found.value == pytest.approx(half_width, rel=0.05)
    assert found.value - found.low == pytest.approx(half_width, rel=0.05)
    assert found == paired_bootstrap(first, np.zeros(400))


def test_weights_pool_rates():
    assert paired_bootstrap([1, 0], [0, 0], [2, 98]).value == 0.01
    assert paired_bootstrap([], [], []) is None
    assert paired_bootstrap([1], [0], [0]) is None


def test_table_has_our_rows_then_the_papers():
    table = make_table({s.name: results_of(s) for s in (ORIGINALS, CODEC)})
    headings = [column.heading for column in table.columns]
    rows = {name: dict(zip(headings, cells)) for name, cells in table.rows}
    assert rows["tiny"]["CER %"].startswith("30.00 (Δ +20.00 [")
    assert rows["tiny"]["P.808"] == "3.50 (Δ -0.50 [-0.50, -0.50])"
    assert rows["tiny"]["kbps"] == "0.60"
    assert rows["tiny"]["Codes used %"] == "50"
    assert rows["tiny"]["Entropy, bits"] == "24.0"
    assert rows["tiny"]["of maximum %"] == "50"
    assert rows["original"]["CER %"] == "10.00"
    assert rows["original"]["kbps"] == "–"
    assert "PESQ" not in headings  # nobody measured it
    lines = markdown_lines(table)
    assert len({line.count("|") for line in lines}) == 1
    assert lines[-1].startswith("|*paper: + personalised*|0.60|4.75|")
    assert "|1.36|" in lines[-1] and "|0.94|" in lines[-1]


def page_of(examples, max_bytes=10**6):
    systems = {s.name: results_of(s) for s in (ORIGINALS, CODEC)}
    results = {"set": "a<b", "num_sentences": 2, "seconds": 3.0, "systems": systems}
    values = {"dnsmos_p808": {"original": [4.0, 3.0], "tiny": [3.5]}}
    return render_page(results, values, examples, max_bytes)


def example(text):
    clip = Clip("tiny", "heard: <i>", np.zeros(1600, dtype=np.float32), 16000)
    return Example("worst", "id1", text, [clip])


def test_page_escapes_texts_and_needs_no_other_file():
    page = page_of([example("if a < b & c")])
    assert "a&lt;b" in page and "if a &lt; b &amp; c" in page
    assert "heard: &lt;i&gt;" in page and "heard: <i>" not in page
    assert page.count("data:audio/flac") == page.count("data:image/jpeg") == 1
    assert "http" not in page


def test_page_shows_a_difference_below_its_value_and_the_paper_below_ours():
    page = page_of([])
    cell = "<td>3.50<small>Δ -0.50<br>[-0.50, -0.50]</small></td>"
    assert cell in page
    assert page.count('<tr class="paper group">') == 1
    assert page.index("tiny") < page.index("paper: Mimi")


def test_page_leaves_out_examples_that_make_it_heavy():
    one = example("text")
    size = len(page_of([one])) - len(page_of([]))
    page = page_of([one, one, one], max_bytes=size * 3 // 2)
    assert page.count("<article>") == 1


def test_spectrogram_shows_a_tone_at_its_height():
    times = np.arange(8000) / 16000
    levels = spectrogram(0.5 * np.sin(2 * np.pi * 2000 * times), 16000)
    assert levels.shape == (110, 55)
    # 2 of 8 kHz: a quarter of the height from below.
    assert abs(levels[:, 27].argmax() / 110 - 0.75) < 0.02
    assert levels.min() == 0.0 and levels.max() == 1.0
