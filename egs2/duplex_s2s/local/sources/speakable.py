"""Written text -> text that can be said, or the reason why it cannot.

Rules. Marks of headings, lists, quotations and emphasis go, and what they stood on
becomes sentences, as do short lines; links keep their text; brackets become commas;
degrees and ranges of numbers become words; emoji go, and so do marks on letters that
the voices do not know with them. Text with code, tables, formulas, markup, addresses,
symbols that nobody reads aloud, or letters that are not Latin is refused. Digits stay:
the voices read numbers.
"""

import re
import unicodedata

from sources.rows import Refused
from tts.english import NOT_LATIN

UNSPEAKABLE = (
    (
        "code",
        re.compile(
            r"```|~~~|`[^`\n]*[{}()\[\];=<>\\$][^`\n]*`|\w\(\)|[{}]\s*$|\);\s*$", re.M
        ),
    ),
    ("a table", re.compile(r"^\s*\|.*\|\s*$", re.M)),
    ("a formula", re.compile(r"\$\$|\\[a-zA-Z(\[]|\$[^$\n]*[\\^_{][^$\n]*\$")),
    ("markup", re.compile(r"</?[a-zA-Z][^>\n]*>")),
    ("an address", re.compile(r"https?:|www\.|\S+@\S+\.\w|\w\.(com|org|net|edu)\b")),
)
LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
RULE = re.compile(r"^\s*([-*_]\s?){3,}$", re.M)
LINE_MARK = re.compile(
    r"^\s*(#{1,6}\s+|>\s?|[-*+•]\s+|\(?\d{1,3}[.)](\s+|(?=[A-Z]))|[a-zA-Z]\)\s+)"
)
SHORT_LINE = 40  # characters; text is broken to fit a page at longer ones
EMPHASIS = re.compile(r"(\*\*|__|(?<![\w*])[*_])(?=\S)(.+?)(?<=\S)(\1)(?!\w)")
CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("‘’´ʼ", "'"),
        **dict.fromkeys('“”„«»"`', ""),
        **dict.fromkeys("–—―", ", "),
        "−": "-",
        "…": "...",
        "\u00a0": " ",
        "\u00ad": "",
    }
)
BULLET = re.compile(r"\s*•\s*")
NUMBER = r"\d[\d,]*(?:\.\d+)?"
DASHED = re.compile(
    rf"({NUMBER})(\s*%|\s?[°º]\s?[CF]?)?(?:\s*([–—])\s*|\s+(-)\s+|-)"
    rf"(?=([$£€]?)({NUMBER}))"
)
READINGS = (
    (re.compile(r"\s*[°º]\s?C\b"), " degrees Celsius"),
    (re.compile(r"\s*[°º]\s?F\b"), " degrees Fahrenheit"),
    (re.compile(r"(?<=\d)\s*[°º]"), " degrees"),
    (re.compile(r"(?<=\d)\s*¢"), " cents"),
    (re.compile(r"\s+-\s+|\s*-{2,}\s*"), ", "),
    # A lost space between sentences; not in "Ph.D." or "Node.JS".
    (re.compile(r"(?:(?<=[a-z]{2}[.?!])|(?<=\)[.?!]))(?=[A-Z][a-z]|I\b)"), " "),
)
UNSAID = frozenset(["So", "Sk", "Cf", "Cs", "Co", "Mn"])  # emoji and their parts
SPEAKABLE_SYMBOLS = frozenset("0123456789 .,;:!?'-%$€£&+/#")
# What a full stop may follow without ending a sentence, by the number of letters.
BEFORE_NAMES = ("Dr Mr Ms Mt St vs", "Gen Gov Mrs Rev Sen", "Capt Prof", r"e\.g i\.e")
BEFORE_NUMBERS = (
    "No no pp",
    "Apr Aug Dec Feb Fig Jan Jul Jun Mar Nov Oct Sep Vol fig vol",
    "Sept",
    "approx",
)


def _not_after(*abbreviations: str) -> str:
    """Lookbehinds, each for abbreviations of one length."""
    return "".join(
        rf"(?<!\b(?:{'|'.join(words.split())})\.)" for words in abbreviations
    )


SENTENCE_END = re.compile(
    r"(?<!\b[A-Z]\.)"
    + _not_after(*BEFORE_NAMES)
    + rf"(?<=[.?!])(?:(?=\s+[A-Z'])|{_not_after(*BEFORE_NUMBERS)})\s+(?=[A-Z0-9'])"
)


def speakable(text: str) -> str:
    """The text as it is said, in one line (rules above).

    Raises:
        Refused: it holds what cannot be said, or nothing at all.
    """
    text = LINK.sub(r"\1", unicodedata.normalize("NFC", text))
    for what, pattern in UNSPEAKABLE:
        if pattern.search(text):
            raise Refused(f"{what} in a turn")
    text = _sentences_of_lines(BULLET.sub("\n• ", RULE.sub("", text)))
    text = DASHED.sub(_range_or_difference, text).translate(CHARACTERS)
    for pattern, words in READINGS:
        text = pattern.sub(words, text)
    text = re.sub(r"\s*[(\[]([^()\[\]]*)[)\]]", r", \1,", text)
    text = NOT_LATIN.sub(_plain_letter, text)
    text = "".join(c for c in text if unicodedata.category(c) not in UNSAID)
    text = " ".join(text.split())
    text = re.sub(r"\s+([.,;:!?])", r"\1", text)
    text = re.sub(r"[,;:]+([.,;:!?])", r"\1", text).lstrip(",;: ").rstrip(",;: -")
    _check_characters(text)
    return text


def _range_or_difference(dashed: re.Match) -> str:
    """ "5–6" is five to six, "9 - 6" nine minus six; the voices know "5-6"."""
    first, unit, long_dash, spaced_hyphen, currency, second = dashed.groups(default="")
    low, high = (float(number.replace(",", "")) for number in (first, second))
    if spaced_hyphen and low > high:
        return f"{first}{unit} minus "
    if long_dash or spaced_hyphen or unit or currency:
        return f"{first}{unit} to "
    return dashed[0]


def _plain_letter(letter: re.Match) -> str:
    """A Latin letter that the voices lack, without its marks: "ễ" is "e", "ﬁ" "fi"."""
    is_latin = unicodedata.name(letter[0], "").startswith("LATIN")
    return unicodedata.normalize("NFKD", letter[0]) if is_latin else letter[0]


def _sentences_of_lines(text: str) -> str:
    """Lines joined; items of lists, headings and paragraphs end like sentences.

    So does a short line before one that begins like a sentence.
    """
    said: list[str] = []
    is_open = False  # the line before may go on in this one
    for line in text.replace("\r", "").split("\n"):
        content = LINE_MARK.sub("", line)
        is_item = content != line.strip() and content != line
        content = EMPHASIS.sub(r"\2", EMPHASIS.sub(r"\2", content)).strip()
        is_over = is_item or not content or not is_open
        if said and not is_over:
            is_over = len(said[-1]) < SHORT_LINE and re.match(r"[A-Z0-9]", content)
        if said and is_over and said[-1][-1] not in ".,;:?!":
            said[-1] += "."
        if content:
            said.append(content)
        is_open = bool(content) and not is_item
    return " ".join(said)


def _check_characters(text: str) -> None:
    for char in text:
        if char.isalpha():
            if NOT_LATIN.match(char):
                raise Refused("letters that are not Latin in a turn")
        elif char not in SPEAKABLE_SYMBOLS:
            raise Refused("symbols in a turn")
    if not any(char.isalnum() for char in text):
        raise Refused("an empty turn")
