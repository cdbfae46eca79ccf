"""What a language model must do for this recipe, and the choice of one.

Every text of this recipe that a language model writes comes through `Backend`: the
packaged SmolLM2, any model that transformers loads, or an OpenAI-compatible endpoint.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PACKAGED = "smollm2"


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

    def chat(self) -> list[dict[str, str]]:
        """The messages as chat templates and endpoints take them."""
        return [{"role": m.role, "content": m.content} for m in self.messages]


class Backend(Protocol):
    """A language model.

    Attributes:
        name: as it stands in the origin of each text.
        licence: that its texts carry in the data.
    """

    name: str
    licence: str

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        """One text for each prompt, without white space at its ends."""


def open_backend(llm: str, *, model: str | None, downloads: Path) -> Backend:
    """The language model that the command line names.

    Args:
        llm: "smollm2", the URL of an endpoint ("http://host:8000/v1"), or a folder or
            hub name of a model for transformers.
        model: name of the model at the endpoint.
        downloads: folder of the packaged assets.
    Raises:
        ValueError: an endpoint without a model's name, or a model that is not there.
    """
    if llm.startswith(("http://", "https://")):
        from llm.endpoint import Endpoint

        if not model:
            raise ValueError(
                f"--llm is the endpoint {llm}, but --llm_model does not say which of "
                "its models to ask; give its name."
            )
        return Endpoint(llm, model, cache=downloads / "llm_cache")
    from llm.local_model import LocalModel

    if llm == PACKAGED:
        from llm.smollm2 import LICENCE, NAME, prepare_smollm2

        return LocalModel(prepare_smollm2(downloads), name=NAME, licence=LICENCE)
    return LocalModel(llm)
