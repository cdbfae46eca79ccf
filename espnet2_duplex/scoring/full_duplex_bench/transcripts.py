"""Transcribes the recordings of Full-Duplex-Bench that have no words yet."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from tqdm import tqdm

from espnet2_duplex.formats.files import read_json
from espnet2_duplex.metrics.activity import SAMPLE_RATE, Segment
from espnet2_duplex.metrics.asr.interface import Transcriber, Transcript
from espnet2_duplex.scoring.full_duplex_bench.words import write_chunks
from espnet2_duplex.sound_files import read_mono
from espnet2_duplex.timing import nearest_sample, whole_microseconds
from espnet2_duplex.words import Word

MARGIN_SECONDS = 0.1  # context around a segment: the detector hugs the speech
RECORDINGS_AT_A_TIME = 16  # whose words are written together
# Keys of the files that we write: from where, by whom.
BEGINNING, RECOGNISER = "transcribed_from", "recogniser"


@dataclass(frozen=True)
class RecogniserName:
    """Which recogniser wrote words.

    Attributes:
        engine: one of `espnet2_duplex.metrics.asr.interface.ENGINES`.
        model: folder or hub name, as it was given.
        version: of the engine's package.
    """

    engine: str
    model: str
    version: str | None


@dataclass(frozen=True)
class Recording:
    """Something to transcribe.

    Attributes:
        wav: the sound.
        transcript: JSON file for its words.
        beginning: seconds that are cut off before it is transcribed; the words' times
            count from the beginning of the wav all the same.
    """

    wav: Path
    transcript: Path
    beginning: float = 0.0

    def lacks_words(self, recogniser: RecogniserName | None) -> bool:
        """Whether there are no words, or ours that do not fit.

        Ours do not fit if they have another beginning, are older than the sound, or
        come from another recogniser than this one; None takes those of any. What
        somebody else wrote is taken as it is.

        Raises:
            ValueError: the file of the words cannot be read.
        """
        if not self.transcript.is_file():
            return True
        content = read_json(self.transcript, dict)
        if "chunks" not in content:
            return True
        if BEGINNING not in content:
            return False  # somebody else's
        if content[BEGINNING] != self.beginning:
            return True
        if recogniser is not None and content.get(RECOGNISER) != asdict(recogniser):
            return True
        return self.wav.is_file() and (
            self.transcript.stat().st_mtime_ns < self.wav.stat().st_mtime_ns
        )


@dataclass(frozen=True)
class Recogniser:
    """Who transcribes.

    Attributes:
        name: noted in the files.
        detect: speech (S,) at 16 kHz to its segments; only these are transcribed,
            because recognisers invent words in silence.
        transcribe: their clips.
    """

    name: RecogniserName
    detect: Callable[[np.ndarray], tuple[Segment, ...]]
    transcribe: Transcriber


def writer_of(transcript: Path) -> RecogniserName | None:
    """Who wrote a file of words; None where it does not say so as we do.

    Raises:
        ValueError: the file cannot be read.
    """
    name = read_json(transcript, dict).get(RECOGNISER)
    keys = [field.name for field in fields(RecogniserName)]
    if not isinstance(name, dict) or sorted(name) != sorted(keys):
        return None
    return RecogniserName(**name)


def transcribe_recordings(
    recordings: Sequence[Recording],
    recogniser: Recogniser,
    on_problem: Callable[[Recording, str], None],
) -> None:
    """Write the words of recordings.

    Args:
        recordings: to transcribe.
        recogniser: who does.
        on_problem: gets the sentence about a recording that cannot be read.
    """
    with tqdm(total=len(recordings), unit="recording", desc="transcribing") as bar:
        for first in range(0, len(recordings), RECORDINGS_AT_A_TIME):
            batch = recordings[first : first + RECORDINGS_AT_A_TIME]
            _transcribe_batch(batch, recogniser, on_problem)
            bar.update(len(batch))


def _transcribe_batch(batch, recogniser: Recogniser, on_problem) -> None:
    owners: list[tuple[Recording, list[float]]] = []  # beginnings of its clips
    clips: list[np.ndarray] = []
    for recording in batch:
        try:
            speech = read_mono(recording.wav, SAMPLE_RATE)
        except ValueError as problem:
            on_problem(recording, str(problem))
            continue
        cut = nearest_sample(recording.beginning, SAMPLE_RATE)
        own = _clips_of(speech[cut:], recogniser)
        owners.append((recording, [(cut + n) / SAMPLE_RATE for n, _ in own]))
        clips += [clip for _, clip in own]
    transcripts = iter(recogniser.transcribe(clips) if clips else [])
    for recording, beginnings in owners:
        found = [(beginning, next(transcripts)) for beginning in beginnings]
        _write(recording, found, recogniser.name)


def _clips_of(
    speech: np.ndarray, recogniser: Recogniser
) -> list[tuple[int, np.ndarray]]:
    """(first sample, samples) of each segment with a margin on both sides."""
    clips = []
    for segment in recogniser.detect(speech) if len(speech) else ():
        first = max(0, nearest_sample(segment.start - MARGIN_SECONDS, SAMPLE_RATE))
        end = nearest_sample(segment.end + MARGIN_SECONDS, SAMPLE_RATE)
        clips.append((first, speech[first:end].copy()))
    return clips


def _write(
    recording: Recording,
    found: Sequence[tuple[float, Transcript]],
    name: RecogniserName,
) -> None:
    words = [
        Word(
            word.text,
            whole_microseconds(beginning + word.start),
            whole_microseconds(beginning + word.end),
        )
        for beginning, transcript in found
        for word in transcript.words
    ]
    text = " ".join(t.text.strip() for _, t in found if t.text.strip())
    more = {BEGINNING: recording.beginning, RECOGNISER: asdict(name)}
    write_chunks(recording.transcript, text, words, more)
