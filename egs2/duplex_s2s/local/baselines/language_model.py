"""A text LLM that decides what the agent says."""

import random
import re

from baselines.answerers import AnswerOptions
from baselines.kept_texts import KeptTexts
from baselines.sides import Dialogue, UserSide
from baselines.timed import Timed
from sources.rows import Refused
from sources.speakable import SENTENCE_END, speakable

from espnet2_duplex.chat.backend import Message, Prompt

NUM_REMEMBERED = 20  # exchanges: small models read 2,048 tokens
FINISHED = re.compile(r"[.?!]['\"]?$")


class LanguageModel:
    """A text LLM that reads the dialogue so far.

    Args:
        texts: of the model.
        options: how it answers.
    """

    def __init__(self, texts: KeptTexts, options: AnswerOptions) -> None:
        self._texts = texts
        self._options = options

    def answer(self, user: UserSide, number: int, dialogue: Dialogue) -> Timed[str]:
        options = self._options
        # Without drawing, the same chat in another conversation is the same text.
        name = f"{options.seed}/{user.id}/{number}"
        seed = random.Random(name).getrandbits(31) if options.temperature else 0
        prompt = Prompt(
            messages_of(dialogue, options.system_prompt),
            seed,
            max_tokens=options.max_tokens,
            temperature=options.temperature,
            stop=("\n",),
        )
        written = self._texts.complete(prompt)
        return Timed(spoken_form(written.value, options.max_words), written.seconds)


def messages_of(dialogue: Dialogue, system_prompt: str) -> tuple[Message, ...]:
    """The chat; what the user says without an answer in between is one message."""
    messages = [Message("system", system_prompt)] if system_prompt else []
    unanswered: list[str] = []
    for exchange in dialogue[-NUM_REMEMBERED:]:
        unanswered.append(exchange.user)
        if exchange.agent:
            messages.append(Message("user", " ".join(unanswered)))
            messages.append(Message("assistant", exchange.agent))
            unanswered = []
    if unanswered:
        messages.append(Message("user", " ".join(unanswered)))
    return tuple(messages)


def spoken_form(text: str, max_words: int) -> str:
    """What is said of a written answer: whole sentences up to `max_words`.

    A first sentence that is longer is cut after so many words; a last one that the
    model did not finish is left out if another is there. "" if the text cannot be
    said, as code or a table.
    """
    try:
        sentences = SENTENCE_END.split(speakable(text))
    except Refused:
        return ""
    if len(sentences) > 1 and not FINISHED.search(sentences[-1]):
        sentences.pop()
    said = " ".join(sentences[0].split()[:max_words])
    for sentence in sentences[1:]:
        longer = f"{said} {sentence}"
        if len(longer.split()) > max_words:
            break
        said = longer
    return said
