"""The page of a run: one well-formed file with everything in it, within its size."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from scored_conversations import (
    RATE,
    answer,
    barge_in,
    broken,
    conversation,
    response,
    turn,
    write_sound,
)

from espnet2_duplex.metrics.score_page.page import (
    PageOptions,
    ScoredSet,
    render_score_page,
)
from espnet2_duplex.metrics.score_page.pictures import (
    differing_utterances,
    draw_conversation,
    envelope,
)
from espnet2_duplex.metrics.score_page.sound import encode_stereo

NASTY = "<b>&\"'</b>"
VOID = {"meta", "br", "img", "input", "link", "hr"}


class Page(HTMLParser):
    """Tags that match, attributes and texts."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.texts = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def find(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def results(name):
    return {
        "set": name,
        "num_conversations": 4,
        "barge_in": {"success_rate": 0.5, "latency_mean": 0.64},
        "first_response": {"mean_not_early": 0.79},
        "options": {"turn_taking": {"min_answer_seconds": 1.04}},
    }


def conversations(prefix):
    late = barge_in(3.5, 6.0, in_time=False)
    return [
        conversation(f"{prefix}_fine", responses=[response(0.64)]),
        conversation(f"{prefix}_late", barge_ins=[late]),
        conversation(
            f"{prefix}_{NASTY}",
            barge_ins=[barge_in(3.5, 8.0, in_time=False, stopped=False)],
            user_turns=[turn("user", 0.5, 1.5, NASTY)],
            answers=[answer(NASTY, NASTY, gpt_score=3.0)],
        ),
        broken(f"{prefix}_broken", f"output.wav is {NASTY}"),
    ]


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    made, root = [], tmp_path_factory.mktemp("decoded")
    for name in ("test_impatient", "test_qa"):
        found = conversations(name)
        for fields in found:
            if not fields["problem"]:
                write_sound(root / name, {**fields, "id": folder_id(fields["id"])})
        found = [{**fields, "id": folder_id(fields["id"])} for fields in found]
        made.append(ScoredSet(root / name, results(name), found))
    return made


@pytest.fixture(scope="module")
def html(sets):
    silent = {"test_qa": {"first_response": {"mean_not_early": None}}}
    return render_score_page(f"run {NASTY}", sets, {"silent": silent})


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def folder_id(name):
    return name.replace("/", "|")


def order(page):
    return [
        attributes["id"]
        for tag, attributes in page.tags
        if tag in ("article", "tr") and "data-tags" in attributes
    ]


def test_page_is_well_formed_and_needs_nothing_from_elsewhere(html, page):
    assert page.open == []
    assert NASTY not in html
    assert not re.search(r'(src|href)="(?!data:)', html)
    assert "http:" not in html.replace("http://www.w3.org", "")
    assert "https:" not in html


def test_every_conversation_is_on_the_page_once_and_its_text_is_kept(sets, page):
    assert len(set(order(page))) == len(order(page)) == 6
    shown = "".join(page.texts)
    for each in sets:
        for fields in each.conversations:
            assert fields["id"] in shown
    assert f"output.wav is {NASTY}" in shown
    assert NASTY in shown


def test_worst_conversations_come_first_over_all_sets(page):
    kinds = [name.split("/")[1].removeprefix("test_impatient_") for name in order(page)]
    kinds = [kind.removeprefix("test_qa_") for kind in kinds]
    assert kinds[:2] == [folder_id(NASTY)] * 2
    assert kinds[2:] == ["late", "late", "fine", "fine"]


def test_max_examples_counts_by_set_and_the_others_are_rows(sets):
    page = Page(render_score_page("run", sets, options=PageOptions(max_examples=1)))
    articles = [attributes["data-set"] for attributes in page.find("article")]
    assert sorted(articles) == ["test_impatient", "test_qa"]
    assert all("not stopped" in each["data-tags"] for each in page.find("article"))
    assert len(page.find("audio")) == 2
    assert len(order(page)) == 6


def test_page_stays_below_its_size_and_says_what_is_left_out(sets, html):
    whole = len(html.encode())
    without = render_score_page("run", sets, options=PageOptions(max_examples=0))
    limit = len(without.encode()) + (whole - len(without.encode())) // 2
    page = render_score_page("run", sets, options=PageOptions(max_bytes=limit))
    assert len(page.encode()) <= limit
    assert 0 < len(Page(page).find("article")) < 6
    assert len(order(Page(page))) == 6
    shell = len(without.encode()) - 900  # not even all rows
    tight = render_score_page("run", sets, options=PageOptions(max_bytes=shell))
    assert "found no room on this page" in tight
    assert len(tight.encode()) <= shell
    assert Page(tight).find("article") == []


def test_a_size_below_that_of_the_tables_is_an_error(sets):
    with pytest.raises(ValueError, match="at most 1000 bytes.*allow more"):
        render_score_page("run", sets, options=PageOptions(max_bytes=1000))


def test_no_set_is_an_error():
    with pytest.raises(ValueError, match="score at least one"):
        render_score_page("run", [])


def test_missing_sound_is_an_error_that_names_the_file(sets):
    moved = [replace(sets[0], folder=sets[0].folder / "elsewhere")]
    with pytest.raises(ValueError, match="elsewhere.*input.wav does not exist"):
        render_score_page("run", moved)


def test_same_scores_same_bytes(sets):
    one = [replace(sets[0], conversations=sets[0].conversations[:1])]
    assert render_score_page("run", one) == render_score_page("run", one)


def test_tables_have_ours_the_baseline_and_the_paper(page):
    shown = page.texts
    for text in (
        f"run {NASTY}",
        "always silent",
        "SALM-Duplex (paper)",
        "94.5",
        "50.0",
        "0.79",
    ):
        assert text in shown


