from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.conversation import Conversation, Turn
from espnet2_duplex.formats.words import spoken_turns, spread_words, turns_of_words
from espnet2_duplex.words import Word

TEXTS = st.lists(st.text("abcé", min_size=1, max_size=9), min_size=1, max_size=9)


@given(TEXTS, st.integers(0, 10**9), st.integers(1, 10**8))
def test_spread_words_fill_their_turn_and_join_to_it_again(texts, start, length):
    turn = Turn("agent", start / 1e6, (start + length) / 1e6, " ".join(texts))
    words = spread_words(turn)
    assert [word.text for word in words] == texts
    assert (words[0].start, words[-1].end) == (turn.start, turn.end)
    assert all(a.end == b.start and a.start <= a.end for a, b in zip(words, words[1:]))
    (again,) = turns_of_words(words, "agent", gap_seconds=0.0)
    assert (again.start, again.text) == (turn.start, turn.text)


def test_a_turn_ends_at_a_gap_that_is_longer_than_the_limit():
    words = [Word("c", 2.6, 3.0), Word("a", 0.0, 1.0), Word("b", 1.8, 2.0)]
    found = turns_of_words(words, "user", gap_seconds=0.6)
    assert [(t.start, t.end, t.text) for t in found] == [
        (0.0, 1.0, "a"),
        (1.8, 3.0, "b c"),
    ]


def test_a_gap_that_is_a_pause_does_not_end_a_turn():
    words = [Word("a", 0.0, 1.0), Word("b", 3.0, 4.0), Word("c", 6.0, 7.0)]
    found = turns_of_words(words, "user", 0.5, pauses=[(1.1, 2.9)])
    assert [turn.text for turn in found] == ["a b", "c"]


def test_overlapping_and_empty_words_are_no_trouble():
    words = [Word("long", 0.0, 2.0), Word("in", 0.5, 1.0), Word("", 5.0, 6.0)]
    (turn,) = turns_of_words(words, "user", 0.0)
    assert (turn.start, turn.end, turn.text) == (0.0, 2.0, "long in")


def texts(*turns):
    return [turn.text for turn in spoken_turns(Conversation("c", turns, 30.0))]


ANSWER = " ".join("abcdefghij")


def test_a_turn_cut_by_the_user_stops_at_the_pace_of_the_others():
    cut = Turn("agent", 5.0, 6.64, ANSWER)
    barge_in = Turn("user", 6.0, 8.0, "stop")
    others = [Turn("agent", 1.0, 2.0, "a b"), Turn("agent", 10.0, 14.0, "a b c d")]
    others += [Turn("agent", 20.0, 20.9, "a b c")]
    # 0.5, 1.0 and 0.3 s a word: three words of 0.5 s in 1.64 s.
    assert texts(others[0], cut, barge_in, *others[1:]) == [
        "a b",
        "a b c",
        "a b c d",
        "a b c",
    ]


def test_without_another_turn_the_pace_is_that_of_a_known_voice():
    cut, barge_in = Turn("agent", 5.0, 6.64, ANSWER), Turn("user", 6.0, 8.0, "stop")
    assert texts(cut, barge_in) == ["a b c d"]  # 4 words of 0.37 s in 1.64 s
    assert texts(Turn("agent", 5.9, 6.2, ANSWER), barge_in) == []  # none in 0.3 s


def test_turns_that_no_user_cuts_keep_their_words():
    agent = Turn("agent", 5.0, 6.64, ANSWER)
    for user in (
        Turn("user", 5.9, 8.0, "the agent goes on for 0.74 s"),
        Turn("user", 6.0, 6.5, "the user is done before the agent"),
        Turn("user", 6.64, 8.0, "the user waits"),
        Turn("user", 5.0, 8.0, "both begin"),
    ):
        turns = sorted([agent, user], key=lambda turn: turn.start)
        assert texts(*turns) == [ANSWER]


@given(st.integers(1, 40), st.integers(1, 4_000_000))
def test_a_cut_turn_has_no_more_words_than_its_own(number, length):
    cut = Turn("agent", 1.0, 1.0 + length / 1e6, " ".join(["w"] * number))
    barge_in = Turn("user", max(1.000001, cut.end - 0.5), cut.end + 1, "x")
    spoken = "".join(texts(cut, barge_in)).split() if length > 1 else []
    assert len(spoken) <= number and len(spoken) * 0.37 <= length / 1e6 + 1e-6
