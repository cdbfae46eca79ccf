"""Where a pretrained LLM comes from: the one place that reads one.

An LLM is named by its hub name, by a folder as transformers saves it, or by a GGUF
file. All three give a configuration, a tokenizer and weights.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

# What only concerns the file that was read, or this version of transformers.
_NOT_ARCHITECTURE = (
    "_model_name_or_path",
    "_name_or_path",
    "architectures",
    "dtype",
    "quantization_config",
    "transformers_version",
)


def read_llm_conf(llm: str) -> dict[str, Any]:
    """The configuration of an LLM, as plain values for YAML, with `model_type`.

    Raises:
        ValueError: If there is no such LLM, or if it cannot be read.
    """
    conf = _read_config(llm).to_diff_dict()
    return {key: conf[key] for key in conf if key not in _NOT_ARCHITECTURE}


def read_llm_weights(llm: str) -> dict[str, torch.Tensor]:
    """All weights of an LLM by name, float32; quantised ones are dequantised.

    Raises:
        ValueError: If there is no such LLM, or if it cannot be read.
    """
    from transformers import AutoModelForCausalLM

    model = _read(AutoModelForCausalLM.from_pretrained, llm, dtype=torch.float32)
    return model.state_dict()


def read_llm_tokenizer(llm: str):
    """The tokenizer of an LLM as transformers has it (a `PreTrainedTokenizer`).

    Raises:
        ValueError: If there is no such LLM, or if it cannot be read.
    """
    from transformers import AutoTokenizer

    tokenizer = _read(AutoTokenizer.from_pretrained, llm)
    if _is_gguf(llm):
        # transformers mistakes the special tokens of some GGUF files (of SmolLM2 it
        # takes <|im_start|> for the end of a message); the configuration is right.
        eos = _read_config(llm).eos_token_id
        if isinstance(eos, int):
            tokenizer.eos_token = tokenizer.convert_ids_to_tokens(eos)
    return tokenizer


def _read_config(llm: str):
    from transformers import AutoConfig

    return _read(AutoConfig.from_pretrained, llm)


def _is_gguf(llm: str) -> bool:
    return llm.endswith(".gguf") and not Path(llm).is_dir()


def _read(from_pretrained: Callable, llm: str, **options: Any):
    """Call `from_pretrained`; what it says about users' faults in one sentence."""
    source = llm
    if _is_gguf(llm):
        source, options["gguf_file"] = str(Path(llm).parent), Path(llm).name
        if not Path(llm).is_file():
            raise ValueError(f"the GGUF file {llm} does not exist; check the path")
    try:
        return from_pretrained(source, **options)
    except ImportError as error:
        raise ValueError(
            f"the LLM {llm!r} needs a package that is not installed ({error}); GGUF "
            "files need gguf and accelerate"
        ) from error
    except OSError as error:
        raise ValueError(
            f"the LLM {llm!r} is neither a folder as transformers saves an LLM, nor a "
            "GGUF file, nor one that the Hugging Face hub would give; check the path or "
            "the name"
        ) from error
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"transformers cannot read the LLM {llm!r} ({str(error).splitlines()[0]}); "
            "choose a causal LLM that the installed transformers knows"
        ) from error