def test_a_table_without_any_figure_is_not_there(html):
    assert "All scores: turn taking" in html
    assert "All scores: answers and speech" not in html


def test_systems_that_were_scored_differently_are_named_below_the_tables(sets):
    other = {"options": {"turn_taking": {"min_answer_seconds": 2.0}}}
    html = render_score_page("run", sets, {"gt_llm": {"test_qa": other}})
    note = "GT+LLM on test_qa: turn_taking.min_answer_seconds is 2.0, not 1.04."
    assert html.count(note) == 3
    assert "Not scored alike" not in render_score_page("run", sets)


def test_filters_offer_what_occurs(page):
    values = [attributes["value"] for attributes in page.find("option")]
    assert values == [
        "",
        "test_impatient",
        "test_qa",
        "",
        "not stopped",
        "late stop",
        "wrong text",
        "no fault",
    ]


def test_pictures_and_players_have_names(page):
    for attributes in page.find("svg"):
        named = "aria-label" in attributes or "aria-hidden" in attributes
        assert named or attributes["class"] == "clip"
    assert all("agent left" in each["aria-label"] for each in page.find("audio"))


def test_sound_has_the_agent_on_the_left_and_the_user_on_the_right(page):
    source = page.find("audio")[-1]["src"].removeprefix("data:audio/mpeg;base64,")
    sound, rate = soundfile.read(io.BytesIO(base64.b64decode(source)))
    assert (rate, sound.shape) == (RATE, (8 * RATE, 2))
    levels = np.abs(sound).max(axis=1, where=[True, False], initial=0)
    assert levels[round(2.5 * RATE) : round(3.0 * RATE)].max() > 0.05  # agent
    assert levels[round(0.7 * RATE) : round(1.3 * RATE)].max() < 0.01  # user


def test_sound_is_small():
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (10 * RATE, 2))
    assert len(encode_stereo(noise, RATE)) <= 10 * 40_000 / 8 * 1.05


def test_picture_marks_what_happened_where_it_happened():
    fields = conversation(
        "x",
        barge_ins=[barge_in(3.5, 4.14)],
        false_alarms=[{"user_turn": 0, "start": 1.0}],
        responses=[response(0.72, start=2.22), response(-0.3, 1, start=4.2)],
        unanswered=[1],
        events=[{"kind": "backchannel", "start": 2.5, "end": 2.8, "text": "uh-huh"}],
        reactions=[{"kind": "backchannel", "start": 2.5, "end": 2.8, "stopped": True}],
    )
    svg = draw_conversation(fields, np.ones(800), np.zeros(800))
    shown = "".join(Page(svg).texts)
    for text in (
        "barge-in at 3.50 s: 0.64 s",
        "false alarm at 1.00 s",
        "response to user turn 1: 0.72 s",
        "early, -0.30 s",
        "no answer at 4.50 s",
        "stopped at 2.50 s",
        "(uh-huh)",
        "What is the capital of Peru?",
    ):
        assert text in shown
    root, *_ = Page(svg).find("svg")
    left, scale = float(root["data-left"]), float(root["data-scale"])
    assert scale * 8.0 == 760
    onset = f'class="onset" d="M{round(left + 3.5 * scale, 1)} '
    assert onset in svg


def test_an_early_start_that_is_a_false_alarm_is_marked_once():
    fields = conversation(
        "x",
        false_alarms=[{"user_turn": 0, "start": 1.2}],
        responses=[response(-0.3, start=1.2)],
    )
    svg = draw_conversation(fields, np.zeros(80), np.zeros(80))
    assert "false alarm at" in svg and "response to" not in svg


def test_long_texts_are_clipped_and_whole_in_the_tooltip():
    text = "word " * 100 + "end"
    fields = conversation("x", user_turns=[turn("user", 0.5, 1.5, text)])
    svg = draw_conversation(fields, np.zeros(80), np.zeros(80))
    assert f"<title>{text}</title>" in svg
    assert "…</tspan>" in svg


def test_silence_and_no_sound_draw_no_wave():
    for speech in (np.zeros(8000), np.zeros(0)):
        svg = draw_conversation(conversation("x"), speech, speech)
        assert svg.count('d="" transform') == 2


def test_envelope_holds_lowest_and_highest_sample_of_each_stretch():
    speech = np.array([0.1, -0.2, 0.5, 0.3, -0.9, 0.0])
    assert envelope(speech, 3).tolist() == [[-0.2, 0.3, -0.9], [0.1, 0.5, 0.0]]
    assert envelope(speech[:2], 600).tolist() == [[0.1, -0.2], [0.1, -0.2]]


def test_transcripts_are_shown_only_where_they_differ_from_what_was_written():
    same, other = answer("It is Lima.", "it is Lima"), answer("Four.", "Five.")
    fields = conversation("x", answers=[same, {**other, "user_turn": 1}])
    five = {"start": 5.22, "end": 6.14, "text": "Five.", "words": []}
    fields["utterances"][1] = five
    assert differing_utterances(fields) == [five]
    assert differing_utterances({**fields, "answers": [same]}) == []
    assert differing_utterances({**fields, "written_turns": []}) == []


def test_segments_of_one_answer_are_compared_together():
    """Also where the user begins between what is written and what is said."""
    fields = conversation("x", answers=[answer("It is Lima.", "It is Lima.")])
    fields["user_turns"][1]["start"] = 2.5
    fields["utterances"][:1] = [
        {"start": 2.2, "end": 2.8, "text": "It is", "words": []},
        {"start": 3.0, "end": 3.4, "text": "Lima.", "words": []},
    ]
    assert differing_utterances(fields) == []
