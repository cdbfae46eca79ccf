"""The texts of agent turns laid on the frames of their speech, and what does not fit."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from espnet2_duplex.alignment import align_text
from espnet2_duplex.conversation import Conversation
from espnet2_duplex.metrics.data_report.records import Record, TurnTokens
from espnet2_duplex.metrics.data_report.report import TokenModel
from espnet2_duplex.timing import FrameClock
from espnet2_duplex.tokenizer import (
    TextTokenizer,
    load_tokenizer,
    vocabulary_digest,
)

# Where tokens lie matters here, not which they are.
PAD, BOS, EOS, TOKEN = range(4)
CACHED_TEXTS = 1_000_000


def open_tokenizer(model: str) -> TextTokenizer:
    """Tokenizer of a SentencePiece ``.model``, or else of a Hugging Face folder.

    Raises:
        ValueError: there is no such file or folder.
    """
    if not Path(model).exists():
        raise ValueError(
            f"--token_model {model} does not exist; give a SentencePiece .model or the "
            "folder of a Hugging Face tokenizer."
        )
    token_type = "bpe" if model.endswith(".model") else "hugging_face"
    return load_tokenizer(token_type, model)


def token_model(path: str, tokenizer: TextTokenizer) -> TokenModel:
    """What the report says of the tokenizer that it read from `path`."""
    return TokenModel(path, tokenizer.size, vocabulary_digest(tokenizer))


def count_tokens(
    records: Iterable[Record],
    tokenizer: TextTokenizer,
    clock: FrameClock = FrameClock(),
) -> Iterator[Record]:
    """The records with `tokens` filled in.

    Raises:
        ValueError: turns that training could not align; names the conversation.
    """

    @lru_cache(CACHED_TEXTS)  # an answer is in many conversations
    def num_tokens(text: str) -> int:
        return len(tokenizer.encode(text))

    for record in records:
        conversation = record.conversation
        lengths = [num_tokens(turn.text) for turn in conversation.agent_turns]
        yield replace(record, tokens=fit_tokens(conversation, lengths, clock))


def fit_tokens(
    conversation: Conversation, num_tokens: Sequence[int], clock: FrameClock
) -> tuple[TurnTokens, ...]:
    """Lay so many tokens for each agent turn on its frames, as training does (Sec. 3.1).

    Args:
        conversation: turns and duration.
        num_tokens: of each agent turn.
        clock: frames.

    Raises:
        ValueError: two agent turns on one frame, or the like; names the conversation.
    """
    turns = conversation.agent_turns
    if not turns:
        return ()
    starts = np.array([clock.nearest_frame(turn.start) for turn in turns], np.int64)
    ends = np.array([clock.nearest_frame(turn.end) for turn in turns], np.int64)
    offsets = np.cumsum([0, *num_tokens], dtype=np.int64)
    tokens = np.full(offsets[-1], TOKEN, np.int64)
    num_frames = clock.ceil_frames(conversation.duration)
    try:
        text, _ = align_text(starts, ends, tokens, offsets, num_frames, BOS, EOS, PAD)
    except ValueError as error:
        raise ValueError(f"conversation {conversation.id}: {error}") from error
    kept = np.add.reduceat(text == TOKEN, starts, dtype=np.int64)
    return tuple(
        TurnTokens(length, length - int(fitting), int(end - start))
        for length, fitting, start, end in zip(num_tokens, kept, starts, ends)
    )
