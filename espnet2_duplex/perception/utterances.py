"""Speech files and what is said in them, from Kaldi's lists."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from espnet2_duplex.data_folder import read_table
from espnet2_duplex.perception.ctc import spoken_characters

SAMPLE_RATE = 16000


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


def read_manifest(
    wav_scp: str | Path, text: str | Path | None = None
) -> list[Utterance]:
    """Utterances of a Kaldi ``wav.scp`` and an optional ``text`` file.

    Raises:
        ValueError: a list is missing or empty, or a line of it lacks its value.
    """
    texts = read_table(Path(text)) if text else {}
    return [
        Utterance(key, path, spoken_characters(texts.get(key)))
        for key, path in read_table(Path(wav_scp)).items()
    ]
