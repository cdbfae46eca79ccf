"""What the agent says and writes against the reference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.conversation import Turn
from espnet2_duplex.metrics.answers import (
    Answer,
    QualityOptions,
    could_be_said,
    is_cut,
    pair_answers,
    speaking_rate,
)
from espnet2_duplex.metrics.asr.transcription import Utterance
from espnet2_duplex.metrics.response_quality import (
    QualityCounts,
    count_quality,
    english_normalizer,
)

OPTIONS = QualityOptions(characters_per_second=10.0)


def user(start, end):
    return Turn("user", start, end, "?")


def agent(start, end, text):
    return Turn("agent", start, end, text)


def answer(reference, written="", spoken="", whole=None, cut=False, interrupted=False):
    whole = reference if whole is None else whole
    return Answer(whole, reference, written, spoken, cut, interrupted or cut)


def count(*answers):
    return count_quality(answers, str.lower, has_speech=True)


def test_turns_and_speech_belong_to_the_last_user_turn_that_had_begun():
    answers = pair_answers(
        user_turns=[user(1.0, 2.0), user(6.0, 7.0)],
        reference_turns=[agent(2.64, 4.0, "one"), agent(7.64, 9.0, "two")],
        written_turns=[agent(0.2, 0.6, "hello"), agent(7.0, 9.0, "three")],
        utterances=[
            Utterance(2.7, 3.0, "a"),
            Utterance(3.6, 6.2, "b"),  # begins before the second user turn
            Utterance(6.5, 7.0, "c"),  # begins during it
        ],
        options=OPTIONS,
    )
    texts = [(a.reference, a.written, a.spoken) for a in answers]
    assert texts == [("", "hello", ""), ("one", "", "a b"), ("two", "three", "c")]


def spoken_texts(user_turns, written_turns, *utterances):
    answers = pair_answers(user_turns, [], written_turns, utterances, OPTIONS)
    return [(a.written, a.spoken) for a in answers]


def test_speech_stands_beside_its_text_though_the_user_began_between_the_two():
    users = [user(0.0, 1.0), user(3.0, 4.0)]
    late = Utterance(3.1, 4.0, "late")
    # The text was begun at 2.9 s, the user at 3.0 s, the speech at 3.1 s.
    texts = spoken_texts(users, [agent(2.9, 4.0, "late")], late)
    assert texts == [("", ""), ("late", "late"), ("", "")]
    # Without text there is only the speech to go by.
    assert spoken_texts(users, [], late) == [("", ""), ("", ""), ("", "late")]
    # And the other way round: speech that seems to begin before its text.
    texts = spoken_texts(users, [agent(3.1, 4.0, "b")], Utterance(2.9, 4.0, "b"))
    assert texts == [("", ""), ("", ""), ("b", "b")]


def test_speech_over_several_texts_belongs_to_the_longest_overlap_then_the_first():
    users = [user(0.0, 1.0), user(3.0, 4.0)]
    written = [agent(2.0, 3.5, "one"), agent(3.5, 5.0, "two")]
    texts = spoken_texts(users, written, Utterance(2.2, 4.9, "more of two"))
    assert texts[1:] == [("one", ""), ("two", "more of two")]
    texts = spoken_texts(users, written, Utterance(2.5, 4.5, "both alike"))
    assert texts[1:] == [("one", "both alike"), ("two", "")]
    # Touching is no overlap: it begins after the second onset.
    texts = spoken_texts(users, written[:1], Utterance(3.5, 4.5, "after"))
    assert texts[1:] == [("one", ""), ("", "after")]


def test_answer_is_interrupted_where_only_its_speech_meets_the_user():
    users = [user(0.0, 1.0), user(3.0, 4.0)]
    written = [agent(1.6, 2.9, "all of it")]  # the text was faster
    speech = Utterance(1.7, 3.6, "all of")
    _, answer, _ = pair_answers(users, [], written, [speech], OPTIONS)
    assert answer.is_interrupted and not answer.is_cut
    # Then the words that had no time to be said are no errors.
    assert count(answer).speech_words.rate is None
    ended = Utterance(1.7, 3.0, "all of")  # at the onset: before the user
    _, answer, _ = pair_answers(users, [], written, [ended], OPTIONS)
    assert not answer.is_interrupted
    assert count(answer).speech_words.rate == 1 / 3


def test_cut_reference_keeps_the_words_whose_middle_was_reached():
    # 1.2 s at 10 characters a second are 12; the words' middles are at 1.5, 6, 10, 14.5.
    turn = agent(2.0, 3.2, "one three two three")
    assert could_be_said(turn, [user(2.56, 4.0)], OPTIONS) == "one three two"


def test_turn_that_ends_by_itself_soon_after_the_onset_is_not_cut():
    turn = agent(2.0, 3.2, "one three two three")
    users = [user(2.8, 4.0)]
    assert not is_cut(turn, users, OPTIONS)
    assert could_be_said(turn, users, OPTIONS) == turn.text
    _, _, pair = pair_answers([user(0.5, 1), *users], [turn], [], [], OPTIONS)
    assert not pair.is_interrupted  # the answer belongs to the turn before
    _, pair, _ = pair_answers([user(0.5, 1), *users], [turn], [], [], OPTIONS)
    assert pair.is_interrupted and not pair.is_cut


def test_speaking_rate_leaves_out_turns_that_are_interrupted():
    conversations = [
        ([user(0.0, 1.0)], [agent(1.64, 2.64, "ten  chars")]),
        ([user(0.0, 1.0), user(2.0, 3.0)], [agent(1.64, 2.64, "a" * 50)]),
        ([], [agent(1.0, 2.0, "20 chars 20 chars 20")]),
    ]
    assert speaking_rate(conversations) == 15.0
    assert speaking_rate(conversations[1:2]) is None


def test_perfect_speech_has_bleu_100_and_no_word_errors():
    text = "The capital of Peru is Lima"
    counts = count(answer(text, text, text))
    assert counts.bleu.bleu == pytest.approx(100.0)
    assert counts.speech_words.rate == 0.0
    assert counts.text.rate == 1.0


def test_unanswered_turn_shortens_the_hypothesis():
    text = "The capital of Peru is Lima"
    counts = count(answer(text, text, text), answer(text, "", ""))
    # All n-grams match; brevity penalty exp(1 - 12 / 6).
    assert counts.bleu.bleu == pytest.approx(100 * 2.718281828**-1)
    assert (counts.text.num_turns, counts.text.num_exact) == (2, 1)


def test_word_errors_are_those_of_speech_against_own_text():
    counts = count(answer("x", "a b c d", "a c e d f"), answer("x", "", "g h"))
    # b is lost, e and f are new; g and h were said without being written.
    assert counts.speech_words.num_errors == 5
    assert counts.speech_words.rate == 5 / 4


def test_interrupted_answers_are_left_out_of_the_word_errors():
    counts = count(answer("a b", "a b c d", "a b", interrupted=True))
    assert counts.speech_words.rate is None


@pytest.mark.parametrize(
    "written, is_prefix",
    [
        ("a b", True),
        ("a b c d", True),
        ("a b c d e", True),
        ("a c", False),
        ("", False),
    ],
)
def test_cut_answer_is_right_while_it_goes_along_with_the_reference(written, is_prefix):
    counts = count(answer("a b", written, whole="a b c d", cut=True))
    assert counts.text.num_turns == 0
    assert (counts.text.num_cut, counts.text.num_prefix) == (1, is_prefix)


def test_system_that_wrote_nothing_in_the_whole_set_has_no_rate_of_its_text():
    silent = answer("a b", spoken="a b"), answer("a", whole="a b", cut=True)
    text = count(*silent).text
    assert (text.num_turns, text.num_cut, text.num_written) == (1, 1, 0)
    assert text.rate is None and text.rate_prefix is None
    # One text, even one that nobody asked for, and what is missing counts.
    text = (count(*silent) + count(answer("", "hello"))).text
    assert (text.num_written, text.rate, text.rate_prefix) == (1, 0.0, 0.0)


def test_without_transcripts_only_the_text_counts():
    counts = count_quality([answer("a", "a")], str.lower, has_speech=False)
    assert counts.text.rate == 1.0
    assert counts.bleu.bleu is None and counts.speech_words.rate is None


def test_nothing_to_compare_is_undefined():
    counts = count()
    assert counts == QualityCounts()
    assert counts.text.rate is None and counts.text.rate_prefix is None


def test_normalizer_makes_numbers_case_and_punctuation_alike():
    normalize = english_normalizer()
    assert normalize("Twenty-one COLOURS!") == normalize("21 colors")


SENTENCES = st.lists(st.sampled_from("abcd"), min_size=1, max_size=5).map(" ".join)
ANSWERS = st.builds(answer, SENTENCES, SENTENCES, SENTENCES)


@given(st.lists(ANSWERS, max_size=5), st.lists(ANSWERS, max_size=5))
def test_counts_of_two_parts_add_up_to_those_of_the_whole(first, second):
    assert count(*first) + count(*second) == count(*first, *second)
