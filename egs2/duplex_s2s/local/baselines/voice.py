"""The agent's voice, with everything it has said kept on disk."""

import json
import sys
from pathlib import Path

import numpy as np
from baselines.sides import SAMPLE_RATE
from baselines.timed import Timed, timed
from casting import build_engines
from clips import Clip, make_clip
from speech_settings import SpeechSettings
from synthesise import speak_to_file

from espnet2_duplex.dataset_checks import load_speech
from espnet2_duplex.jsonl import read_text, write_text

NO_SPEECH = np.zeros(0, np.float32)


class Voice:
    """Speaks as the agent of the corpus does: same engine, voice, level and lead.

    Args:
        settings: of the corpus.
        downloads: folder of the packaged assets.
        cache: folder of the clips; several jobs may share it.

    Raises:
        ValueError: the engine is not there.
    """

    def __init__(self, settings: SpeechSettings, downloads: Path, cache: Path) -> None:
        self._agent = settings.agent
        self._version = settings.engines[self._agent.engine].version
        self._engines = build_engines(settings, [self._agent.engine], downloads)
        self._engines[self._agent.engine].prepare([self._agent.voice])
        self._cache = cache

    def say(self, text: str) -> Timed[np.ndarray]:
        """Samples (N,) float32 at 16 kHz of a text; none of one that cannot be spoken.

        The time is that of the first synthesis, also when the clip is on disk.

        Raises:
            ValueError: the disk is full, or the like.
        """
        clip = make_clip(
            "agent",
            self._agent.engine,
            self._agent.voice,
            1.0,
            text,
            SAMPLE_RATE,
            engine_version=self._version,
        )
        path = self._cache / clip.path
        told = path.with_suffix(".json")
        if not (path.is_file() and told.is_file()) and not self._speak(clip, told):
            return Timed(NO_SPEECH, 0.0)
        seconds = json.loads(read_text(told))["seconds"]
        return Timed(load_speech(path, SAMPLE_RATE), seconds)

    def _speak(self, clip: Clip, told: Path) -> bool:
        """Write the clip and its time; False if it cannot be spoken."""
        reason = timed(lambda: speak_to_file(clip, self._cache, self._engines))
        if reason.value:
            print(
                f"warning: the agent stays silent, because {clip.text!r} cannot be "
                f"spoken ({reason.value}).",
                file=sys.stderr,
            )
            return False
        write_text(told, json.dumps({"text": clip.text, "seconds": reason.seconds}))
        return True
