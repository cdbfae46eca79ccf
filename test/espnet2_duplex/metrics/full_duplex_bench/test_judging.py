"""Questions to a judge: retries, failures, labels."""

from collections import Counter

import pytest

from espnet2_duplex.chat.backend import Message
from espnet2_duplex.metrics.full_duplex_bench.behaviour import (
    BehaviourCounts,
    Transcripts,
    behaviour_chat,
    parse_label,
)
from espnet2_duplex.metrics.full_duplex_bench.judging import ask
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
    return int(reply) if reply.isdigit() else None


def test_what_cannot_be_parsed_is_asked_again_with_another_seed():
    judge = FakeJudge(lambda text, seed: "7" if text == "easy" or seed else "hm")
    assert ask(judge, chats("easy", "hard"), number) == [7, 7]
    assert judge.asked == [("easy", 0, 0.0), ("hard", 0, 0.0), ("hard", 1, 0.7)]


def test_rubbish_is_a_failure_after_three_tries():
    judge = FakeJudge(lambda text, seed: "rubbish")
    assert ask(judge, chats("a"), number) == [None]
    assert [seed for _, seed, _ in judge.asked] == [0, 1, 2]


def test_nothing_to_ask_asks_nobody():
    judge = FakeJudge(lambda text, seed: "1")
    assert ask(judge, [], number) == [] and judge.asked == []


@pytest.mark.parametrize(
    "reply, label",
    [
        ("It answers.\nLabel: RESPOND", "RESPOND"),
        ("label: C_RESUME.", "RESUME"),
        ("Label: **uncertain**", "UNCERTAIN"),
        ("Label: RESPOND? No.\nLabel: UNKNOWN", "UNKNOWN"),
        ("RESPOND", None),
        ("Label: IGNORE", None),
    ],
)
def test_label_of_a_reply(reply, label):
    assert parse_label(reply) == label


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
