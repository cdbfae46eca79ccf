"""Wordings of `countries.py`: what is asked about countries, and how it is answered."""

from dataclasses import dataclass

LANGUAGES = {
    "am": "Amharic",
    "ar": "Arabic",
    "bg": "Bulgarian",
    "bn": "Bengali",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}


@dataclass(frozen=True)
class Template:
    """Wordings of one fact.

    Attributes:
        first: questions that name the country.
        later: questions that need the dialogue before them.
        answers: may name the country or not.
    """

    first: tuple[str, ...]
    later: tuple[str, ...]
    answers: tuple[str, ...]


TEMPLATES = {
    "capital": Template(
        (
            "What is the capital of {name}?",
            "Which city is the capital of {name}?",
            "Do you know the capital of {name}?",
            "I have forgotten the capital of {name}. Can you help me?",
        ),
        (
            "And what is its capital?",
            "What is the capital there?",
            "Which city is the capital of that country?",
        ),
        (
            "The capital of {name} is {capital}.",
            "That is {capital}.",
            "It is {capital}.",
        ),
    ),
    "region": Template(
        (
            "Where in the world is {name}?",
            "In which part of the world do I find {name}?",
            "Can you tell me where {name} is?",
        ),
        (
            "And where is that?",
            "In which part of the world is it?",
            "Where would I find it on a map?",
        ),
        (
            "{name} is in {subregion}.",
            "You find it in {subregion}.",
            "It lies in {subregion}.",
        ),
    ),
    "demonym": Template(
        (
            "What do we call someone from {name}?",
            "If a man comes from {name}, what do we call him?",
            "What is the word for people from {name}?",
        ),
        (
            "And what do people call someone from there?",
            "What do I call a person who comes from there?",
            "And if my friend was born there, what is he?",
        ),
        (
            "Someone from {name} is {demonym}.",
            "The word is {demonym}.",
            "We say {demonym}.",
        ),
    ),
    "language": Template(
        (
            "Which language do they speak in {name}?",
            "What is the language of {name}?",
            "I am going to {name}. Which language should I learn?",
        ),
        (
            "What language do they speak there?",
            "And which language would I hear there?",
            "Which language do I need for a visit?",
        ),
        (
            "They speak {language} there.",
            "In {name} they speak {language}.",
            "That would be {language}.",
        ),
    ),
    "borders": Template(
        (
            "Who are the neighbours of {name}?",
            "Which countries have a border with {name}?",
        ),
        (
            "Which countries are next to it?",
            "And who are its neighbours?",
            "Where could I drive from there?",
        ),
        (
            "It has a border with {borders}.",
            "{name} has a border with {borders}.",
            "Next to it you find {borders}.",
        ),
    ),
    "island": Template(
        ("Can I drive to {name} by car?", "Does {name} have a land border?"),
        ("Could I go there by car?", "And does it have a land border?"),
        (
            "No, {name} has no land border.",
            "No, you have to fly or take a boat.",
        ),
    ),
    "area": Template(
        (
            "Which is bigger, {name} or {other}?",
            "Is {name} bigger than {other}?",
        ),
        (
            "Is it bigger than {other}?",
            "And how big is it, next to {other}?",
            "Would you say it is bigger than {other}?",
        ),
        (
            "{bigger} is bigger than {smaller}.",
            "{bigger} is the bigger one of the two.",
        ),
    ),
    "people": Template(
        (
            "Where do more people live, in {name} or in {other}?",
            "Has {name} got more people than {other}?",
        ),
        (
            "Do more people live there than in {other}?",
            "And has it got more people than {other}?",
        ),
        (
            "More people live in {fuller}.",
            "{fuller} has more people than {emptier}.",
        ),
    ),
}
OPENINGS = ("", "", "Hello. ", "Hi there. ", "I have a question. ", "Good morning. ")
LAST_WORDS = (
    ("Thank you.", ("You are welcome.", "My pleasure.")),
    ("Thanks, that helps.", ("Glad to help.", "You are welcome.")),
    ("Great, that is all.", ("Have a nice day.", "See you soon.")),
)
