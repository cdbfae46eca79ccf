"""Random crops of a clip for codec training, silence around it included."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CropPreprocessor:
    """Check one clip and, in training, cut a crop of fixed length from it.

    An agent's channel is digital silence between its turns, so the codec must learn
    silence and the edges of speech: a crop may begin or end in up to
    `max_silence_samples` of zeros beside the clip.

    Attributes:
        train: Cut crops; otherwise the whole clip is kept.
        crop_samples: Samples of a crop.
        max_silence_samples: Zeros that may stand before and after the clip.
        name: The entry of the data to work on.
    """

    train: bool
    crop_samples: int
    max_silence_samples: int
    name: str = "audio"

    def __call__(self, uid: str, data: dict) -> dict[str, np.ndarray]:
        """Return the data with the entry cut.

        Args:
            uid: Name of the clip, for errors.
            data: Holds speech (S,).

        Raises:
            ValueError: If the clip is not mono, empty, or not finite.
        """
        speech = np.asarray(data[self.name], dtype=np.float32)
        if speech.ndim != 1:
            raise ValueError(
                f"Clip {uid} has {speech.shape[-1]} channels, but codec training "
                "expects mono; mix it down first."
            )
        if speech.size == 0:
            raise ValueError(f"Clip {uid} is empty; remove it from wav.scp.")
        if not np.isfinite(speech).all():
            raise ValueError(
                f"Clip {uid} holds samples that are not finite numbers; make it anew."
            )
        return {**data, self.name: self._crop(speech) if self.train else speech}

    def _crop(self, speech: np.ndarray) -> np.ndarray:
        # ESPnet seeds numpy's generator in every worker from seed and epoch.
        silence = self.max_silence_samples
        missing = max(self.crop_samples - speech.size - 2 * silence, 0)
        padded = np.pad(speech, (silence, silence + missing))
        start = np.random.randint(padded.size - self.crop_samples + 1)
        return padded[start : start + self.crop_samples]
