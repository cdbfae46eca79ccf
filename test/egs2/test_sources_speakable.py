import pytest
from hypothesis import given
from hypothesis import strategies as st
from sources.rows import Refused
from sources.speakable import cut, seconds_of, short, speakable
from sources.typed import spoken_message, spoken_turn


@pytest.mark.parametrize(
    "written, said",
    [
        ("Tea is **very** _hot_.", "Tea is very hot."),
        ("# Tea\nIt is a drink", "Tea. It is a drink"),
        ("Buy:\n- milk\n- two eggs\n\nThen go", "Buy: milk. two eggs. Then go"),
        ("1. Boil it.\n2) Drink it", "Boil it. Drink it"),
        ("> one line\nand its rest", "one line. and its rest"),
        ("one line\nand its rest", "one line and its rest"),
        ("See [the page](http://a.b/c) now.", "See the page now."),
        ("Tea (a drink) is hot (very).", "Tea, a drink, is hot, very."),
        ("It’s “tea” — hot… 😀", "It's tea, hot..."),
        ("Use `tea` here.", "Use tea here."),
        ("It costs $5, 20% off, at 10:30.", "It costs $5, 20% off, at 10:30."),
        ("above\n---\nbelow", "above. below"),
        ("Zürich and café", "Zürich and café"),
        ("cafe\u0301", "café"),
        ("- tea (hot)\n- milk", "tea, hot. milk"),
        ("1.Eat well. \n2.Sleep", "Eat well. Sleep"),
        ("Oak: plant\nIron: mineral", "Oak: plant. Iron: mineral"),
        ("Roses are red,\nViolets blue", "Roses are red, Violets blue"),
        (f"It is {'so ' * 12}big in\nFrance.", f"It is {'so ' * 12}big in France."),
        ("Mix it. • Wait • Eat", "Mix it. Wait. Eat"),
        ("It heals.It is old.", "It heals. It is old."),
        ("Tea - a drink - is hot", "Tea, a drink, is hot"),
    ],
)
def test_marks_of_writing_go_and_lines_become_sentences(written, said):
    assert speakable(written) == said


@pytest.mark.parametrize(
    "written, said",
    [
        (
            "It is 100°C, or 212 ºF.",
            "It is 100 degrees Celsius, or 212 degrees Fahrenheit.",
        ),
        ("−15 to −25 °C", "-15 to -25 degrees Celsius"),
        ("a 90° turn for 5¢", "a 90 degrees turn for 5 cents"),
        ("20-25°C, 5%-10%", "20-25 degrees Celsius, 5% to 10%"),
        ("5–6 minutes, $2.51 - $3.17", "5 to 6 minutes, $2.51 to $3.17"),
        ("What is 1,000 - 30?", "What is 1,000 minus 30?"),
        ("in 1914-1918, call 800-555-1234", "in 1914-1918, call 800-555-1234"),
    ],
)
def test_degrees_and_ranges_are_said_as_one_says_them(written, said):
    assert speakable(written) == said


@pytest.mark.parametrize(
    "written, reason",
    [
        ("```python\nx = 1\n```", "code"),
        ("call `f(x)` now", "code"),
        ("| a | b |\n|---|---|", "a table"),
        ("so $x^2$ is", "a formula"),
        (r"so \frac{1}{2} is", "a formula"),
        ("<b>hi</b>", "markup"),
        ("see https://example.org", "an address"),
        ("write to me@example.org", "an address"),
        ("write x=1", "symbols"),
        ("5 * 3 apples", "symbols"),
        ("two m²", "symbols"),
        ("say 你好", "letters that are not Latin"),
        (" 😀 ", "an empty turn"),
    ],
)
def test_what_nobody_says_is_refused_with_the_reason(written, reason):
    with pytest.raises(Refused, match=reason):
        speakable(written)


@given(st.text(max_size=60))
def test_speakable_text_stays_as_it_is(text):
    try:
        said = speakable(text)
    except Refused:
        return
    assert "\n" not in said and said == said.strip()
    assert not set(said) & set('`*_<>[](){}|"\\')


def test_a_turn_is_cut_after_the_last_sentence_that_fits():
    text = "One two three. Four five six. Seven eight nine."
    assert seconds_of(text, "agent") == pytest.approx(9 * 0.37)
    assert cut(text, "agent", 6.5 * 0.37) == "One two three. Four five six."
    assert cut(text, "agent", 25.0) == text


def test_a_turn_is_not_cut_after_an_abbreviation():
    text = "We met Dr. Smith and J. S. Bach there. They sang."
    assert cut(text, "agent", 10 * 0.37) == "We met Dr. Smith and J. S. Bach there."


def test_a_turn_whose_first_sentence_is_too_long_is_refused():
    with pytest.raises(Refused, match="a first sentence that is too long"):
        cut("One two three four. Five.", "agent", 1.0)
    with pytest.raises(Refused, match="a text of the user that is too long"):
        short("One two three four.", "user", 1.0)


@pytest.mark.parametrize(
    "typed, said",
    [
        ("im fine lol", "I'm fine."),
        ("u dont know :)", "You don't know."),
        ("so . . . what??!", "So, what?"),
        ("no way!!!", "No way!"),
        ("i guess i'll go...", "I guess I'll go."),
        ("ok", "Okay."),
        (":)", ""),
    ],
)
def test_chat_becomes_sentences(typed, said):
    assert spoken_message(typed) == said


def test_messages_of_a_turn_are_joined_and_an_empty_turn_is_refused():
    assert spoken_turn(["hi", ":)", "how are u?"]) == "Hi. How are you?"
    with pytest.raises(Refused, match="an empty turn"):
        spoken_turn([":)", "lol"])
