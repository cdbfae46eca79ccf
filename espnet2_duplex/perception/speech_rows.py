"""Training rows for the encoder: utterances with silences between them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch

from espnet2_duplex.perception.ctc import spoken_characters

SAMPLE_RATE = 16000
FRAME_SAMPLES = 1280


@dataclass(frozen=True)
class Utterance:
    """One wav file and, where known, what is said in it."""

    id: str
    path: str
    text: str | None  # as CTC spells it

    def read(self) -> np.ndarray:
        """Samples (S,) float32.

        Raises:
            ValueError: when the file is not mono at 16 kHz, or empty.
        """
        speech, sample_rate = soundfile.read(self.path, dtype="float32")
        if sample_rate != SAMPLE_RATE or speech.ndim != 1 or len(speech) == 0:
            raise ValueError(
                f"{self.path}: mono speech at {SAMPLE_RATE} Hz expected, found shape "
                f"{speech.shape} at {sample_rate} Hz; convert the file first."
            )
        return speech


def read_manifest(wav_scp: str, text: str | None = None) -> list[Utterance]:
    """Utterances of a Kaldi ``wav.scp`` and an optional ``text`` file.

    Raises:
        ValueError: when the list is empty or a line lacks its path.
    """
    texts = _read_table(text) if text else {}
    utterances = [
        Utterance(key, path, spoken_characters(texts.get(key)))
        for key, path in _read_table(wav_scp).items()
    ]
    if not utterances:
        raise ValueError(f"{wav_scp} lists no speech; give at least one utterance.")
    return utterances


def _read_table(path: str) -> dict[str, str]:
    table = {}
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        fields = line.split(maxsplit=1)
        if len(fields) != 2:
            raise ValueError(
                f"{path}, line {number}: an id and a value expected, found {line!r}; "
                "correct or remove the line."
            )
        table[fields[0]] = fields[1].strip()
    return table


@dataclass(frozen=True)
class RowSettings:
    """How rows are made; seconds, decibels and factors are ranges."""

    batch_seconds: float = 64.0  # of all rows of a step
    row_seconds: tuple[float, float] = (5.0, 10.0)
    short_silence_seconds: tuple[float, float] = (0.1, 0.6)
    long_silence_seconds: tuple[float, float] = (0.6, 3.0)
    speed: tuple[float, float] = (0.9, 1.12)
    gain_db: tuple[float, float] = (-12.0, 6.0)
    noise_dbfs: tuple[float, float] = (-80.0, -40.0)


class SpeechRows:
    """Rows of utterances, each batch a function of the seed and the step alone.

    CTC trained on cut clips inserts words in long silences; hence the silences here.
    """

    def __init__(self, utterances: list[Utterance], settings: RowSettings, seed: int):
        self.utterances = utterances
        self.settings = settings
        self.seed = seed
        self._read: dict[int, np.ndarray] = {}  # int16 samples by index

    def batch(self, step: int) -> tuple[torch.Tensor, list[str | None]]:
        """Speech (B, S), S a whole number of frames, and the B texts.

        A text is None where an utterance in the row has none.
        """
        rng = np.random.default_rng([self.seed, step])
        seconds = rng.uniform(*self.settings.row_seconds)
        num_samples = int(seconds * SAMPLE_RATE) // FRAME_SAMPLES * FRAME_SAMPLES
        num_rows = max(1, round(self.settings.batch_seconds / seconds))
        rows = [self._row(rng, num_samples) for _ in range(num_rows)]
        return torch.from_numpy(np.stack([r for r, _ in rows])), [t for _, t in rows]

    def _row(self, rng, num_samples: int) -> tuple[np.ndarray, str | None]:
        """One row and its text, None where an utterance has none or is cut."""
        noise_level = 10 ** (rng.uniform(*self.settings.noise_dbfs) / 20)
        row = noise_level * rng.standard_normal(num_samples, dtype=np.float32)
        texts: list[str | None] = []
        position = min(self._silence(rng), num_samples // 4)
        while position < num_samples:
            index = int(rng.integers(len(self.utterances)))
            clip, text = self._vary(rng, self._samples(index)), None
            if position + len(clip) <= num_samples:
                text = self.utterances[index].text
            elif texts:
                break  # silence to the end
            clip = clip[: num_samples - position]
            row[position : position + len(clip)] += clip
            texts.append(text)
            position += len(clip) + self._silence(rng)
        return row, None if None in texts else " ".join(texts)

    def _samples(self, index: int) -> np.ndarray:
        if index not in self._read:
            speech = self.utterances[index].read()
            self._read[index] = (speech * 32767).astype(np.int16)
        return self._read[index].astype(np.float32) / 32767

    def _silence(self, rng) -> int:
        """Samples of silence: short as between words or long as between turns."""
        settings = self.settings
        ranges = (settings.short_silence_seconds, settings.long_silence_seconds)
        return int(rng.uniform(*ranges[rng.integers(2)]) * SAMPLE_RATE)

    def _vary(self, rng, clip: np.ndarray) -> np.ndarray:
        """Another speed (with the pitch) and level."""
        num_samples = int(len(clip) / rng.uniform(*self.settings.speed))
        times = np.linspace(0, len(clip) - 1, num_samples)
        gain = 10 ** (rng.uniform(*self.settings.gain_db) / 20)
        varied = gain * np.interp(times, np.arange(len(clip)), clip)
        return np.clip(varied, -1.0, 1.0).astype(np.float32)
