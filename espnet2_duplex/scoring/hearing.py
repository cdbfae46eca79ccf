"""Listens to the conversations of a decoded set, in several processes.

What is heard (when the agent speaks, how it sounds) is kept in ``heard.jsonl`` and made
again only where the sound, or how it is listened to, has changed.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from tqdm import tqdm

from espnet2_duplex.conversation import Turn
from espnet2_duplex.jsonl import read_jsonl, write_jsonl
from espnet2_duplex.metrics.activity import ActivityOptions, Segment, make_detector
from espnet2_duplex.metrics.recordings import Reference, read_recording
from espnet2_duplex.metrics.speech.agent_speech import (
    SpeechJudges,
    SpeechOptions,
    SpeechScores,
)
from espnet2_duplex.metrics.versions import LISTENERS, versions_of
from espnet2_duplex.scoring.processes import run_in_processes

HEARD_FILE = "heard.jsonl"
SECONDS_BETWEEN_SAVES = 5.0


@dataclass(frozen=True)
class HearingOptions:
    """How to listen.

    Attributes:
        activity: what counts as speech.
        speech: who judges its quality.
        voice_digest: of the sound of the voice that `speech` names, see `voice`; None
            without a voice.
    """

    activity: ActivityOptions
    speech: SpeechOptions
    voice_digest: str | None = None

    def definition(self) -> dict:
        """What the scores depend on; the voice counts by its sound, not its place."""
        speech = {**asdict(self.speech), "voice": self.voice_digest}
        return {"activity": asdict(self.activity), "speech": speech}


@dataclass(frozen=True)
class Heard:
    """What is known of one conversation after listening; a line of heard.jsonl.

    Attributes:
        id: of the conversation.
        digest: of everything that this depends on.
        duration: seconds.
        latency: that the system declares, in seconds; None where it declares none.
        written_turns: the agent's own text.
        segments: where the agent speaks.
        speech: scores of how it sounds, by name; None where there was too little.
        problem: why it cannot be scored, in a sentence; the rest is empty then.
    """

    id: str
    digest: str
    duration: float = 0.0
    latency: float | None = None
    written_turns: tuple[Turn, ...] = ()
    segments: tuple[Segment, ...] = ()
    speech: SpeechScores = field(default_factory=dict)
    problem: str | None = None

    def to_dict(self) -> dict:
        """As a line of heard.jsonl."""
        return asdict(self)

    @staticmethod
    def from_dict(fields: dict) -> "Heard":
        """Inverse of `to_dict`."""
        turns = tuple(Turn.from_dict(turn) for turn in fields["written_turns"])
        segments = tuple(Segment(**segment) for segment in fields["segments"])
        return Heard(**{**fields, "written_turns": turns, "segments": segments})


def hear_set(
    set_dir: Path,
    output_dir: Path,
    references: Sequence[Reference],
    options: HearingOptions,
    num_jobs: int,
) -> list[Heard]:
    """Listen to the conversations of a set, in the order of their references.

    What was heard when a run is stopped is kept, but for the last seconds.

    Args:
        set_dir: <decode dir>/<set>.
        output_dir: gets heard.jsonl.
        references: of the conversations.
        options: how to listen.
        num_jobs: processes, with one thread each.

    Raises:
        ValueError: heard.jsonl is damaged, or a network cannot be loaded.
    """
    path = output_dir / HEARD_FILE
    known = _read_heard(path)
    tasks = [(set_dir / ref.id, ref, known.get(ref.id)) for ref in references]
    saved = time.monotonic()
    bar = tqdm(
        run_in_processes(partial(Listener, options), tasks, num_jobs),
        total=len(tasks),
        unit="conversation",
        desc=f"{set_dir.name}: listening",
    )
    try:
        for heard in bar:
            known[heard.id] = heard
            if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                _write_heard(path, known)
                saved = time.monotonic()
    finally:
        _write_heard(path, known)
    return [known[reference.id] for reference in references]


class Listener:
    """Listens to one conversation after the other; networks are loaded when needed."""

    def __init__(self, options: HearingOptions) -> None:
        self._options = options
        self._made_by = f"{options.definition()} {versions_of(LISTENERS)}"
        self._detect: Callable | None = None
        self._judge: SpeechJudges | None = None

    def __call__(self, task: tuple[Path, Reference, Heard | None]) -> Heard:
        """Listen to (folder, reference, what was heard earlier)."""
        folder, reference, known = task
        digest = self._digest(folder, reference)
        if known is not None and known.digest == digest:
            return known
        try:
            recording = read_recording(folder, reference)
        except ValueError as problem:
            return Heard(reference.id, digest, problem=str(problem))
        if self._detect is None or self._judge is None:
            self._detect = make_detector(self._options.activity)
            self._judge = SpeechJudges(self._options.speech)
        segments = self._detect(recording.speech)
        return Heard(
            reference.id,
            digest,
            recording.duration,
            recording.latency,
            recording.written_turns,
            segments,
            self._judge(recording.speech, segments),
        )

    def _digest(self, folder: Path, reference: Reference) -> str:
        ends = [turn.end for turn in reference.user_turns[-1:]]
        digest = hashlib.sha256(f"{self._made_by} {ends}\n".encode())
        for name in ("input.wav", "output.wav", "output.json"):
            path = folder / name
            digest.update(path.read_bytes() if path.is_file() else b"missing")
        return digest.hexdigest()


def _read_heard(path: Path) -> dict[str, Heard]:
    if not path.is_file():
        return {}
    try:
        return {row["id"]: Heard.from_dict(row) for row in read_jsonl(path)}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged ({error!r}); delete the file and score again"
        ) from error


def _write_heard(path: Path, known: dict[str, Heard]) -> None:
    write_jsonl(path, (known[name].to_dict() for name in sorted(known)))
