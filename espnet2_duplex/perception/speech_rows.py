"""Training rows for the encoder: utterances with silences between them."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from espnet2_duplex.perception.utterances import SAMPLE_RATE, Utterance
from espnet2_duplex.simulation.user_channel.bank import Bank
from espnet2_duplex.simulation.user_channel.chain import apply_user_channel
from espnet2_duplex.simulation.user_channel.settings import UserChannel
from espnet2_duplex.simulation.yaml_fields import Range

FRAME_SAMPLES = 1280


@dataclass(frozen=True)
class RowSettings:
    """How rows are made; ranges are drawn from uniformly.

    Attributes:
        batch_seconds: of all rows of a step.
        row_seconds: length of a step's rows.
        short_silence_seconds: between utterances, as between words.
        long_silence_seconds: as between turns; the two kinds are equally frequent.
        speed: factor on the rate of an utterance's samples, so its pitch changes, too.
        gain_db: of an utterance.
        noise_db: level of white noise, the microphone's own, against full scale.
        user_channel: what disturbs a row; nothing by default.

    Raises:
        ValueError: a row would have no length, or be no part of a batch.
    """

    batch_seconds: float = 64.0
    row_seconds: Range = (5.0, 10.0)
    short_silence_seconds: Range = (0.1, 0.6)
    long_silence_seconds: Range = (0.6, 3.0)
    speed: Range = (0.9, 1.12)
    gain_db: Range = (-12.0, 6.0)
    noise_db: Range = (-80.0, -40.0)
    user_channel: UserChannel = UserChannel()

    def __post_init__(self) -> None:
        if not 0.5 <= self.row_seconds[0] <= self.row_seconds[1] <= self.batch_seconds:
            raise ValueError(
                f"row_seconds is {list(self.row_seconds)} and batch_seconds "
                f"{self.batch_seconds:g}; rows last 0.5 s or more, and no longer than "
                "their batch"
            )
        if self.speed[0] < 0.1:
            raise ValueError(f"speed is {list(self.speed)}; start at 0.1 or above")


@dataclass(frozen=True)
class RowBatch:
    """Rows of one step.

    Attributes:
        speech: (B, S), S a whole number of frames.
        undisturbed: (B, S), the same before the user's channel; what a teacher hears.
        texts: B texts, None where an utterance in the row has none.
        first_samples: (B,) int64, of silence before the first utterance.
    """

    speech: torch.Tensor
    undisturbed: torch.Tensor
    texts: list[str | None]
    first_samples: torch.Tensor

    def to(self, device: torch.device) -> "RowBatch":
        """The same with its sounds on a device."""
        return replace(
            self,
            speech=self.speech.to(device),
            undisturbed=self.undisturbed.to(device),
        )


class SpeechRows(torch.utils.data.Dataset):
    """Rows of utterances, each batch a function of the seed and the step alone.

    CTC trained on cut clips inserts words in long silences; hence the silences here.

    Args:
        utterances: to draw from; a wav is kept in memory once it was read.
        settings: how.
        seed: of all that is drawn.
        bank: rooms and noises for the user's channel.

    Raises:
        ValueError: the bank lacks what the channel needs.
    """

    def __init__(
        self,
        utterances: list[Utterance],
        settings: RowSettings,
        seed: int,
        bank: Bank | None = None,
    ):
        self.utterances = utterances
        self.settings = settings
        self.seed = seed
        self.bank = bank or Bank(SAMPLE_RATE)
        self.bank.check(settings.user_channel, SAMPLE_RATE)
        self._read: dict[int, np.ndarray] = {}  # int16 samples by index

    def __getitem__(self, step: int) -> RowBatch:
        return self.batch(step)

    def batch(self, step: int) -> RowBatch:
        """Rows of a step, about `batch_seconds` of them."""
        rng = np.random.default_rng([self.seed, step])
        seconds = rng.uniform(*self.settings.row_seconds)
        num_samples = int(seconds * SAMPLE_RATE) // FRAME_SAMPLES * FRAME_SAMPLES
        num_rows = max(1, round(self.settings.batch_seconds / seconds))
        rows = [self._row(rng, num_samples) for _ in range(num_rows)]
        speech, undisturbed, texts, first_samples = zip(*rows)
        return RowBatch(
            torch.from_numpy(np.stack(speech)),
            torch.from_numpy(np.stack(undisturbed)),
            list(texts),
            torch.tensor(first_samples),
        )

    def _row(
        self, rng, num_samples: int
    ) -> tuple[np.ndarray, np.ndarray, str | None, int]:
        """One row, disturbed and as it was, its text, and where that begins."""
        first = min(self._silence(rng), num_samples // 4)
        speech, text = self._speech(rng, num_samples, first)
        noise_level = 10 ** (rng.uniform(*self.settings.noise_db) / 20)
        noise = noise_level * rng.standard_normal(num_samples, dtype=np.float32)
        silence = np.zeros_like(speech)  # the agent's, whose echo is not heard here
        channel = self.settings.user_channel
        heard = apply_user_channel(
            speech, silence, SAMPLE_RATE, SAMPLE_RATE, channel, self.bank, rng
        )
        return heard + noise, speech + noise, text, first

    def _speech(
        self, rng, num_samples: int, position: int
    ) -> tuple[np.ndarray, str | None]:
        """Utterances one after the other, the first one at `position`.

        There is no text if one of them has none or is cut.
        """
        row = np.zeros(num_samples, dtype=np.float32)
        texts: list[str | None] = []
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
