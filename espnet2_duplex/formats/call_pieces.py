"""Long calls, cut into conversations at moments when both speakers are silent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from espnet2_duplex.conversation import Turn
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
    """Silence of both speakers, in frames, and who speaks after it."""

    start: int
    end: int
    next_role: str

    @property
    def middle(self) -> int:
        """A frame boundary."""
        return (self.start + self.end) // 2


def common_gaps(turns: Sequence[Turn]) -> list[Gap]:
    """Silences that hold a frame boundary, between turns that are sorted by start."""
    gaps = []
    for index, turn in enumerate(turns[1:], 1):
        start = CLOCK.ceil_frames(max(t.end for t in turns[:index]))
        # The last boundary that is not after the start of the turn.
        end = -CLOCK.ceil_frames(-turn.start)
        if start <= end:
            gaps.append(Gap(start, end, turn.role))
    return gaps


def cut_frames(gaps: Sequence[Gap], num_frames: int, max_frames: int) -> list[int]:
    """Where to cut, in frames.

    In reach of `max_frames`, the longest silence of the second half is taken, before a
    user's turn if possible, since an agent's turn belongs to what it answers; then the
    last silence of the first half.

    Args:
        gaps: of the call.
        num_frames: of the call.
        max_frames: of each piece.

    Raises:
        ValueError: somebody speaks all the time for longer than `max_frames`.
    """
    cuts = [0]
    while num_frames - cuts[-1] > max_frames:
        begin = cuts[-1]
        reach = [gap for gap in gaps if begin < gap.middle <= begin + max_frames]
        late = [gap for gap in reach if gap.middle > begin + max_frames // 2]
        late = [gap for gap in late if gap.next_role == "user"] or late
        if not reach:
            raise ValueError(
                f"somebody speaks all the time from {CLOCK.seconds(begin):.2f} s on "
                f"for {CLOCK.seconds(max_frames):.0f} s, so that the call cannot be "
                "cut there; raise --max_seconds."
            )
        best = max(late, key=lambda gap: gap.end - gap.start) if late else reach[-1]
        cuts.append(best.middle)
    return cuts[1:]


def pieces_of(call: DuplexRecording, max_seconds: float) -> list[DuplexRecording]:
    """The call itself, or conversations of at most `max_seconds`.

    Pieces are whole frames long, but for the last. Those without turns are left out.

    Args:
        call: with sounds of one file.
        max_seconds: at least one frame.

    Raises:
        ValueError: there is no moment to cut at.
    """
    num_frames = CLOCK.ceil_frames(call.conversation.duration)
    max_frames = CLOCK.nearest_frame(max_seconds)
    if num_frames <= max_frames:
        return [call] if call.conversation.turns else []
    gaps = common_gaps(call.conversation.turns)
    edges = [0, *cut_frames(gaps, num_frames, max_frames), num_frames]
    pieces = [
        _piece(call, index, *map(CLOCK.seconds, edges[index : index + 2]))
        for index in range(len(edges) - 1)
    ]
    return [piece for piece in pieces if piece.conversation.turns]


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
