from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.conversation import Turn
from espnet2_duplex.formats.words import spread_words, turns_of_words
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
