import pytest
from hypothesis import given
from hypothesis import strategies as st
from sources.rows import Refused
from sources.speakable import SENTENCE_END, speakable
from sources.typed import spoken_message, spoken_turn
from tts.english import NOT_LATIN


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


@pytest.mark.parametrize(
    "written, said",
    [
        ("It heals.It is old.", "It heals. It is old."),
        ("He did.I saw it.", "He did. I saw it."),
        ("It is (so).It stays.", "It is, so. It stays."),
        ("He has a Ph.D. in math.", "He has a Ph.D. in math."),
        ("Node.JS and U.S.A. stay.", "Node.JS and U.S.A. stay."),
    ],
)
def test_a_lost_space_between_sentences_is_found(written, said):
    assert speakable(written) == said


@pytest.mark.parametrize(
    "text, sentences",
    [
        ("It is No. 1. It won.", ["It is No. 1.", "It won."]),
        ("No. He left.", ["No.", "He left."]),
        ("On Jan. 5 he came. He left in Jan. Then", None),
        ("We met Prof. Xu, e.g. Tea, i.e. Ann. So.", None),
        ("See fig. 2, pp. 3 to 5. 6 came.", None),
    ],
)
def test_a_sentence_does_not_end_at_an_abbreviation(text, sentences):
    expected = (
        sentences
        or {
            "On": ["On Jan. 5 he came.", "He left in Jan.", "Then"],
            "We": ["We met Prof. Xu, e.g. Tea, i.e. Ann.", "So."],
            "Se": ["See fig. 2, pp. 3 to 5.", "6 came."],
        }[text[:2]]
    )
    assert SENTENCE_END.split(text) == expected


def test_letters_that_the_voices_lack_lose_their_marks():
    assert speakable("Nguy\u1ec5n has a \ufb01ne caf\u00e9") == "Nguyen has a fine café"
    with pytest.raises(Refused, match="letters that are not Latin"):
        speakable("the letter \u0250")  # a turned a, which no mark makes


@given(st.text(st.characters(categories=["L", "Mn", "Zs", "Po"]), max_size=40))
def test_what_is_speakable_has_only_letters_of_the_voices(text):
    try:
        said = speakable(text)
    except Refused:
        return
    assert not NOT_LATIN.search(said)


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
        ("so funny xD", "So funny."),
        ("good :-3 bye 8-)", "Good bye."),
        ("no x( why :/", "No why."),
        ("I am 83 years old", "I am 83 years old."),
        ("it was 8/3 or 8-3", "It was 8/3 or 8-3."),
        ("I use Windows XP", "I use Windows XP."),
        ("in 44 BC, or 44 bc", "In 44 BC, or 44 bc."),
        ("take vitamin K", "Take vitamin K."),
        ("she is an RN", "She is an RN."),
        ("isn't it rated R?", "Isn't it rated R?"),
        (
            "k, its late rn bc u r here",
            "Okay, its late right now because you are here.",
        ),
        ("OK Im here", "Okay I'm here."),
        ("a k-pop song and r&b", "A k-pop song and r&b."),
    ],
)
def test_chat_becomes_sentences(typed, said):
    assert spoken_message(typed) == said


def test_messages_of_a_turn_are_joined_and_an_empty_turn_is_refused():
    assert spoken_turn(["hi", ":)", "how are u?"]) == "Hi. How are you?"
    with pytest.raises(Refused, match="an empty turn"):
        spoken_turn([":)", "lol"])
