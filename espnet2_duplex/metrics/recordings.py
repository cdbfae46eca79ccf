"""What a system left behind: the folders of a decoded set, checked."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from espnet2_duplex.conversation import Turn, check_order, turns_from_json
from espnet2_duplex.metrics.activity import SAMPLE_RATE

# A streaming system writes whole frames, so its audio may be up to one longer.
MAX_DIFFERENCE_SECONDS = 0.08


@dataclass(frozen=True)
class Recording:
    """One decoded conversation and its reference.

    Attributes:
        id: name of its folder.
        speech: (S,) float32, the agent's output.wav at 16 kHz.
        user_turns: the user's turns, known from the data.
        reference_turns: the agent's turns in the data.
        written_turns: the agent's turns that the system wrote, from output.json.
    """

    id: str
    speech: np.ndarray
    user_turns: tuple[Turn, ...]
    reference_turns: tuple[Turn, ...]
    written_turns: tuple[Turn, ...]

    @property
    def duration(self) -> float:
        """Seconds of output.wav."""
        return len(self.speech) / SAMPLE_RATE


def read_turns(data_dir: Path) -> dict[str, tuple[Turn, ...]]:
    """Turns by conversation, from ``<data_dir>/turns``.

    Raises:
        ValueError: the file is missing or empty, or a line is invalid.
    """
    path = Path(data_dir) / "turns"
    if not path.is_file():
        raise ValueError(f"{path} does not exist; make the set's data first (stage 3)")
    turns = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, text = line.partition(" ")
        turns[name] = turns_from_json(text, name)
    if not turns:
        raise ValueError(f"{path} has no conversations; make the set's data again")
    return turns


def read_recordings(
    set_dir: Path, turns: dict[str, tuple[Turn, ...]]
) -> Iterator[Recording]:
    """The conversations of `turns`, one after the other, in the order of their ids.

    Raises:
        ValueError: a file is missing, unreadable, at another rate, with several
            channels, or input and output differ in length.
    """
    for name in sorted(turns):
        folder = Path(set_dir) / name
        speech = _read_wav(folder / "output.wav")
        num_user_samples = len(_read_wav(folder / "input.wav"))
        if abs(len(speech) - num_user_samples) > MAX_DIFFERENCE_SECONDS * SAMPLE_RATE:
            raise ValueError(
                f"{folder}: output.wav lasts {len(speech) / SAMPLE_RATE:.2f} s but "
                f"input.wav {num_user_samples / SAMPLE_RATE:.2f} s; both must cover the "
                "same time, so decode the conversation again"
            )
        user_turns = tuple(turn for turn in turns[name] if turn.role == "user")
        if user_turns and user_turns[-1].end * SAMPLE_RATE > len(speech) + 1:
            raise ValueError(
                f"{folder}: a user turn ends at {user_turns[-1].end} s but output.wav "
                f"lasts {len(speech) / SAMPLE_RATE:.2f} s; was another set decoded here?"
            )
        yield Recording(
            id=name,
            speech=speech,
            user_turns=user_turns,
            reference_turns=tuple(turn for turn in turns[name] if turn.role == "agent"),
            written_turns=_read_written_turns(folder / "output.json"),
        )


def _read_wav(path: Path) -> np.ndarray:
    """Samples (S,) float32 at 16 kHz."""
    _require(path)
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(
            f"{path} is not readable as audio ({error.error_string}); "
            "decode the conversation again"
        ) from error
    if rate != SAMPLE_RATE or samples.shape[1] != 1:
        raise ValueError(
            f"{path} has {samples.shape[1]} channel(s) at {rate} Hz; expected one at "
            f"{SAMPLE_RATE} Hz, so convert it first"
        )
    if not len(samples):
        raise ValueError(f"{path} has no samples; decode the conversation again")
    if not np.isfinite(samples).all():
        raise ValueError(
            f"{path} has samples that are no finite numbers; look at the system that "
            "wrote it, then decode the conversation again"
        )
    return samples[:, 0]


def _read_written_turns(path: Path) -> tuple[Turn, ...]:
    _require(path)
    try:
        turns = json.loads(path.read_text(encoding="utf-8"))["turns"]
        turns = tuple(Turn.from_dict(fields) for fields in turns)
        check_order(turns, path.parent.name)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path} is invalid ({error}); expected {{"turns": [{{"role", "start", '
            '"end", "text"}, ...], ...}, so decode the conversation again'
        ) from error
    return tuple(turn for turn in turns if turn.role == "agent")


def _require(path: Path) -> None:
    if not path.is_file():
        raise ValueError(
            f"{path} is missing; decode the set to its end (stage 9) before scoring it"
        )
