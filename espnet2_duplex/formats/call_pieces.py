"""Long calls, cut into conversations at moments when both speakers are silent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from espnet2_duplex.formats.recording import DuplexRecording, make_recording
from espnet2_duplex.formats.sounds import FileSound, seconds_of
from espnet2_duplex.timing import (
    MICROSECONDS_PER_SECOND,
    FrameClock,
    microseconds,
    nearest_sample,
)

CLOCK = FrameClock()


@dataclass(frozen=True)
class Gap:
    """Silence of both speakers, from one frame boundary to another, in frames.

    Attributes:
        start: first boundary at which nobody speaks.
        end: last such boundary.
        next_role: who speaks then; the user may always, after the last turn.
    """

    start: int
    end: int
    next_role: str


def common_gaps(call: DuplexRecording) -> list[Gap]:
    """Silences that hold a frame boundary, in time order."""
    spans = [(turn.start, turn.end, turn.role) for turn in call.conversation.turns]
    spans += [(event.start, event.end, "user") for event in call.events]
    duration = call.conversation.duration
    gaps, silent_from = [], 0.0
    for start, end, role in [*sorted(spans), (duration, duration, "user")]:
        gap = Gap(CLOCK.ceil_frames(silent_from), -CLOCK.ceil_frames(-start), role)
        if gap.start <= gap.end:
            gaps.append(gap)
        silent_from = max(silent_from, end)
    return gaps


def cut_frames(gaps: Sequence[Gap], num_frames: int, max_frames: int) -> list[int]:
    """Where to cut, in frames.

    In reach of `max_frames`, the longest silence of the second half is taken, before a
    user's turn if possible, since an agent's turn belongs to what it answers; without
    one, the last silence of the first half.

    Args:
        gaps: of the call.
        num_frames: of the call.
        max_frames: of each piece.

    Raises:
        ValueError: somebody speaks all the time for longer than `max_frames`.
    """
    cuts = [0]
    while num_frames - cuts[-1] > max_frames:
        begin, half = cuts[-1], cuts[-1] + max_frames // 2
        late = _within(gaps, half + 1, begin + max_frames)
        late = [gap for gap in late if gap.next_role == "user"] or late
        chosen = late or _within(gaps, begin + 1, half)[-1:]
        if not chosen:
            raise ValueError(
                f"somebody speaks all the time from {CLOCK.seconds(begin):.2f} s on "
                f"for {CLOCK.seconds(max_frames):g} s, so that the call cannot be cut "
                "there; raise --max_seconds."
            )
        longest = max(chosen, key=lambda gap: gap.end - gap.start)
        cuts.append((longest.start + longest.end) // 2)
    return cuts[1:]


def pieces_of(call: DuplexRecording, max_seconds: float) -> list[DuplexRecording]:
    """The call itself, or conversations of at most `max_seconds`.

    Pieces are whole frames long, but for the last. Some may have no turns.

    Args:
        call: with sounds of one file.
        max_seconds: at least one frame.

    Raises:
        ValueError: there is no moment to cut at.
    """
    num_frames = CLOCK.ceil_frames(call.conversation.duration)
    max_frames = CLOCK.nearest_frame(max_seconds)
    if num_frames <= max_frames:
        return [call]
    edges = [0, *cut_frames(common_gaps(call), num_frames, max_frames), num_frames]
    return [
        _piece(call, index, CLOCK.seconds(start), CLOCK.seconds(end))
        for index, (start, end) in enumerate(pairwise(edges))
    ]


class SilentPieces:
    """Counts what is cut out of calls because nobody speaks in it."""

    def __init__(self) -> None:
        self._num_pieces, self._seconds = 0, 0.0

    def add(self, pieces: Sequence[DuplexRecording]) -> None:
        """Count those of a call."""
        self._num_pieces += len(pieces)
        self._seconds += sum(piece.conversation.duration for piece in pieces)

    def sentence(self) -> str:
        """For the end of a report; empty if there were none."""
        if not self._num_pieces:
            return ""
        return (
            f"; of the calls, {self._num_pieces} pieces ({self._seconds:.1f} s) in "
            "which nobody speaks left out"
        )


def _within(gaps: Sequence[Gap], first: int, last: int) -> list[Gap]:
    """What lies of the gaps between two frames."""
    return [
        Gap(max(gap.start, first), min(gap.end, last), gap.next_role)
        for gap in gaps
        if gap.start <= last and gap.end >= first
    ]


def _piece(
    call: DuplexRecording, index: int, start: float, end: float
) -> DuplexRecording:
    """What lies between two moments, in seconds."""

    def inside(items):
        return [
            replace(
                item,
                start=_minus(item.start, start),
                end=_minus(item.end, start),
            )
            for item in items
            if start <= item.start < end
        ]

    return make_recording(
        f"{call.id}_{index:03d}",
        inside(call.conversation.turns),
        _stretch(call.user, start, end),
        _stretch(call.agent, start, end),
        speaker=call.speaker,
        source=call.source,
        events=inside(call.events),
    )


def _stretch(sound: FileSound, start: float, end: float) -> FileSound:
    first = nearest_sample(start, sound.sample_rate)
    last = nearest_sample(min(end, seconds_of(sound)), sound.sample_rate)
    return replace(sound, first_sample=first, num_samples=last - first)


def _minus(seconds: float, start: float) -> float:
    return (microseconds(seconds) - microseconds(start)) / MICROSECONDS_PER_SECOND
