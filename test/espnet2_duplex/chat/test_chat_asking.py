"""Tries, and prompts that a model does not take."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.chat.asking import BadAnswer, Question, ask, complete_each
from espnet2_duplex.chat.backend import Message, Prompt, Refused, Unavailable


class FakeModel:
    """Writes `answer(text, seed)`; refuses a batch with an answer that is None."""

    def __init__(self, answer):
        self.answer = answer
        self.batches = []

    def complete(self, prompts):
        self.batches.append([(p.messages[0].content, p.seed) for p in prompts])
        texts = [self.answer(p.messages[0].content, p.seed) for p in prompts]
        if None in texts:
            raise Refused(f"{prompts[texts.index(None)].messages[0].content} is bad")
        return texts


def prompt(text):
    return Prompt((Message("user", text),), seed=0)


def number(text):
    if not text.isdigit():
        raise BadAnswer(f"{text!r} is no number")
    return int(text)


def next_seed(last, problem):
    return replace(last, seed=last.seed + 1)


def ask_for_numbers(model, *texts, num_tries=3, ask_again=next_seed):
    questions = [Question(prompt(text), number) for text in texts]
    return ask(model, questions, ask_again, num_tries)


def test_only_what_could_not_be_read_is_asked_again():
    model = FakeModel(lambda text, seed: "7" if text == "easy" or seed else "hm")
    assert ask_for_numbers(model, "easy", "hard", "easy") == [7, 7, 7]
    assert model.batches == [[("easy", 0), ("hard", 0), ("easy", 0)], [("hard", 1)]]


def test_the_next_try_knows_what_was_wrong_with_the_last():
    told = []

    def complain(last, problem):
        told.append((last.seed, str(problem)))
        return next_seed(last, problem)

    model = FakeModel(lambda text, seed: f"no. {seed}")
    (failure,) = ask_for_numbers(model, "a", num_tries=3, ask_again=complain)
    assert isinstance(failure, BadAnswer) and str(failure) == "'no. 2' is no number"
    assert told == [(0, "'no. 0' is no number"), (1, "'no. 1' is no number")]


def test_a_refused_question_is_not_tried_again_and_spoils_no_other():
    model = FakeModel(lambda text, seed: None if text == "bad" else "7" if seed else "")
    found = ask_for_numbers(model, "good", "bad", "good")
    assert [found[0], found[2]] == [7, 7]
    assert isinstance(found[1], Refused) and str(found[1]) == "bad is bad"
    assert model.batches[-1] == [("good", 1), ("good", 1)]


def test_an_unavailable_model_is_an_error():
    def leave(text, seed):
        raise Unavailable("gone")

    with pytest.raises(Unavailable, match="gone"):
        ask_for_numbers(FakeModel(leave), "a")


def test_nothing_to_ask_asks_nobody():
    model = FakeModel(lambda text, seed: "1")
    assert ask_for_numbers(model) == [] and model.batches == []


@given(st.lists(st.booleans(), max_size=40))
def test_every_prompt_gets_its_own_text_or_refusal(is_good):
    texts = [f"{'good' if good else 'bad'}{n}" for n, good in enumerate(is_good)]
    model = FakeModel(lambda text, seed: text if text.startswith("good") else None)
    found = complete_each(model, list(map(prompt, texts)))
    for text, reply in zip(texts, found, strict=True):
        is_refused = isinstance(reply, Refused)
        assert is_refused == text.startswith("bad")
        assert str(reply) == (f"{text} is bad" if is_refused else text)


def test_one_refused_prompt_of_many_costs_few_calls():
    model = FakeModel(lambda text, seed: None if text == "77" else text)
    complete_each(model, [prompt(f"{n}") for n in range(128)])
    assert len(model.batches) == 1 + 2 * 7
