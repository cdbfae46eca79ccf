"""What the agent said: its speech segments, transcribed.

Only segments that a voice activity detector found are transcribed, because Whisper
invents words in silence. Transcripts are kept in a file, one conversation a line, and
made again only where the sound or the recogniser has changed.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
from tqdm import tqdm

from espnet2_duplex.jsonl import read_jsonl, write_jsonl, write_text
from espnet2_duplex.metrics.activity import SAMPLE_RATE, Segment
from espnet2_duplex.metrics.asr_interface import (
    FULL_WINDOW_SECONDS,
    AsrOptions,
    Transcriber,
    Transcript,
    make_transcriber,
)
from espnet2_duplex.timing import nearest_sample, whole_microseconds
from espnet2_duplex.words import Word

MARGIN_SECONDS = 0.1  # context around a segment: the detector hugs the speech
# Of speech that is in memory at once; transcripts are saved as often.
GROUP_SECONDS = 300.0

# Names of earlier versions.
WhisperOptions = AsrOptions
write_text_atomically = write_text
__all__ = ["FULL_WINDOW_SECONDS"]


@dataclass(frozen=True)
class Utterance:
    """A segment of the agent's speech and its words.

    Attributes:
        start: seconds since the beginning of the recording.
        end: seconds, exclusive.
        text: transcript.
        words: inside the segment, on the same clock; empty unless they were asked for.
    """

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()

    def to_dict(self) -> dict:
        """As it stands in files; each word has text, start and end."""
        return asdict(self)

    @staticmethod
    def from_dict(fields: dict) -> "Utterance":
        """Inverse of `to_dict`.

        Raises:
            KeyError, TypeError: attributes are missing or unknown.
        """
        words = tuple(Word(**word) for word in fields["words"])
        return Utterance(**{**fields, "words": words})


@dataclass(frozen=True)
class _Spoken:
    """The utterances of one conversation and what they were made from."""

    digest: str
    utterances: tuple[Utterance, ...]


@dataclass(frozen=True)
class _Waiting:
    """A conversation whose transcripts are not known."""

    id: str
    digest: str
    segments: tuple[Segment, ...]
    clips: tuple[np.ndarray, ...]

    @property
    def seconds(self) -> float:
        return sum(len(clip) for clip in self.clips) / SAMPLE_RATE


class WhisperTranscriber:
    """Texts alone of `make_transcriber`."""

    def __init__(self, options: AsrOptions) -> None:
        self._transcribe = make_transcriber(options)

    def __call__(self, clips: Sequence[np.ndarray]) -> list[str]:
        return [transcript.text for transcript in self._transcribe(clips)]


def cut_clip(speech: np.ndarray, segment: Segment) -> np.ndarray:
    """The samples of a segment with a margin on both sides.

    Args:
        speech: (S,) at 16 kHz.
        segment: inside it.
    """
    end = nearest_sample(segment.end + MARGIN_SECONDS, SAMPLE_RATE)
    return speech[_first_sample(segment) : end].copy()


def transcribe(
    segments: Mapping[str, Sequence[Segment]],
    clips: Iterable[Sequence[np.ndarray]],
    options: AsrOptions,
    cache_file: Path,
    make: Callable[[AsrOptions], Transcriber] = make_transcriber,
) -> dict[str, tuple[Utterance, ...]]:
    """Utterances of every conversation of a set, known ones from a file.

    Conversations are read one after the other; some minutes of speech are in memory at
    once. They are saved as soon as they are transcribed, so that a run that was stopped
    goes on.

    Args:
        segments: by conversation.
        clips: for each conversation, in the order of `segments`, those of its segments,
            as `cut_clip` cuts them; best a generator.
        options: of the recogniser; a change of any but the number of workers
            transcribes anew.
        cache_file: JSON lines, written atomically.
        make: called only if something is not known.

    Raises:
        ValueError: the file is damaged, or as `make_transcriber`.
    """
    known = _read_cache(cache_file)
    done: dict[str, _Spoken] = {}
    transcriber: Transcriber | None = None
    bar = tqdm(total=sum(map(len, segments.values())), unit="segment", desc="ASR")
    with bar:
        for group in _groups(segments, clips, options, known, done, bar):
            if transcriber is None:
                transcriber = make(options)
            done.update(_transcribe_group(group, transcriber))
            bar.update(sum(len(waiting.segments) for waiting in group))
            _write_cache(cache_file, segments, {**known, **done})
    _write_cache(cache_file, segments, done)
    return {name: done[name].utterances for name in segments}


def _groups(segments, clips, options, known, done, bar):
    """Groups of conversations that must be transcribed; others go into `done`."""
    group: list[_Waiting] = []
    for (name, found), own in zip(segments.items(), clips, strict=True):
        digest = _digest(found, own, options)
        if name in known and known[name].digest == digest:
            done[name] = known[name]
            bar.update(len(found))
        elif not found:
            done[name] = _Spoken(digest, ())
        else:
            group.append(_Waiting(name, digest, tuple(found), tuple(own)))
        if group and sum(w.seconds for w in group) >= GROUP_SECONDS:
            yield group
            group = []
    if group:
        yield group


def _transcribe_group(
    group: Sequence[_Waiting], transcriber: Transcriber
) -> dict[str, _Spoken]:
    """Transcribe all clips of a group in one call."""
    clips = list(chain.from_iterable(waiting.clips for waiting in group))
    transcripts = iter(transcriber(clips))
    return {
        waiting.id: _Spoken(
            waiting.digest,
            tuple(
                _utterance(segment, next(transcripts)) for segment in waiting.segments
            ),
        )
        for waiting in group
    }


def _utterance(segment: Segment, transcript: Transcript) -> Utterance:
    """A transcript on the clock of the recording.

    Words are kept inside the segment, whose edges are more exact than theirs.
    """
    offset = _first_sample(segment) / SAMPLE_RATE

    def moved(seconds: float) -> float:
        inside = min(max(seconds + offset, segment.start), segment.end)
        return whole_microseconds(inside)

    words = tuple(
        Word(word.text, moved(word.start), moved(word.end)) for word in transcript.words
    )
    return Utterance(segment.start, segment.end, transcript.text, words)


def _first_sample(segment: Segment) -> int:
    return max(0, nearest_sample(segment.start - MARGIN_SECONDS, SAMPLE_RATE))


def _digest(
    segments: Sequence[Segment], clips: Sequence[np.ndarray], options: AsrOptions
) -> str:
    """Of everything that the transcripts of one conversation depend on."""
    digest = hashlib.sha256()
    # Workers only change how fast it goes.
    digest.update(f"{replace(options, num_workers=1)} {tuple(segments)}\n".encode())
    for clip in clips:
        digest.update(np.ascontiguousarray(clip, dtype=np.float32).tobytes())
    return digest.hexdigest()


def _read_cache(cache_file: Path) -> dict[str, _Spoken]:
    if not cache_file.is_file():
        return {}
    try:
        return {
            row["id"]: _Spoken(
                row["digest"], tuple(map(Utterance.from_dict, row["utterances"]))
            )
            for row in read_jsonl(cache_file)
        }
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{cache_file} is damaged ({error!r}); delete it and score again"
        ) from error


def _write_cache(
    cache_file: Path, names: Iterable[str], spoken: Mapping[str, _Spoken]
) -> None:
    """Write the conversations among `names` that are known."""
    write_jsonl(
        cache_file,
        (
            {
                "id": name,
                "digest": spoken[name].digest,
                "utterances": [item.to_dict() for item in spoken[name].utterances],
            }
            for name in names
            if name in spoken
        ),
    )
