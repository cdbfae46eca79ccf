"""What the agent said: its speech segments, transcribed.

Only segments that a voice activity detector found are transcribed, because Whisper
invents words in silence. Transcripts are kept in a file, one conversation a line, and
made again only where the sound or the recogniser has changed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
from tqdm import tqdm

from espnet2_duplex.metrics.activity import SAMPLE_RATE, Segment
from espnet2_duplex.metrics.asr.cache import (
    Spoken,
    Utterance,
    digest_of,
    read_spoken,
    write_spoken,
)
from espnet2_duplex.metrics.asr.interface import (
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


@dataclass(frozen=True)
class _Waiting:
    """A conversation whose transcripts are not known."""

    id: str
    digest: str
    segments: tuple[Segment, ...]
    clips: tuple[np.ndarray, ...]

    @property
    def seconds(self) -> float:
        """Of speech."""
        return sum(len(clip) for clip in self.clips) / SAMPLE_RATE


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
        options: of the recogniser; a change of its `definition` transcribes anew.
        cache_file: JSON lines, written atomically.
        make: called only if something is not known.

    Raises:
        ValueError: the file is damaged, or as `make_transcriber`.
    """
    spoken = read_spoken(cache_file)
    recogniser = cache(make)  # made when there is something to transcribe
    total = sum(map(len, segments.values()))
    with tqdm(total=total, unit="segment", desc="ASR") as bar:
        for group in _groups(_unknown(segments, clips, options, spoken)):
            spoken.update(_transcribe_group(group, lambda: recogniser(options)))
            write_spoken(cache_file, segments, spoken)
            bar.update(sum(len(waiting.segments) for waiting in group))
        bar.update(total - bar.n)  # those that were known
    write_spoken(cache_file, segments, spoken)
    return {name: spoken[name].utterances for name in segments}


def _unknown(
    segments: Mapping[str, Sequence[Segment]],
    clips: Iterable[Sequence[np.ndarray]],
    options: AsrOptions,
    spoken: dict[str, Spoken],
) -> Iterator[_Waiting]:
    """Conversations of which `spoken` has nothing, or something older."""
    for (name, found), own in zip(segments.items(), clips, strict=True):
        digest = digest_of(found, own, options)
        if name not in spoken or spoken[name].digest != digest:
            yield _Waiting(name, digest, tuple(found), tuple(own))


def _groups(conversations: Iterable[_Waiting]) -> Iterator[list[_Waiting]]:
    """Groups of GROUP_SECONDS of speech or a little more."""
    group: list[_Waiting] = []
    for waiting in conversations:
        group.append(waiting)
        if sum(waiting.seconds for waiting in group) >= GROUP_SECONDS:
            yield group
            group = []
    if group:
        yield group


def _transcribe_group(
    group: Sequence[_Waiting], recogniser: Callable[[], Transcriber]
) -> dict[str, Spoken]:
    """Transcribe all clips of a group in one call."""
    clips = list(chain.from_iterable(waiting.clips for waiting in group))
    transcripts = iter(recogniser()(clips) if clips else ())
    return {
        waiting.id: Spoken(
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
