"""kyutai's Moshi, through the package `moshi`, version 0.2.13.

Written against that package's interface and run with it on random weights of a small
size; it has not been run on kyutai's weights. The package asks for torch below 2.10 and
huggingface-hub below 1.0, so it needs an environment of its own::

    pip install moshi==0.2.13 kaldiio soundfile soxr tqdm
    PYTHONPATH=../.. python local/run_baseline.py moshi --data_dir data/test_qa ...
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from baselines.sides import SAMPLE_RATE, AgentSide, UserSide

from espnet2_duplex.conversation import Turn
from espnet2_duplex.formats.words import turns_of_words
from espnet2_duplex.sound_files import resample
from espnet2_duplex.words import Word

DEFAULT_REPO = "kyutai/moshiko-pytorch-bf16"
LATENCY_SECONDS = 0.16  # a frame of Mimi and the acoustic delay of a frame
WORD_BOUNDARY = "▁"  # of sentencepiece
WORD_SECONDS = 0.4  # a word before a pause lasts so long; see words_of_pieces
PAUSE_SECONDS = 1.0  # without a new word, after which another turn begins


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


@dataclass(frozen=True)
class Step:
    """What Moshi did in a frame: speech (S,) float32 and a token of text, None at the
    beginning."""

    speech: np.ndarray
    token: int | None


class Moshi:
    """Moshi hears a conversation frame by frame, as in kyutai's run_inference.

    What comes out after frame t was heard is put at frame t, as our own decoder does;
    the declared latency tells when it could be heard at the earliest.

    Args:
        model: loaded.
        seed: of the sampling; each conversation has its own.
    """

    def __init__(self, model: MoshiModel, seed: int = 0) -> None:
        self._model = model
        self._seed = seed

    def take_part(self, user: UserSide) -> AgentSide:
        import torch

        model = self._model
        torch.manual_seed(zlib.crc32(f"{self._seed}/{user.id}".encode()))
        rate = model.mimi.sample_rate
        with torch.no_grad():
            steps = list(listen(model, resample(user.speech, SAMPLE_RATE, rate)))
        speech = np.concatenate([step.speech for step in steps])
        speech = resample(speech, rate, SAMPLE_RATE)
        speech = np.pad(speech, (0, max(0, len(user.speech) - len(speech))))
        tokens = [step.token for step in steps]
        turns = self._turns(tokens, user.duration)
        return AgentSide(speech[: len(user.speech)], tuple(turns), LATENCY_SECONDS)

    def _turns(self, tokens: Sequence[int | None], duration: float) -> list[Turn]:
        model = self._model
        frames = [
            (t, i) for t, i in enumerate(tokens) if i not in {None, *model.silent_ids}
        ]
        pieces = [(t, model.tokenizer.id_to_piece(i)) for t, i in frames]
        words = words_of_pieces(pieces, model.frame_seconds, duration)
        return turns_of_words(words, "agent", PAUSE_SECONDS)


def listen(model: MoshiModel, speech: np.ndarray) -> Iterator[Step]:
    """One step for each frame of speech (N,) float32 at Mimi's rate, the last padded."""
    import torch

    model.mimi.reset_streaming()
    model.lm_gen.reset_streaming()
    size = model.frame_samples
    padded = np.pad(speech, (0, -len(speech) % size))
    for number, frame in enumerate(padded.reshape(-1, 1, 1, size)):  # each (1, 1, S)
        codes = model.mimi.encode(torch.from_numpy(frame).to(model.device))
        if number == 0:
            # The first step hears the initial tokens, whatever it is given.
            model.lm_gen.step(codes)
        tokens = model.lm_gen.step(codes)  # (1, 1 + K, 1), or None in the delay
        if tokens is None:
            yield Step(np.zeros(size, np.float32), None)
            continue
        decoded = model.mimi.decode(tokens[:, 1:])  # (1, 1, S)
        yield Step(decoded[0, 0].float().cpu().numpy(), int(tokens[0, 0, 0]))


def words_of_pieces(
    pieces: Iterable[tuple[int, str]], frame_seconds: float, duration: float
) -> list[Word]:
    """Words with times from sentencepiece's pieces.

    The text channel has a word's pieces at its beginning and padding until the next
    word, so that its end is not known: it is the next word's beginning, but at most
    `WORD_SECONDS` after its last piece.

    Args:
        pieces: (frame, piece), in time order.
        frame_seconds: length of a frame.
        duration: of the conversation in seconds, where the last word ends at the latest.
    """
    spelled: list[tuple[int, int, str]] = []  # first frame, last frame, text
    for frame, piece in pieces:
        text = piece.replace(WORD_BOUNDARY, " ")
        if spelled and not piece.startswith(WORD_BOUNDARY):
            first, _, begun = spelled.pop()
            spelled.append((first, frame, begun + text))
        else:
            spelled.append((frame, frame, text))
    limits = [first * frame_seconds for first, _, _ in spelled[1:]] + [duration]
    return [
        Word(
            text.strip(),
            first * frame_seconds,
            min(limit, (last + 1) * frame_seconds + WORD_SECONDS),
        )
        for (first, last, text), limit in zip(spelled, limits)
    ]


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
            f"Moshi needs the package moshi, which cannot be imported ({problem}); make "
            "an environment of its own with pip install moshi==0.2.13 kaldiio soundfile "
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
