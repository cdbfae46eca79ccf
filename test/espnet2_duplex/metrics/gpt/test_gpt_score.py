"""Judging, with an endpoint that this test runs and with scripted judges."""

import json

import pytest
from chat_server import Server, completion
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.chat.backend import Refused
from espnet2_duplex.chat.endpoint import Endpoint, Patience
from espnet2_duplex.metrics.gpt.asking import Verdict
from espnet2_duplex.metrics.gpt.options import GptScoreOptions
from espnet2_duplex.metrics.gpt.prompt import AgentTurn, Dialogue
from espnet2_duplex.metrics.gpt.score import (
    BATCH_SIZE,
    GptCounts,
    count_scores,
    judge_dialogues,
)

OPTIONS = GptScoreOptions(url="http://127.0.0.1/v1")
LIKELIHOOD = GptScoreOptions(model="local", url=None, style="likelihood")
SPOKEN = AgentTurn("Peru?", "Lima.", "lima")
OTHER = AgentTurn("Spain?", "Madrid.", "paris")
SILENT = AgentTurn("Chile?", "Santiago.", "")
THANKS = AgentTurn("Thanks.", "", "hm")
TWO_TURNS = Dialogue("two", (THANKS, SPOKEN, OTHER))
OTHER_TWO = Dialogue("other", (OTHER, SPOKEN))


def scores_text(*scores):
    entries = [
        {"turn": turn, "reason": "so", "score": score}
        for turn, score in enumerate(scores, 1)
    ]
    return json.dumps({"turns": entries})


def judge_of(server, tmp_path, tries=3):
    return Endpoint(
        server.url,
        OPTIONS.model,
        cache=tmp_path / "cache",
        patience=Patience(tries=tries),
        sleep=lambda seconds: None,
    )


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_each_turn_with_a_reference_gets_its_score(tmp_path):
    with Server(completion(scores_text(9, 2))) as server:
        found = judge_dialogues([TWO_TURNS], judge_of(server, tmp_path), OPTIONS)
    assert found.verdicts == {"two": Verdict((None, 9, 2))}
    assert found.counts == GptCounts(
        num_scored=2,
        sum_thousandths=11_000,
        num_conversations=1,
        conversation_thousandths=5_500,
    )
    assert found.problem is None


def test_the_judge_is_asked_with_the_pinned_options(tmp_path):
    with Server(completion(scores_text(9, 2))) as server:
        judge_dialogues([TWO_TURNS], judge_of(server, tmp_path), OPTIONS)
    ((_, request),) = server.requests
    assert request["model"] == "gpt-4o-mini-2024-07-18"
    assert (request["temperature"], request["top_p"]) == (0.0, 1.0)
    assert (request["seed"], request["max_tokens"]) == (0, 200)


def test_judging_again_asks_nothing(tmp_path):
    with Server(completion("rubbish"), completion(scores_text(9, 2))) as server:
        first = judge_dialogues([TWO_TURNS], judge_of(server, tmp_path), OPTIONS)
        again = judge_dialogues([TWO_TURNS], judge_of(server, tmp_path), OPTIONS)
    assert again == first
    assert len(server.requests) == 2


def test_after_rubbish_the_judge_is_asked_once_more_with_another_seed(tmp_path):
    with Server(completion("I would say 9."), completion(scores_text(9, 2))) as server:
        found = judge_dialogues([TWO_TURNS], judge_of(server, tmp_path), OPTIONS)
    assert found.verdicts["two"].scores == (None, 9, 2)
    assert [request["seed"] for _, request in server.requests] == [0, 1]
    asked_again = server.requests[1][1]["messages"][-1]["content"]
    assert "could not be used" in asked_again


