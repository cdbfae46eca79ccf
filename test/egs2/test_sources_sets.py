"""No text and no group of a held-out set is in training."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sources.sets import REPEATED, Drafted, check_ids, clusters, with_sets

HALF = {"valid": 0.25, "test": 0.25}


def draft(id, text="", group=None, set=None, entry="texts 0", held_out=HALF):
    turns = [
        {"role": "user", "text": text or f"{id}?"},
        {"role": "agent", "text": "A."},
    ]
    row = {"id": id, "source": "s", "turns": turns}
    row |= {"group": group} if group else {}
    return Drafted(row | ({"set": set} if set else {}), held_out, entry)


def sets_of(drafts, refused=None):
    rows = with_sets(drafts, Counter() if refused is None else refused)
    assert not any("group" in row for row in rows)
    return {row["id"]: row["set"] for row in rows}


def test_no_recording_is_in_two_sets():
    drafts = [draft(f"r{n % 20}_{n}", group=f"recording {n % 20}") for n in range(200)]
    sets = sets_of(drafts)
    of_recording = {}
    for one in drafts:
        name = sets[one.row["id"]]
        of_recording.setdefault(one.row["group"], set()).add(name)
    assert all(len(names) == 1 for names in of_recording.values())
    counts = Counter(name for (name,) in of_recording.values())
    assert counts == {"train": 10, "valid": 5, "test": 5}


def test_rows_that_are_joined_by_others_are_one_cluster():
    drafts = [
        draft("a", "tea", "one"),
        draft("b", "milk", "one"),
        draft("c", "TEA?", "two"),
        draft("d", "water", "three"),
    ]
    found = [[one.row["id"] for one in cluster] for cluster in clusters(drafts)]
    assert found == [["a", "b", "c"], ["d"]]


small = st.integers(0, 5)


@given(st.lists(st.tuples(small, st.none() | small, st.sampled_from([None, "test"]))))
def test_no_label_is_in_training_and_in_a_held_out_set(rows):
    drafts = [
        draft(f"c{number}", f"text {text}", group and f"group {group}", name)
        for number, (text, group, name) in enumerate(rows)
    ]
    refused = Counter()
    sets = sets_of(drafts, refused)
    assert len(sets) + refused.total() == len(drafts)
    names = {}
    for one in drafts:
        if one.row["id"] in sets:
            for label in one.labels:
                names.setdefault(label, set()).add(sets[one.row["id"]])
    assert not any("train" in found and len(found) > 1 for found in names.values())


def test_what_one_entry_holds_out_is_left_out_of_the_training_of_another():
    refused = Counter()
    drafts = [
        draft("a", "What is tea?", set="train", entry="texts 0"),
        draft("b", "what is tea", set="test", entry="texts 1"),
        draft("c", "What is milk?", set="train", entry="texts 0"),
    ]
    assert sets_of(drafts, refused) == {"b": "test", "c": "train"}
    assert dict(refused) == {REPEATED: 1}


def test_questions_about_a_recording_of_a_named_test_set_are_left_out():
    refused = Counter()
    drafts = [
        draft("a", "one", "recording", set="test", entry="texts 0"),
        draft("b", "two", "recording", entry="texts 1"),
    ]
    assert sets_of(drafts, refused) == {"a": "test"}
    assert dict(refused) == {REPEATED: 1}


def test_an_entry_may_ask_its_own_training_questions_in_a_test():
    drafts = [draft("a", "tea", set="train"), draft("b", "tea", set="test")]
    assert sets_of(drafts) == {"a": "train", "b": "test"}


def test_an_id_of_two_entries_names_both():
    with pytest.raises(
        ValueError, match="^texts 0 and texts 1 both have the id a; give"
    ):
        check_ids([draft("a"), draft("a", entry="texts 1")])
    with pytest.raises(ValueError, match="^texts 0 has the id a twice; give each"):
        check_ids([draft("b"), draft("a"), draft("a")])
