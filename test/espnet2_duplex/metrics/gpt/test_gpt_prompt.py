"""What the judge is shown."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.metrics.answers import Answer
from espnet2_duplex.metrics.gpt import prompt as gpt_prompt
from espnet2_duplex.metrics.gpt.options import GptScoreOptions
from espnet2_duplex.metrics.gpt.prompt import (
    AgentTurn,
    Dialogue,
    dialogue_messages,
    dialogue_of,
    prompt_digest,
    turn_messages,
)

LIMA = AgentTurn("What is the capital of Peru?", "It is Lima.", "it's lima")
THANKS = AgentTurn("Thanks.", "", "hm")
SILENT = AgentTurn("And of Chile?", "Santiago.", " ")


def test_the_judge_sees_all_agent_turns_of_a_conversation():
    system, user = dialogue_messages(Dialogue("a", (LIMA, THANKS, SILENT)))
    assert system.role == "system" and '{"turns":' in system.content
    assert user.content == (
        "Turn 1\n"
        "User: What is the capital of Peru?\n"
        "Reference: It is Lima.\n"
        "Hypothesis: it's lima\n\n"
        "User: Thanks.\n\n"
        "Turn 2\n"
        "User: And of Chile?\n"
        "Reference: Santiago.\n"
        "Hypothesis: (nothing)"
    )


def test_one_turn_is_asked_for_with_the_answer_opened():
    *_, user, opened = turn_messages(LIMA)
    assert user.content.startswith("User: What is the capital of Peru?\nReference:")
    assert (opened.role, opened.content) == ("assistant", "Score: ")


@given(st.text(), st.text())
def test_no_text_of_the_data_can_look_like_a_line_of_the_form(user, hypothesis):
    turn = AgentTurn(user, "It is Lima.", hypothesis)
    shown = dialogue_messages(Dialogue("a", (turn,)))[1].content
    assert len(shown.splitlines()) == 4


def answer(reference, spoken):
    return Answer(reference, reference, "", spoken, False, False)


def test_answers_stand_beside_the_user_turn_before_them():
    answers = [answer("", "hello"), answer("It is Lima.", "lima"), answer("", "")]
    dialogue = dialogue_of("a", ["Peru?", "Thanks."], answers)
    assert dialogue.turns == (
        AgentTurn("", "", "hello"),
        AgentTurn("Peru?", "It is Lima.", "lima"),
        AgentTurn("Thanks.", "", ""),
    )
    assert dialogue.judged == dialogue.turns[1:2]


@pytest.mark.parametrize("style", ["json", "likelihood"])
def test_the_digest_changes_with_the_instructions(style, monkeypatch):
    before = GptScoreOptions(url=None, style=style).prompt_digest
    assert before == prompt_digest(style)
    with monkeypatch.context() as patch:
        patch.setattr(gpt_prompt, "NOTHING", "nothing")
        assert prompt_digest(style) != before
    monkeypatch.setattr(gpt_prompt, "PROMPT_FILES", {style: "__init__.py"})
    assert prompt_digest(style) != before


def test_styles_have_digests_of_their_own():
    options = GptScoreOptions(url=None)
    assert replace(options, style="likelihood").prompt_digest != options.prompt_digest


def test_an_endpoint_cannot_judge_by_likelihood():
    with pytest.raises(ValueError, match="with a local model, or ask for JSON"):
        GptScoreOptions(style="likelihood")
