"""kyutai's Moshi, through the package `moshi`, version 0.2.13.

Written against that package's interface and run with it on random weights of a small
size; it has not been run on kyutai's weights. The package asks for torch below 2.10 and
huggingface-hub below 1.0, so it needs an environment of its own::

    pip install moshi==0.2.13 kaldiio soundfile soxr tqdm
    PYTHONPATH=../.. python local/run_baseline.py moshi --data_dir data/test_qa ...
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_REPO = "kyutai/moshiko-pytorch-bf16"


@dataclass(frozen=True)
class MoshiModel:
    """Moshi's parts, streaming, for one conversation at a time.

    Attributes:
        mimi: the codec (`moshi.models.MimiModel`).
        lm_gen: the language model (`moshi.models.LMGen`).
        tokenizer: of its text (a SentencePieceProcessor).
        device: of both.
        silent_ids: tokens of the text channel that are no text.
    """

    mimi: Any
    lm_gen: Any
    tokenizer: Any
    device: str
    silent_ids: frozenset[int]

    @property
    def frame_samples(self) -> int:
        """Samples of a frame at Mimi's rate: 1,920 at 24 kHz."""
        return round(self.mimi.sample_rate / self.mimi.frame_rate)

    @property
    def frame_seconds(self) -> float:
        return self.frame_samples / self.mimi.sample_rate


def load_moshi(hf_repo: str, device: str) -> MoshiModel:
    """Moshi from the hub or from a folder with the same files.

    Args:
        hf_repo: name on the hub, or a folder with config.json and the files it names.
        device: "cuda" or "cpu"; bfloat16 on a GPU, float32 on the CPU.

    Raises:
        ValueError: the package or the weights are not there, or the model is no Moshi.
    """
    try:
        import torch
        from moshi.models import LMGen, loaders
    except ImportError as problem:
        raise ValueError(
            f"Moshi needs the package moshi, which cannot be imported ({problem}); in "
            "an environment of its own run pip install moshi==0.2.13 kaldiio soundfile "
            "soxr tqdm."
        ) from problem
    try:
        found = loaders.CheckpointInfo.from_hf_repo(hf_repo, **_local_files(hf_repo))
    except (OSError, ValueError) as problem:  # of the hub and its connection
        reason = str(problem).strip().splitlines()[0].rstrip(".")
        raise ValueError(
            f"the weights of {hf_repo} cannot be had ({reason}); give --hf_repo a name "
            "on the hub, or a folder with config.json and the files that it names."
        ) from problem
    if found.model_type != "moshi":
        raise ValueError(
            f"{hf_repo} is a model of the type {found.model_type}; expected a moshi, "
            f"for example {DEFAULT_REPO}."
        )
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    mimi = found.get_mimi(device=device)
    lm = found.get_moshi(device=device, dtype=dtype)
    lm_gen = LMGen(lm, **found.lm_gen_config)
    mimi.streaming_forever(1)
    lm_gen.streaming_forever(1)
    silent_ids = frozenset([lm.text_padding_token_id, lm.end_of_text_padding_id])
    tokenizer = found.get_text_tokenizer()
    return MoshiModel(mimi, lm_gen, tokenizer, device, silent_ids)


def _local_files(hf_repo: str) -> dict[str, Path]:
    """Arguments that make `from_hf_repo` read a folder; none for a name on the hub."""
    folder = Path(hf_repo)
    if not folder.is_dir():
        return {}
    config_path = folder / "config.json"
    config = json.loads(config_path.read_text(encoding="utf-8"))
    keys = {"moshi_weights": "moshi_name", "mimi_weights": "mimi_name"}
    keys |= {"tokenizer": "tokenizer_name"}
    files = {name: folder / config[key] for name, key in keys.items() if key in config}
    return {"config_path": config_path, **files}
