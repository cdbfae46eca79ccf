"""Faults of conversations and their order, worst first."""

import random

import pytest
from scored_conversations import answer, barge_in, broken, conversation, response

from espnet2_duplex.metrics.score_page.ranking import (
    TAGS,
    FaultLimits,
    find_faults,
    rank_conversations,
    share_of_different_words,
)

UNSTOPPED = barge_in(3.5, 8.0, in_time=False, stopped=False)
FAULTY = [  # worst first
    broken("problem", "output.wav is missing"),
    conversation("two unstopped", barge_ins=[UNSTOPPED, UNSTOPPED, barge_in(2, 2.5)]),
    conversation(
        "unstopped, and an alarm",
        barge_ins=[UNSTOPPED],
        false_alarms=[{"user_turn": 0, "start": 1.0}],
    ),
    conversation("unstopped", barge_ins=[UNSTOPPED]),
    conversation("late", barge_ins=[barge_in(3.5, 5.5, in_time=False)]),
    conversation("alarm", false_alarms=[{"user_turn": 0, "start": 1.0}]),
    conversation("unanswered", unanswered=[1]),
    conversation(
        "disturbed",
        reactions=[{"kind": "noise", "start": 3.0, "end": 3.2, "stopped": True}],
    ),
    conversation("wrong", answers=[answer("No idea at all, sorry.")]),
    conversation("says other", answers=[answer("It is Lima.", "Dennis may see her.")]),
    conversation("slow", responses=[response(1.9)]),
    conversation("fine, but slower", responses=[response(1.2), response(0.1, 1)]),
    conversation("fine", responses=[response(0.7)]),
]


def test_worst_comes_first_whatever_the_order_was():
    shuffled = random.Random(0).sample(FAULTY, len(FAULTY))
    ranked = rank_conversations({"b": shuffled[:5], "a": shuffled[5:]})
    assert [each.id for each in ranked] == [fields["id"] for fields in FAULTY]


def test_equals_stand_by_set_and_id():
    sets = {"b": [conversation("x")], "a": [conversation("y"), conversation("x")]}
    ranked = rank_conversations(sets)
    assert [(each.set_name, each.id) for each in ranked] == [
        ("a", "x"),
        ("a", "y"),
        ("b", "x"),
    ]


@pytest.mark.parametrize(
    "fields, tag, reason",
    zip(
        FAULTY,
        list(TAGS)[:1] + list(TAGS)[1:2] * 3 + list(TAGS)[2:],
        [
            "output.wav is missing",
            "2 of 3 barge-ins, worst: 4.50 s after the onset at 3.50 s",
            "1 of 1 barge-ins, worst: 4.50 s after the onset at 3.50 s",
            "1 of 1 barge-ins, worst: 4.50 s after the onset at 3.50 s",
            "1 of 1 barge-ins, worst: 2.00 s after the onset at 3.50 s",
            "at 1.00 s",
            "user turn 2",
            "stopped, noise at 3.00 s",
            "100 % of the words differ",
            "100 % of the words differ",
            "1.90 s",
        ],
    ),
    ids=lambda value: value["id"] if isinstance(value, dict) else "",
)
def test_a_fault_has_its_tag_and_its_reason(fields, tag, reason):
    first, *_ = find_faults(fields)
    assert (first.tag, first.reason) == (tag, reason)


def test_a_conversation_without_faults_says_so():
    (ranked,) = rank_conversations({"a": [conversation("fine")]})
    assert ranked.tags == ("no fault",)


def test_all_faults_of_a_conversation_are_found():
    (ranked,) = rank_conversations({"a": [FAULTY[2]]})
    assert ranked.tags == ("not stopped", "false alarm")


@pytest.mark.parametrize("act", ["stopped", "taken", "answered"])
@pytest.mark.parametrize("is_done", [True, False])
def test_only_what_the_agent_did_at_an_event_is_a_fault(act, is_done):
    reaction = {"kind": "pause", "start": 1.0, "end": 1.4, act: is_done}
    assert bool(find_faults(conversation("x", reactions=[reaction]))) == is_done


def test_a_judge_decides_before_words_do():
    other_words = answer("No idea at all.", gpt_score=5.0)
    same_words = answer("It is Lima.", gpt_score=4.5)
    assert find_faults(conversation("x", answers=[other_words])) == ()
    (fault,) = find_faults(conversation("x", answers=[same_words]))
    assert (fault.tag, fault.reason) == ("wrong text", "marked 4.5 of 10")


def test_a_cut_answer_may_be_what_could_be_said_or_all_of_it():
    for written in ("It is", "It is Lima, of course, in Peru."):
        cut = answer(
            written,
            reference="It is",
            whole_reference="It is Lima, of course, in Peru.",
            is_cut=True,
        )
        assert find_faults(conversation("x", answers=[cut])) == ()


def test_what_was_spoken_counts_where_nothing_was_written():
    (fault,) = find_faults(conversation("x", answers=[answer("", "no idea at all")]))
    assert fault.tag == "wrong text"


def test_an_answer_never_given_is_no_wrong_text():
    assert find_faults(conversation("x", answers=[answer("", "")])) == ()


def test_an_interrupted_agent_need_not_say_what_it_wrote():
    cut = answer("It is Lima.", "it", is_interrupted=True)
    assert find_faults(conversation("x", answers=[cut])) == ()


def test_limits_can_be_moved():
    fields = conversation("x", responses=[response(1.2)])
    assert find_faults(fields, FaultLimits(slow_seconds=1.0))[0].tag == "slow"


def test_words_are_compared_without_case_and_punctuation():
    assert share_of_different_words("It's LIMA, yes.", "it's lima yes") == 0
    # Three of four words on each side: 2 * 3 / 8 in common.
    assert share_of_different_words("a b c d", "a b c e") == 0.25
