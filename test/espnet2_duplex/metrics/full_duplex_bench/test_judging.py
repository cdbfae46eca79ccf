"""The judge's questions and labels."""

from collections import Counter

import pytest

from espnet2_duplex.chat.asking import BadAnswer, ask
from espnet2_duplex.chat.backend import Message
from espnet2_duplex.metrics.full_duplex_bench.behaviour import (
    BehaviourCounts,
    Transcripts,
    behaviour_chat,
    parse_label,
)
from espnet2_duplex.metrics.full_duplex_bench.judging import (
    NUM_TRIES,
    other_try,
    question_of,
)
from espnet2_duplex.words import Word


class FakeJudge:
    """Replies with a function of the question and the seed."""

    def __init__(self, reply):
        self._reply = reply
        self.asked = []

    def complete(self, prompts):
        self.asked += [(p.messages[0].content, p.seed, p.temperature) for p in prompts]
        return [self._reply(p.messages[0].content, p.seed) for p in prompts]


def chats(*texts):
    return [(Message("user", text),) for text in texts]


def number(reply):
    if not reply.isdigit():
        raise BadAnswer("no number")
    return int(reply)


def ask_for_numbers(judge, *texts):
    questions = [question_of(chat, number) for chat in chats(*texts)]
    return ask(judge, questions, other_try, NUM_TRIES)


def test_the_judge_is_greedy_at_first_and_draws_then():
    judge = FakeJudge(lambda text, seed: "7" if text == "easy" or seed else "hm")
    assert ask_for_numbers(judge, "easy", "hard") == [7, 7]
    assert judge.asked == [("easy", 0, 0.0), ("hard", 0, 0.0), ("hard", 1, 0.7)]


def test_rubbish_is_a_failure_after_three_tries():
    judge = FakeJudge(lambda text, seed: "rubbish")
    (failure,) = ask_for_numbers(judge, "a")
    assert str(failure) == "no number"
    assert [seed for _, seed, _ in judge.asked] == [0, 1, 2]


@pytest.mark.parametrize(
    "reply, label",
    [
        ("It answers.\nLabel: RESPOND", "RESPOND"),
        ("label: C_RESUME.", "RESUME"),
        ("Label: **uncertain**", "UNCERTAIN"),
        ("Label: RESPOND? No.\nLabel: UNKNOWN", "UNKNOWN"),
        ("Label: UNKNOWN\nIt cannot be Label: RESPOND, as it is silent.", "UNKNOWN"),
    ],
)
def test_label_of_a_reply(reply, label):
    assert parse_label(reply) == label


@pytest.mark.parametrize(
    "reply",
    ["RESPOND", "Label: IGNORE", "Label: RESPONDING", "Label: RESPOND, RESUME or so"],
)
def test_a_reply_without_a_label_is_no_answer(reply):
    with pytest.raises(BadAnswer, match="no line ends with a label"):
        parse_label(reply)


def test_failures_are_counted_and_never_in_the_shares():
    labels = ["RESPOND", "RESPOND", "RESUME", None]
    total = sum(map(BehaviourCounts.of, labels), start=BehaviourCounts())
    assert total.labels == Counter(RESPOND=2, RESUME=1)
    assert total.figures() == {
        "respond": 2 / 3,
        "resume": 1 / 3,
        "uncertain": 0.0,
        "unknown": 0.0,
        "num_labelled": 3,
        "num_label_failures": 1,
    }


def test_without_labels_there_are_no_shares():
    assert BehaviourCounts().figures()["respond"] is None


def test_the_judge_sees_all_four_transcripts():
    names = ("ask", "hey", "well", "yes")
    transcripts = Transcripts(*([Word(name, 0.0, 0.5)] for name in names))
    system, user = behaviour_chat(transcripts)
    assert "UNCERTAIN" in system.content
    assert user.content.splitlines() == [
        '"user_clean": [["ask", 0.0, 0.5]]',
        '"user_noisy": [["hey", 0.0, 0.5]]',
        '"agent_clean": [["well", 0.0, 0.5]]',
        '"agent_noisy": [["yes", 0.0, 0.5]]',
    ]
