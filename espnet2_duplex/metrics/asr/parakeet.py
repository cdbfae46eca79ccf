"""NVIDIA's Parakeet in transformers: CTC and TDT models, with word times.

The paper transcribes with Parakeet (Sec. 5.2).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
import torch
from tokenizers.decoders import DecodeStream
from transformers import AutoConfig, AutoModelForCTC, AutoModelForTDT, AutoProcessor

from espnet2_duplex.metrics.activity import SAMPLE_RATE
from espnet2_duplex.metrics.asr.interface import (
    AsrOptions,
    Transcript,
    join_pieces,
    pieces_of,
)
from espnet2_duplex.words import Word

MODELS = {"parakeet_ctc": AutoModelForCTC, "parakeet_tdt": AutoModelForTDT}
PARAKEET_TYPES = tuple(MODELS)

# Text, with a blank before it where a word begins; start and end in seconds.
Token = tuple[str, float, float]


class ParakeetTranscriber:
    """Greedy decoding in batches of clips of like lengths.

    Raises:
        OSError, ValueError: the model cannot be loaded.
    """

    def __init__(self, options: AsrOptions) -> None:
        self._options = options
        self._type = AutoConfig.from_pretrained(options.model).model_type
        self._processor = AutoProcessor.from_pretrained(options.model)
        model = MODELS[self._type].from_pretrained(options.model)
        self._model = model.to(options.device).eval()
        hop_seconds = self._processor.feature_extractor.hop_length / SAMPLE_RATE
        factor = self._model.config.encoder_config.subsampling_factor
        self._frame_seconds = hop_seconds * factor

    def __call__(self, clips: Sequence[np.ndarray]) -> list[Transcript]:
        """Transcribe clips (S,) float32 at 16 kHz; what is longer than 30 s is cut."""
        pieces = pieces_of(clips)
        order = sorted(range(len(pieces)), key=lambda n: -len(pieces[n].samples))
        size = self._options.batch_size
        found: dict[int, Transcript] = {}
        for begin in range(0, len(order), size):
            batch = order[begin : begin + size]
            found.update(zip(batch, self._decode([pieces[n].samples for n in batch])))
        transcripts = [found[n] for n in range(len(pieces))]
        return join_pieces(pieces, transcripts, len(clips))

    def _decode(self, clips: Sequence[np.ndarray]) -> Iterator[Transcript]:
        """Transcripts of one batch."""
        inputs = self._processor(list(clips), sampling_rate=SAMPLE_RATE)
        with torch.inference_mode():
            output = self._model.generate(
                **inputs.to(self._model.device), return_dict_in_generate=True
            )
        for clip, tokens in zip(clips, self._tokens(output)):
            # TDT decodes on in the padding of a clip until the whole batch ends.
            seconds = len(clip) / SAMPLE_RATE
            own = [token for token in tokens if token[1] < seconds]
            words = words_of(own) if self._options.with_words else ()
            yield Transcript("".join(text for text, *_ in own).strip(), words)

    def _tokens(self, output) -> list[list[Token]]:
        """Tokens of each clip of a batch."""
        if self._type == "parakeet_ctc":
            return [self._ctc_tokens(frames.tolist()) for frames in output.sequences]
        _, batch = self._processor.decode(
            output.sequences, durations=output.durations, skip_special_tokens=True
        )
        return [
            [(t["token"], t["start"], t["end"]) for t in tokens] for tokens in batch
        ]

    def _ctc_tokens(self, frames: Sequence[int]) -> list[Token]:
        """Tokens from the best token of each frame, (T,); repeats are one token."""
        tokenizer = self._processor.tokenizer
        stream = DecodeStream(skip_special_tokens=True)
        tokens, begin = [], 0
        for token_id, run in groupby(frames):
            end = begin + len(list(run))
            if token_id != tokenizer.pad_token_id:  # CTC's blank
                text = stream.step(tokenizer.backend_tokenizer, token_id)
                if text:
                    span = (begin * self._frame_seconds, end * self._frame_seconds)
                    tokens.append((text, *span))
            begin = end
        return tokens


def words_of(tokens: Iterable[Token]) -> tuple[Word, ...]:
    """Words of consecutive tokens: each begins at a token with a blank before it."""
    words: list[Word] = []
    for text, start, end in tokens:
        if words and not text.startswith(" "):
            last = words.pop()
            text, start = last.text + text, last.start
        if text.strip():
            words.append(Word(text.strip(), float(start), float(end)))
    return tuple(words)
