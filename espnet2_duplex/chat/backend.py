"""What a language model must do, and the choice of one.

Whatever asks a language model for texts, or for a judgement, does so through `Backend`:
any model that transformers loads, or an OpenAI-compatible endpoint.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Message:
    """One message of a chat; `role` is "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True)
class Prompt:
    """One text to write.

    Attributes:
        messages: the chat so far; the model writes the assistant's next message, or
            goes on with the last one if that is the assistant's.
        seed: of this text alone, whatever is written beside it.
        max_tokens: longest text.
        temperature: 0 takes the likeliest token always.
        top_p: share of the probability that the drawn tokens come from.
        stop: strings at which the text ends; the text is without them.
    """

    messages: tuple[Message, ...]
    seed: int
    max_tokens: int = 64
    temperature: float = 0.8
    top_p: float = 0.95
    stop: tuple[str, ...] = ()

    @property
    def is_opened(self) -> bool:
        """Whether the last message is the beginning of the model's own."""
        return self.messages[-1].role == "assistant"

    def continued(self, text: str) -> "Prompt":
        """The same prompt, its opened last message longer by `text`."""
        *earlier, last = self.messages
        longer = replace(last, content=last.content + text)
        return replace(self, messages=(*earlier, longer))

    def chat(self) -> list[dict[str, str]]:
        """The messages as chat templates and endpoints take them."""
        return [{"role": m.role, "content": m.content} for m in self.messages]


class Unavailable(ValueError):
    """The model cannot be asked: it is out of reach, or takes no prompt at all."""


class Refused(ValueError):
    """The model does not take one prompt, for its length or content say."""


class Backend(Protocol):
    """A language model.

    Attributes:
        name: as it stands in the origin of each text.
        licence: that its texts carry in the data.
    """

    name: str
    licence: str

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        """One text for each prompt, without white space at its ends.

        Raises:
            Unavailable, Refused: see there; texts of other prompts may be lost.
        """


class ChoosingBackend(Backend, Protocol):
    """A language model that shows its probabilities."""

    def choice_probabilities(
        self, prompts: Sequence[Prompt], choices: Sequence[str]
    ) -> list[list[float]]:
        """Probability of each choice as what comes next in each opened prompt.

        Returns:
            One list a prompt, one probability a choice; they add up to 1 at most.
        """


def open_backend(llm: str, *, model: str | None = None, cache: Path) -> Backend:
    """The language model of a URL, a folder or a hub name.

    Args:
        llm: the URL of an endpoint ("http://host:8000/v1"), or a folder or hub name of
            a chat model for transformers.
        model: name of the model at the endpoint.
        cache: folder of the endpoint's kept answers.
    Raises:
        ValueError: an endpoint without a model's name, or a model that is not there.
    """
    if is_endpoint(llm):
        from espnet2_duplex.chat.endpoint import Endpoint

        if not model:
            raise ValueError(
                f"{llm} is an endpoint, but which of its models to ask is not said; "
                "give the model's name too."
            )
        return Endpoint(llm, model, cache=cache)
    from espnet2_duplex.chat.local_model import LocalModel

    return LocalModel(llm)


def is_endpoint(llm: str) -> bool:
    """Whether a language model is given by the URL of an endpoint."""
    return llm.startswith(("http://", "https://"))
