"""The language model that --llm and --llm_model of the recipe name."""

from pathlib import Path

from espnet2_duplex.chat.backend import Backend, open_backend

PACKAGED = "smollm2"


def open_llm(llm: str, *, model: str | None, downloads: Path) -> Backend:
    """The packaged SmolLM2, an endpoint, or a model for transformers.

    Args:
        llm: "smollm2", or what `open_backend` takes.
        model: name of the model at an endpoint.
        downloads: folder of the packaged assets and of the endpoint's kept answers.
    Raises:
        ValueError: an endpoint without a model's name, or a model that is not there.
    """
    if llm == PACKAGED:
        from llm.smollm2 import LICENCE, NAME, prepare_smollm2

        from espnet2_duplex.chat.local_model import LocalModel

        return LocalModel(prepare_smollm2(downloads), name=NAME, licence=LICENCE)
    return open_backend(llm, model=model, cache=downloads / "llm_cache")
