"""Clips: the utterances to synthesise, named by their content, and what became of them.

Conversations that say the same with the same voice share one clip. The files lie in
`<clips>/<role>/<two hexadecimal digits>/<id>.wav`, so that no folder gets too full.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from espnet2_duplex.jsonl import read_jsonl

AGENT_LEAD_SECONDS = 0.08  # silence; the speech BOS takes the place of this first frame
OWN_WAV = "wav"  # in the place of an engine: a copy of `source`, for the agent's lead


@dataclass(frozen=True)
class Clip:
    """One utterance.

    Attributes:
        id: of its content.
        role: "user" or "agent".
        engine: name in the corpus YAML, or `OWN_WAV`.
        voice: of the engine.
        speed: factor on the voice's own pace.
        text: what is said.
        rate: of the file, in Hz.
        take: number of the reading, for a text that is read several times.
        source: sound file to copy, if the engine is `OWN_WAV`.
    """

    id: str
    role: str
    engine: str
    voice: str
    speed: float
    text: str
    rate: int
    take: int = 0
    source: str = ""

    @property
    def path(self) -> Path:
        """Of its file, relative to the folder of all clips."""
        return Path(self.role) / self.id.rpartition("-")[2][:2] / f"{self.id}.wav"

    def seed(self, attempt: int) -> int:
        """Of the engine. Another one when speech has failed, as it may be at fault."""
        name = f"{self.id}/{attempt}" if attempt else self.id
        return int(hashlib.sha1(name.encode()).hexdigest()[:8], 16)


def make_clip(
    role: str,
    engine: str,
    voice: str,
    speed: float,
    text: str,
    rate: int,
    take: int = 0,
    engine_version: str = "",
) -> Clip:
    """A clip whose id changes with everything that changes its samples.

    Args:
        engine_version: of an engine that the corpus YAML defines or changes, a digest
            of how; see `tts.engine_settings`.
    """
    content = (engine, engine_version, voice, f"{speed:.3f}", text, rate, take)
    id = f"{voice}-{digest(*content)}"
    return Clip(id, role, engine, voice, speed, text, rate, take)


def copied_clip(source: Path, text: str, rate: int) -> Clip:
    """The agent's clip from a sound file of its own.

    Its id changes with the file's path, size and time of change.
    """
    id, path = f"own-{file_digest(source)}", str(source.absolute())
    return Clip(id, "agent", OWN_WAV, "own", 1.0, text, rate, source=path)


def file_digest(path: Path) -> str:
    """16 hexadecimal digits of a file's path, size and time of change.

    Reading all of the files would take hours for thousands of hours of speech.
    """
    stat = path.stat()
    return digest(path.absolute(), stat.st_size, stat.st_mtime_ns)


def digest(*content: object) -> str:
    """16 hexadecimal digits."""
    return hashlib.sha1("\0".join(map(str, content)).encode()).hexdigest()[:16]


def missing_clips(clips: Iterable[Clip], folder: Path) -> list[Clip]:
    """Those that have no wav in the folder of all clips yet."""
    return [clip for clip in clips if not (folder / clip.path).is_file()]


def failures_file(clips: Path, part: str) -> Path:
    """Where a part of the work (a list, a job) lists the clips that failed in it."""
    return clips / f"failed.{part}.jsonl"


def read_failures(clips: Path) -> dict[str, str]:
    """Why clips have failed: id -> reason.

    Args:
        clips: folder of all clips.
    """
    return {
        row["id"]: row["reason"]
        for path in sorted(clips.glob("failed.*.jsonl"))
        for row in read_jsonl(path)
    }


def is_spoken(wav: str, failures: dict[str, str]) -> bool:
    """Whether a planned wav is there; False if it is not, because its clip failed.

    Raises:
        ValueError: it is not there, and nobody has tried.
    """
    if Path(wav).is_file():
        return True
    if Path(wav).stem not in failures:
        raise ValueError(f"{wav} is missing; run local/data.sh --stage 2.")
    return False
