"""The prompts of one text, whole or turn by turn, and what becomes of the replies."""

from collections import Counter

import pytest
from llm.prompts import load_prompts
from llm.writing import Rejected, Script, write_turns, write_whole

from espnet2_duplex.chat.backend import Message

PROMPTS = """# about this file
[system]
At most {max_words} words.
[request]
Topic: {topic}
[answer]
{line} Be short.
[example]
topic: tea
User: What is tea?
Agent: A drink.
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "topic.txt"
    path.write_text(PROMPTS)

    def make(objection=lambda text, earlier: None):
        values = {"topic": "snow", "max_words": "6"}
        prompts = load_prompts(path)
        return Script("0/x", prompts, ("User", "Agent"), 2, values, 6, objection)

    return make


def drive(writing, texts):
    """Send the texts one by one; returns (prompts, lines or None)."""
    prompts = [next(writing)]
    for text in texts:
        try:
            prompts.append(writing.send(text))
        except StopIteration as end:
            return prompts, end.value
        except Rejected:
            return prompts, None
    return prompts, None


def test_whole_texts_are_asked_for_after_the_examples(script):
    prompts, lines = drive(
        write_whole(script(), 0, Counter()), ["User: Is it cold?\nAgent: It is."]
    )
    assert lines == ["Is it cold?", "It is."]
    assert [(m.role, m.content) for m in prompts[0].messages] == [
        ("system", "At most 6 words."),
        ("user", "Topic: tea"),
        ("assistant", "User: What is tea?\nAgent: A drink."),
        ("user", "Topic: snow"),
    ]


def test_a_whole_text_is_rejected_by_form_or_by_a_line(script):
    rejections = Counter()
    no_snow = script(lambda text, earlier: "too long" if "snow" in text else None)
    for text in ("User: Is it?", "User: Is it snow?\nAgent: It is."):
        assert drive(write_whole(no_snow, 0, rejections), [text])[1] is None
    assert rejections == {"not the form": 1, "too long": 1}


def test_turns_go_on_with_the_transcript_and_answer_in_a_chat(script):
    prompts, lines = drive(write_turns(script(), 0, Counter()), ["Is it?", "It is."])
    assert lines == ["Is it?", "It is."]
    user, agent = prompts
    assert user.messages[-1] == Message("assistant", "User:")
    assert agent.messages == (Message("user", "Is it? Be short."),)
    assert user.stop == agent.stop == ("\n",)
    assert user.seed != agent.seed


def test_a_rejected_turn_is_tried_again_with_another_seed(script):
    def objection(text, earlier):
        return "bad" if text == "No." else None

    rejections = Counter()
    texts = ["No.", "Is it?", "No.", "It is."]
    prompts, lines = drive(write_turns(script(objection), 0, rejections), texts)
    assert lines == ["Is it?", "It is."]
    assert rejections == {"bad": 2}
    assert len({prompt.seed for prompt in prompts}) == 4
    assert prompts[3].temperature > prompts[2].temperature
    _, lines = drive(write_turns(script(objection), 0, Counter()), ["No."] * 4)
    assert lines is None


def test_an_attempt_has_its_own_seeds(script):
    (first, *_), _ = drive(write_turns(script(), 0, Counter()), [])
    (second, *_), _ = drive(write_turns(script(), 1, Counter()), [])
    assert first.seed != second.seed


@pytest.mark.parametrize(
    "text, message",
    [
        ("hello\n[system]\nx", "line 1 stands before"),
        ("[request]\nx", r"no section \[system\]"),
        ("[system]\n{place}", r"placeholder \{place\}"),
        ("[system]\nx\n[request]\nx\n[example]\nAgent: Hi.", "begins with User:"),
    ],
)
def test_a_faulty_prompt_file_is_told(tmp_path, text, message):
    path = tmp_path / "prompts.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        values = {"topic": "snow", "max_words": "6"}
        prompts = load_prompts(path)
        Script(
            "0", prompts, ("User", "Agent"), 2, values, 6, lambda *_: None
        ).introduction()
