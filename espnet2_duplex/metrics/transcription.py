"""What the agent said: its speech segments, transcribed.

Only segments that a voice activity detector found are transcribed, because Whisper
invents words in silence.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from espnet2_duplex.atomic import replacing
from espnet2_duplex.metrics.activity import SAMPLE_RATE, Segment
from espnet2_duplex.timing import nearest_sample

# Clips (S,) float32 at 16 kHz -> one text each.
Transcriber = Callable[[Sequence[np.ndarray]], list[str]]

MARGIN_SECONDS = 0.1  # context around a segment: the detector hugs the speech
FEATURES_PER_SECOND = 100  # of Whisper's log-mel
FULL_WINDOW_SECONDS = 30.0  # what Whisper was trained with
# A loop repeats a phrase until the token limit, far faster than anyone talks.
MAX_WORDS_PER_SECOND = 6.0


@dataclass(frozen=True)
class Utterance:
    """A segment of the agent's speech and its words.

    Attributes:
        start: seconds since the beginning of the recording.
        end: seconds, exclusive.
        text: transcript.
    """

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class WhisperOptions:
    """How to transcribe.

    Attributes:
        model: folder with a CTranslate2 Whisper, or a name that faster-whisper knows.
        window_seconds: clips up to one second shorter are padded to this length only.
            The encoder's time grows with it: 10 s take a quarter of 30 s. Longer clips
            get Whisper's own 30 s.
        batch_size: clips per call.
        num_workers: calls at a time. Each has one thread: sums over several threads
            would round differently on every machine and change a word here and there.
    """

    model: str
    window_seconds: float = 10.0
    batch_size: int = 16
    num_workers: int = 2


class WhisperTranscriber:
    """Greedy Whisper through faster-whisper: one clip a window, several a batch.

    Clips are not joined into windows: when agents give the same short answers again and
    again, Whisper swallows or moves repetitions.

    Raises:
        ValueError: there is no such model.
    """

    def __init__(self, options: WhisperOptions) -> None:
        # Imported here: scoring without transcripts does without it.
        from faster_whisper import WhisperModel

        self.options = options
        try:
            self._whisper = WhisperModel(
                options.model,
                device="cpu",
                compute_type="int8",
                cpu_threads=1,
                num_workers=options.num_workers,
            )
        except (OSError, RuntimeError, ValueError) as error:
            reason = str(error).strip().split("\n")[0]
            raise ValueError(
                f"no speech recogniser at {options.model!r} ({reason}); give --asr_model "
                "a folder with a CTranslate2 Whisper or a name that faster-whisper can "
                "download, or --no_asr"
            ) from error
        token_id = self._whisper.hf_tokenizer.token_to_id
        names = ["<|startoftranscript|>", "<|notimestamps|>"]
        if self._whisper.model.is_multilingual:
            names[1:1] = ["<|en|>", "<|transcribe|>"]
        self._prompt = [token_id(name) for name in names]

    def __call__(self, clips: Sequence[np.ndarray]) -> list[str]:
        """Transcribe clips (S,) float32 at 16 kHz of up to 30 s; longer ones are cut
        into pieces of 30 s."""
        pieces = [piece for clip in clips for piece in _pieces(clip)]
        owners = [n for n, clip in enumerate(clips) for _ in _pieces(clip)]
        texts = [""] * len(clips)
        # One thread, for the reason given at `num_workers`: numpy multiplies the mel
        # filters, and its rounding changes with OMP_NUM_THREADS.
        with threadpool_limits(1, user_api="blas"):
            transcripts = self._transcribe_pieces(pieces)
        for owner, text in zip(owners, transcripts):
            texts[owner] = f"{texts[owner]} {text}".strip()
        return texts

    def _transcribe_pieces(self, pieces: Sequence[np.ndarray]) -> list[str]:
        room = (self.options.window_seconds - 1) * SAMPLE_RATE
        short = [n for n, piece in enumerate(pieces) if len(piece) <= room]
        texts = dict(self._in_windows(pieces, short, self.options.window_seconds))
        full = [
            n
            for n, piece in enumerate(pieces)
            if n not in texts or _is_loop(texts[n], len(piece) / SAMPLE_RATE)
        ]
        texts.update(self._in_windows(pieces, full, FULL_WINDOW_SECONDS))
        return [texts[n] for n in range(len(pieces))]

    def _in_windows(self, pieces, indices, window_seconds):
        """(index, text) of the chosen pieces, batch by batch."""
        size = self.options.batch_size
        batches = [indices[n : n + size] for n in range(0, len(indices), size)]

        def decode(batch: list[int]) -> list[str]:
            features = [self._features(pieces[n], window_seconds) for n in batch]
            return self._decode(np.stack(features))

        description = f"ASR ({window_seconds:g} s windows)"
        with (
            tqdm(
                total=len(indices),
                unit="clip",
                desc=description,
                disable=len(indices) < 2,  # who asks clip by clip has a bar of his own
            ) as bar,
            ThreadPoolExecutor(self.options.num_workers) as pool,
        ):
            for batch, texts in zip(batches, pool.map(decode, batches)):
                yield from zip(batch, texts)
                bar.update(len(batch))

    def _features(self, piece: np.ndarray, window_seconds: float) -> np.ndarray:
        """Log-mel (80, F) float32 of a piece with silence after it."""
        num_samples = round(window_seconds * SAMPLE_RATE)
        padded = np.pad(piece, (0, num_samples - len(piece)))
        num_features = round(window_seconds * FEATURES_PER_SECOND)
        return self._whisper.feature_extractor(padded, padding=0)[:, :num_features]

    def _decode(self, features: np.ndarray) -> list[str]:
        """Texts of features (B, 80, F)."""
        encoded = self._whisper.encode(features.astype(np.float32))
        results = self._whisper.model.generate(
            encoded, [self._prompt] * len(features), beam_size=1
        )
        tokenizer = self._whisper.hf_tokenizer
        return [tokenizer.decode(result.sequences_ids[0]).strip() for result in results]


def _pieces(clip: np.ndarray) -> list[np.ndarray]:
    size = round(FULL_WINDOW_SECONDS * SAMPLE_RATE)
    return [clip[begin : begin + size] for begin in range(0, len(clip), size)]


def _is_loop(text: str, seconds: float) -> bool:
    return len(text.split()) > 2 + MAX_WORDS_PER_SECOND * seconds


def cut_clip(speech: np.ndarray, segment: Segment) -> np.ndarray:
    """The samples of a segment with a margin on both sides.

    Args:
        speech: (S,) at 16 kHz.
        segment: inside it.
    """
    start = nearest_sample(segment.start - MARGIN_SECONDS, SAMPLE_RATE)
    end = nearest_sample(segment.end + MARGIN_SECONDS, SAMPLE_RATE)
    return speech[max(0, start) : end].copy()


def transcribe(
    segments: dict[str, tuple[Segment, ...]],
    clips: Sequence[np.ndarray],
    options: WhisperOptions,
    cache_file: Path,
    make_transcriber: Callable[[WhisperOptions], Transcriber] = WhisperTranscriber,
) -> dict[str, tuple[Utterance, ...]]:
    """Utterances of every conversation of a set, from the cache if nothing changed.

    Args:
        segments: by conversation.
        clips: (S,) each, of all segments in the order of `segments`.
        options: of the recogniser; a change of any of them transcribes anew.
        cache_file: JSON, written at once when all is transcribed.
        make_transcriber: called only if the cache does not fit.
    """
    digest = _digest(segments, clips, options)
    texts = _cached_texts(cache_file, digest)
    if texts is None:
        texts = make_transcriber(options)(clips) if clips else []
    remaining = iter(texts)
    utterances = {
        name: tuple(
            Utterance(segment.start, segment.end, next(remaining)) for segment in found
        )
        for name, found in segments.items()
    }
    content = {
        "digest": digest,
        "options": asdict(options),
        "utterances": {
            name: [asdict(utterance) for utterance in found]
            for name, found in utterances.items()
        },
    }
    write_text_atomically(
        cache_file, json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    )
    return utterances


def write_text_atomically(path: Path, text: str) -> None:
    """Write a whole file or leave what was there."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _digest(segments, clips, options: WhisperOptions) -> str:
    """Of everything that the transcripts depend on."""
    digest = hashlib.sha256()
    # Workers only change how fast it goes.
    digest.update(f"{replace(options, num_workers=1)}\n".encode())
    for name, found in segments.items():
        digest.update(f"{name} {found}\n".encode())
    for clip in clips:
        digest.update(np.ascontiguousarray(clip, dtype=np.float32).tobytes())
    return digest.hexdigest()


def _cached_texts(cache_file: Path, digest: str) -> list[str] | None:
    if not cache_file.is_file():
        return None
    try:
        content = json.loads(cache_file.read_text(encoding="utf-8"))
        if content["digest"] != digest:
            return None
        return [
            utterance["text"]
            for found in content["utterances"].values()
            for utterance in found
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{cache_file} is damaged ({error!r}); delete it and score again"
        ) from error
