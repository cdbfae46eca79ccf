"""Models trained with ESPnet's TTS recipes (`espnet2.bin.tts_inference`)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from tts.engine import Engine


class EspnetEngine(Engine):
    """An ESPnet TTS model with one voice or several.

    Args:
        downloads: not needed.
        model: tag of a packed model, or a folder with config.yaml and one .pth file.
        voices: a list with one name for a model of one speaker; else name -> speaker id
            (a number) or name -> .npy file with a speaker embedding (D,).
        vocoder: tag of a vocoder, "parallel_wavegan/...", for a model that gives
            features; without one, they go through Griffin-Lim.
        language: language id, for a model that wants one.
    """

    def __init__(
        self,
        downloads: Path,
        model: str,
        voices: Mapping[str, int | str] | Sequence[str] = ("espnet",),
        vocoder: str | None = None,
        language: int | None = None,
    ) -> None:
        self._model = model
        self._identities = (
            dict(voices) if isinstance(voices, Mapping) else dict.fromkeys(voices)
        )
        self._vocoder = vocoder
        self._language = language
        self._text2speech = None

    @property
    def sample_rate(self) -> int:
        return self._loaded().fs

    def voices(self) -> Sequence[str]:
        return tuple(self._identities)

    def prepare(self, voices: Sequence[str]) -> None:
        if self._text2speech is None:
            # Importing espnet2 takes seconds, and most corpora do without.
            from espnet2.bin.tts_inference import Text2Speech

            torch.set_num_threads(1)
            self._text2speech = Text2Speech.from_pretrained(
                vocoder_tag=self._vocoder, **model_arguments(self._model)
            )
        for voice in voices:
            self._speaker(voice)

    def speak(self, text: str, voice: str, speed: float, seed: int) -> np.ndarray:
        model = self._loaded()
        options = dict(model.decode_conf)
        if "alpha" in options:
            options["alpha"] = 1 / speed  # factor on durations
        elif speed != 1:
            raise ValueError(
                f"the model {self._model} has one pace; set speed_range to [1, 1]"
            )
        arguments = self._speaker(voice)
        if self._language is not None:
            arguments["lids"] = np.array([self._language])
        torch.manual_seed(seed)
        output = model(text, decode_conf=options, **arguments)
        return output["wav"].numpy().astype(np.float32).ravel()

    def _loaded(self):
        self.prepare([])
        return self._text2speech

    def _speaker(self, voice: str) -> dict[str, np.ndarray]:
        """Arguments of the model that make it speak with a voice."""
        self.check_voice(voice)
        identity = self._identities[voice]
        if self._text2speech.use_sids:
            if not isinstance(identity, int):
                raise ValueError(
                    f"the model {self._model} wants a speaker id; write the voice as "
                    f"{voice}: 0"
                )
            return {"sids": np.array([identity])}
        if self._text2speech.use_spembs:
            if not isinstance(identity, str):
                raise ValueError(
                    f"the model {self._model} wants a speaker embedding; write the "
                    f"voice as {voice}: file.npy"
                )
            return {"spembs": np.load(identity).astype(np.float32)}
        return {}


def model_arguments(model: str) -> dict[str, str]:
    """How `Text2Speech.from_pretrained` is called for a folder or a tag.

    Raises:
        ValueError: the folder lacks its config, or has not exactly one .pth file.
    """
    folder = Path(model)
    if not folder.is_dir():
        return {"model_tag": model}
    config, weights = folder / "config.yaml", sorted(folder.glob("*.pth"))
    if not config.is_file() or len(weights) != 1:
        raise ValueError(
            f"{folder} holds {len(weights)} .pth files and "
            f"{'a' if config.is_file() else 'no'} config.yaml; keep one of each in it"
        )
    return {"train_config": str(config), "model_file": str(weights[0])}