@pytest.mark.parametrize("text", ["", "9 and 2", scores_text(9), scores_text(9, 11)])
def test_rubbish_twice_is_a_failure_and_no_score(tmp_path, text):
    with Server(completion(text)) as server:
        found = judge_dialogues([TWO_TURNS], judge_of(server, tmp_path), OPTIONS)
    assert len(server.requests) == 2
    assert found.counts == GptCounts(num_failed=2)
    assert found.verdicts["two"].scores == (None, None, None)
    assert found.verdicts["two"].failure and found.problem is None
    assert found.counts.mean("turn") is None


def test_a_failure_of_one_conversation_leaves_the_others(tmp_path):
    bad = Dialogue("bad", (AgentTurn("Bad?", "Yes.", "yes"),))

    def answer(request):
        is_bad = "Bad?" in request["messages"][-1]["content"]
        return completion("no" if is_bad else scores_text(9, 2))

    with Server(answer) as server:
        found = judge_dialogues([bad, TWO_TURNS], judge_of(server, tmp_path), OPTIONS)
    assert found.counts.num_failed == 1
    assert found.counts.mean("turn") == 5.5


def test_a_server_in_trouble_is_waited_for(tmp_path):
    trouble = (500, "", {})
    with Server(trouble, trouble, completion(scores_text(9, 2))) as server:
        found = judge_dialogues([TWO_TURNS], judge_of(server, tmp_path), OPTIONS)
    assert found.problem is None and found.counts.num_scored == 2
    assert len(server.requests) == 3


def test_a_judge_that_does_not_accept_the_key_is_a_problem_and_no_error(tmp_path):
    with Server((401, "bad key", {})) as server:
        found = judge_dialogues([TWO_TURNS], judge_of(server, tmp_path), OPTIONS)
    assert found.verdicts == {} and found.counts == GptCounts()
    assert "HTTP 401" in found.problem and "OPENAI_API_KEY" in found.problem


def test_a_judge_that_is_not_there_is_a_problem_and_no_error(tmp_path):
    with Server(completion("")) as server:
        pass
    found = judge_dialogues([TWO_TURNS], judge_of(server, tmp_path), OPTIONS)
    assert "gave no answer in 3 tries" in found.problem
    assert found.verdicts == {}


def test_a_judge_that_goes_away_loses_nothing_that_was_paid(tmp_path):
    dialogues = [
        Dialogue(f"id{n}", (AgentTurn(f"What is {n}?", "A number.", "number"),))
        for n in range(BATCH_SIZE + 3)
    ]

    def leave_at_the_last(request):
        is_last = f"What is {BATCH_SIZE + 2}?" in request["messages"][-1]["content"]
        return (503, "", {}) if is_last else completion(scores_text(8))

    done = []
    with Server(leave_at_the_last) as server:
        judge = judge_of(server, tmp_path, tries=1)
        found = judge_dialogues(dialogues, judge, OPTIONS, done.append)
        assert done == [BATCH_SIZE]
        assert found.counts.num_scored == len(found.verdicts) == BATCH_SIZE
        assert "HTTP 503" in found.problem
        server.answers = [completion(scores_text(8))]
        num_asked = len(server.requests)
        found = judge_dialogues(dialogues, judge, OPTIONS)
    assert found.problem is None and found.counts.mean("turn") == 8
    assert len(server.requests) - num_asked <= 3


def test_one_refused_conversation_is_a_failure_and_the_others_are_judged(tmp_path):
    long = Dialogue("long", (AgentTurn("Long?", "Yes.", "yes"),))

    def answer(request):
        if "Long?" in request["messages"][-1]["content"]:
            return 400, "maximum context length", {}
        return completion(scores_text(9, 2))

    with Server(answer) as server:
        found = judge_dialogues([long, TWO_TURNS], judge_of(server, tmp_path), OPTIONS)
    assert found.counts.num_failed == 1 and found.counts.num_scored == 2
    assert "maximum context length" in found.verdicts["long"].failure


