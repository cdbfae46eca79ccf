"""Greedy Whisper through faster-whisper, in batches and in short windows."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import merge_punctuations
from threadpoolctl import threadpool_limits

from espnet2_duplex.metrics.activity import SAMPLE_RATE
from espnet2_duplex.metrics.asr.interface import (
    FULL_WINDOW_SECONDS,
    AsrOptions,
    Piece,
    Transcript,
    join_pieces,
    no_recogniser,
    pieces_of,
)
from espnet2_duplex.words import Word

FEATURES_PER_SECOND = 100  # of Whisper's log-mel
MIN_FRAMES = 10  # that an alignment needs
# A loop repeats a phrase until the token limit, far faster than anyone talks.
MAX_WORDS_PER_SECOND = 6.0
# As faster-whisper's own transcribe() has them.
PREPENDED_PUNCTUATION = "\"'“¿([{-"
APPENDED_PUNCTUATION = "\"'.。,，!！?？:：”)]}、"


class FasterWhisperTranscriber:
    """Greedy decoding of one clip a window, several windows a batch.

    Clips are not joined into windows: when agents give the same short answers again and
    again, Whisper swallows or moves repetitions. A clip that comes out as a loop is
    decoded again in Whisper's own 30 s.

    Raises:
        ValueError: there is no such model.
    """

    def __init__(self, options: AsrOptions) -> None:
        self._options = options
        device, _, index = options.device.partition(":")
        try:
            self._whisper = WhisperModel(
                options.model,
                device=device,
                device_index=int(index or 0),
                compute_type="int8" if device == "cpu" else "float16",
                cpu_threads=1,
                num_workers=options.num_workers,
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise no_recogniser(options, error) from error
        self._tokenizer = Tokenizer(
            self._whisper.hf_tokenizer,
            self._whisper.model.is_multilingual,
            task="transcribe",
            language="en",
        )

    def __call__(self, clips: Sequence[np.ndarray]) -> list[Transcript]:
        """Transcribe clips (S,) float32 at 16 kHz; what is longer than 30 s is cut."""
        pieces = pieces_of(clips)
        # One thread, for the reason given at `num_workers`: numpy multiplies the mel
        # filters, and its rounding changes with OMP_NUM_THREADS.
        with threadpool_limits(1, user_api="blas"):
            transcripts = self._transcribe(pieces)
        return join_pieces(pieces, transcripts, len(clips))

    def _transcribe(self, pieces: Sequence[Piece]) -> list[Transcript]:
        room = self._options.window_seconds - 1
        short = [n for n, piece in enumerate(pieces) if piece.seconds <= room]
        found = dict(self._in_windows(pieces, short, self._options.window_seconds))
        full = [
            n
            for n, piece in enumerate(pieces)
            if n not in found or _is_loop(found[n].text, piece.seconds)
        ]
        found.update(self._in_windows(pieces, full, FULL_WINDOW_SECONDS))
        return [found[n] for n in range(len(pieces))]

    def _in_windows(
        self, pieces: Sequence[Piece], indices: Sequence[int], window_seconds: float
    ) -> Iterator[tuple[int, Transcript]]:
        """(index, transcript) of the chosen pieces."""
        size = self._options.batch_size
        batches = [indices[n : n + size] for n in range(0, len(indices), size)]

        def decode(batch: Sequence[int]) -> list[Transcript]:
            return self._decode([pieces[n] for n in batch], window_seconds)

        with ThreadPoolExecutor(self._options.num_workers) as pool:
            for batch, transcripts in zip(batches, pool.map(decode, batches)):
                yield from zip(batch, transcripts)

    def _decode(
        self, pieces: Sequence[Piece], window_seconds: float
    ) -> list[Transcript]:
        """Transcripts of one batch, padded to one window."""
        features = np.stack([self._features(p, window_seconds) for p in pieces])
        encoded = self._whisper.encode(features)  # (B, F / 2, D)
        prompt = [*self._tokenizer.sot_sequence, self._tokenizer.no_timestamps]
        results = self._whisper.model.generate(
            encoded, [prompt] * len(pieces), beam_size=1
        )
        tokens = [
            [token for token in result.sequences_ids[0] if token < self._tokenizer.eot]
            for result in results
        ]
        words: list[tuple[Word, ...]] = [()] * len(pieces)
        if self._options.with_words:
            words = self._align(encoded, tokens, pieces)
        return [
            Transcript(self._tokenizer.decode(own).strip(), found)
            for own, found in zip(tokens, words)
        ]

    def _features(self, piece: Piece, window_seconds: float) -> np.ndarray:
        """Log-mel (80, F) float32 of a piece with silence after it."""
        num_samples = round(window_seconds * SAMPLE_RATE)
        padded = np.pad(piece.samples, (0, num_samples - len(piece.samples)))
        num_features = round(window_seconds * FEATURES_PER_SECOND)
        features = self._whisper.feature_extractor(padded, padding=0)
        return features[:, :num_features].astype(np.float32)

    def _align(
        self,
        encoded: ctranslate2.StorageView,
        tokens: Sequence[list[int]],
        pieces: Sequence[Piece],
    ) -> list[tuple[Word, ...]]:
        """Words of each piece, from the cross-attention of the decoder."""
        alignments = self._whisper.find_alignment(
            self._tokenizer,
            list(tokens),
            encoded,
            [max(MIN_FRAMES, round(p.seconds * FEATURES_PER_SECOND)) for p in pieces],
        )
        for alignment in alignments:
            merge_punctuations(alignment, PREPENDED_PUNCTUATION, APPENDED_PUNCTUATION)
        return [
            tuple(
                Word(found["word"].strip(), float(found["start"]), float(found["end"]))
                for found in alignment
                if found["word"].strip()
            )
            for alignment in alignments
        ]


def _is_loop(text: str, seconds: float) -> bool:
    return len(text.split()) > 2 + MAX_WORDS_PER_SECOND * seconds
