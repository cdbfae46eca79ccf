"""What the filters let pass, what they reject, and under which name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llm.filters import DIALOGUE, MAX_WORDS, QUESTION, Draft, first_objection
from llm.parsing import parse_lines, shorten, tidy
from llm.words import repeats_itself, shared_share

ASKED = ["How does one bake bread?"]
TRANSCRIPT = "we walked to the old harbour and bought fresh fish for dinner"


def objection_to_user(text, earlier=(), subject=""):
    return first_objection(Draft(text, earlier, subject), DIALOGUE)


def objection_to_agent(text, earlier=ASKED, subject="baking bread"):
    return first_objection(Draft(text, earlier, subject), DIALOGUE)


@pytest.mark.parametrize(
    "text",
    [
        "How do I bake bread?",
        "I want to bake bread. What do I need?",
        "Thanks, I will bake bread tonight.",
    ],
)
def test_what_a_user_says_first_passes(text):
    assert objection_to_user(text, subject="baking bread") is None


def test_a_user_may_go_on_to_something_else():
    earlier = [*ASKED, "Mix flour and water."]
    text = "That sounds good. How long does it take?"
    assert objection_to_user(text, earlier, "baking bread") is None


@pytest.mark.parametrize(
    "text",
    [
        "Mix flour and water, then bake the dough for half an hour.",
        "I'd recommend a warm oven for the bread.",
        "Bread needs time. Do you have a warm place for the dough?",
    ],
)
def test_what_an_agent_says_passes(text):
    assert objection_to_agent(text) is None


@pytest.mark.parametrize(
    "text, name",
    [
        ("Bread.", "too short"),
        ("Bread is " + "very " * MAX_WORDS + "good.", "too long"),
        ("You bake the bread and", "unfinished"),
        ("Bake it at {200} degrees.", "cannot be said"),
        ("The steps are simple. 1. Bake bread.", "cannot be said"),
        ("As an AI language model, I cannot bake bread.", "about itself"),
        ("Bread is damn good.", "crude"),
        ("Bake the bread, then bake the bread again.", "repeats itself"),
        ("So, how does one bake bread? Mix it.", "repeats a line"),
        ("The weather is fine today.", "off topic"),
        ("Bread wants a zxqvbrt oven.", "unknown words"),
    ],
)
def test_each_filter_of_content_gives_its_name(text, name):
    assert objection_to_agent(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "User: How do I bake bread?",
        "As a user, I want to bake bread.",
        "What is bread? Bread is a food.",
        "Bread is a food made of flour.",
        "How can I help with the bread?",
        "What bread are you baking today?",
    ],
)
def test_a_user_who_takes_the_agents_part_is_rejected(text):
    assert objection_to_user(text, subject="bread") == "role confusion"


@pytest.mark.parametrize(
    "text",
    [
        "Agent: You bake bread in an oven.",
        "Can you tell me how to bake bread?",
        "What bread?",
        "I've baked bread with my mother.",
        "I'm baking bread right now.",
        "I bake bread every day.",
    ],
)
def test_an_agent_who_takes_the_users_part_is_rejected(text):
    assert objection_to_agent(text) in ("role confusion", "too short")


def test_the_first_turn_must_be_about_the_subject():
    assert objection_to_user("What are they?", subject="volcanoes") == "off topic"
    assert objection_to_user("What is a volcano?", subject="volcanoes") is None


def test_lines_of_the_examples_are_not_copied():
    draft = Draft("Can I bake rye bread?", subject="bread", examples=ASKED)
    assert first_objection(draft, DIALOGUE) is None
    draft = Draft("So how does one bake bread?", subject="bread", examples=ASKED)
    assert first_objection(draft, DIALOGUE) == "copies an example"


@pytest.mark.parametrize(
    "text, earlier, name",
    [
        ("Where did they walk to?", [], None),
        ("They walked to the harbour.", [], "no question"),
        ("To the old harbour.", ["Where did they walk to?"], None),
        ("What harbour was it?", ["Where did they walk to?"], "no question"),
        (
            "The harbour of a large southern town.",
            ["Where did they walk to?"],
            "not from the transcript",
        ),
    ],
)
def test_answers_come_from_the_transcript(text, earlier, name):
    assert first_objection(Draft(text, earlier, TRANSCRIPT), QUESTION) == name


def test_repetition_inside_a_text():
    assert repeats_itself("It is red and it is red.")  # three words in a row
    assert repeats_itself("Snow, snow and snow.")  # a meaningful word three times
    assert not repeats_itself("The snow on the hill and the snow in the town.")


def test_share_of_common_word_pairs():
    assert shared_share("a b c", "a b c") == 1
    assert shared_share("a b c", "d e") == 0
    # Pairs of the shorter one: (<, a) (a, b) (b, >); the other has the first two.
    assert shared_share("a b", "a b c d") == pytest.approx(2 / 3)


def test_a_long_text_is_cut_at_the_end_of_a_sentence():
    text = "This is the first one here. This is the second one."
    assert shorten(text, 8) == "This is the first one here."
    assert shorten(text, 30) == text
    assert shorten("It is a good and old idea. And then", 30) == (
        "It is a good and old idea."
    )


def test_a_text_is_not_cut_to_fewer_than_five_words():
    text = "It is good. This sentence has far too many words."
    assert shorten(text, 6) == text


@given(st.text("ab .?!", max_size=60), st.integers(5, 12))
def test_cutting_only_takes_away_from_the_end(text, max_words):
    short = shorten(text, max_words)
    assert text.startswith(short)
    assert short == text or 5 <= len(short.split()) <= max_words


def test_tidy_makes_one_plain_line():
    assert tidy(' "It’s  late."\n') == "It's late."
    assert tidy('She said "no".') == 'She said "no".'


def test_lines_are_parsed_by_their_labels():
    text = "Here you are:\n\n**User:** Hi there.\n**Agent:** Hello.\nUser: More."
    assert parse_lines(text, ("User", "Agent"), 2) == ["Hi there.", "Hello."]


@pytest.mark.parametrize(
    "text",
    [
        "User: Hi.",
        "User: Hi.\nUser: Again.",
        "Agent: Hi.\nUser: Hello.",
        "User: Hi.\nsome words\nAgent: Hello.",
        "",
    ],
)
def test_text_of_another_form_has_no_lines(text):
    assert parse_lines(text, ("User", "Agent"), 2) is None