class Scripted:
    """Gives `answer(prompt)` as text, or as probabilities."""

    name, licence = "scripted", "none"

    def __init__(self, answer):
        self.answer = answer
        self.num_prompts = 0

    def complete(self, prompts):
        self.num_prompts += len(prompts)
        return [self.answer(prompt) for prompt in prompts]

    def choice_probabilities(self, prompts, choices):
        assert choices == [str(number) for number in range(11)]
        return self.complete(prompts)


def test_silence_scores_nothing_whatever_the_judge_thinks():
    judge = Scripted(lambda prompt: scores_text(9, 9))
    found = judge_dialogues([Dialogue("a", (SPOKEN, SILENT))], judge, OPTIONS)
    assert found.verdicts["a"].scores == (9, 0)


def test_a_silent_agent_needs_no_judge():
    judge = Scripted(lambda prompt: scores_text(9))
    dialogues = [Dialogue("a", (SILENT, THANKS)), Dialogue("b", (THANKS,))]
    found = judge_dialogues(dialogues, judge, OPTIONS)
    assert judge.num_prompts == 0
    assert found.verdicts == {"a": Verdict((0, None)), "b": Verdict((None,))}
    assert found.counts == GptCounts(num_scored=1, num_conversations=1)


def test_by_likelihood_each_turn_is_judged_alone():
    def shares(prompt):
        is_right = "lima" in prompt.messages[1].content
        return [0.0] * 8 + [0.2, 0.2, 0.0] if is_right else [0.5, 0.25] + [0.0] * 9

    judge = Scripted(shares)
    dialogue = Dialogue("a", (SPOKEN, THANKS, OTHER, SILENT))
    found = judge_dialogues([dialogue], judge, LIKELIHOOD)
    scores = found.verdicts["a"].scores
    assert scores == (pytest.approx(8.5), None, pytest.approx(1 / 3), 0)
    assert judge.num_prompts == 2
    assert found.counts.sum_thousandths == 8_833


def test_a_turn_without_likely_numbers_is_a_failure():
    judge = Scripted(lambda prompt: [0.0] * 11)
    found = judge_dialogues([Dialogue("a", (SPOKEN, SILENT))], judge, LIKELIHOOD)
    assert found.counts == GptCounts(num_scored=1, num_failed=1, num_conversations=1)


def test_a_judge_that_refuses_all_fails_all():
    def refuse(prompt):
        raise Refused("no temperature, please")

    found = judge_dialogues([TWO_TURNS, OTHER_TWO], Scripted(refuse), OPTIONS)
    assert found.verdicts["two"].failure == "no temperature, please"
    assert found.counts == GptCounts(num_failed=4)


def test_pooling_weighs_turns_or_conversations():
    long = Dialogue("long", (SPOKEN,) * 3)
    short = Dialogue("short", (SPOKEN,))
    counts = count_scores(long, Verdict((10, 10, 10)))
    counts += count_scores(short, Verdict((2,)))
    assert counts.mean("turn") == 8  # 32 / 4
    assert counts.mean("conversation") == 6  # (10 + 2) / 2
    assert GptCounts().mean("turn") is None
    assert GptCounts().mean("conversation") is None


@given(st.lists(st.lists(st.none() | st.integers(0, 10), max_size=4), max_size=6))
def test_parts_of_a_set_add_up_to_the_set(conversations):
    counts = [
        count_scores(Dialogue(f"{n}", (SPOKEN,) * len(scores)), Verdict(tuple(scores)))
        for n, scores in enumerate(conversations)
    ]
    whole = sum(counts, start=GptCounts())
    parts = [sum(counts[part::2], start=GptCounts()) for part in (0, 1)]
    assert parts[0] + parts[1] == whole
    given_scores = [s for scores in conversations for s in scores if s is not None]
    assert whole.num_scored == len(given_scores)
    assert whole.num_scored + whole.num_failed == sum(map(len, conversations))
    if given_scores:
        mean = sum(given_scores) / len(given_scores)
        assert whole.mean("turn") == pytest.approx(mean)
