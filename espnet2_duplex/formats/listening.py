"""Turns of streams that nobody has annotated: voice activity, then recognition.

A detected segment is *crosstalk* if the other stream is louder by more than
``crosstalk_db`` during it: then it is the other speaker, heard through. Segments whose
silence in between is short become one turn. What the recogniser finds no words in is
no turn; of the user it becomes a "noise" event. A short utterance of the user inside
an agent's turn that goes on is no turn either but a "backchannel" event.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from espnet2_duplex.conversation import Turn
from espnet2_duplex.events import Event
from espnet2_duplex.formats.sounds import Sound, read_stream, seconds_of
from espnet2_duplex.metrics.activity import (
    SAMPLE_RATE,
    ActivityOptions,
    Segment,
    make_detector,
    merge_segments,
)
from espnet2_duplex.metrics.asr.interface import AsrOptions, text_transcriber
from espnet2_duplex.timing import nearest_sample

# Clips (S,) float32 at 16 kHz -> one text each.
Transcriber = Callable[[Sequence[np.ndarray]], list[str]]

# Full-Duplex-Bench v1: shorter than 1 s, at most two words.
BACKCHANNEL_SECONDS = 1.0
BACKCHANNEL_WORDS = 2
GOES_ON_SECONDS = 1.5  # Sec. 5.2: an agent that stops within this has been interrupted


@dataclass(frozen=True)
class ListeningOptions:
    """How turns are found.

    Attributes:
        vad: "silero" or "energy" (a level of -45 dB of full scale).
        merge_gap_seconds: shorter silences do not end a turn.
        crosstalk_db: see above; infinity keeps everything.
        asr_model: folder with a CTranslate2 Whisper, a name that faster-whisper knows,
            or "none": then the user's turns have no text, and the agent's must come
            from elsewhere.
    """

    vad: str = "silero"
    merge_gap_seconds: float = 0.5
    crosstalk_db: float = 20.0
    asr_model: str = "none"


def load_whisper(model: str) -> Transcriber:
    """The recogniser that scoring uses.

    Args:
        model: see ``ListeningOptions.asr_model``.

    Raises:
        ValueError: it is not there, or faster-whisper is not installed.
    """
    return text_transcriber(AsrOptions(model))


class Listener:
    """Finds turns; the models are loaded at the first use.

    Args:
        options: how.
        load_transcriber: from ``asr_model``.
    """

    def __init__(
        self,
        options: ListeningOptions = ListeningOptions(),
        load_transcriber: Callable[[str], Transcriber] = load_whisper,
    ) -> None:
        self._options = options
        self._load_transcriber = load_transcriber

    @cached_property
    def _detect(self):
        # Unmerged, because crosstalk must not bridge two turns.
        options = ActivityOptions(vad=self._options.vad, merge_gap_seconds=0.0)
        try:
            return make_detector(options)
        except ImportError as problem:
            raise ValueError(
                "finding turns with silero needs the package silero-vad; run pip "
                "install 'espnet2-duplex[score]' or give --vad energy"
            ) from problem

    @cached_property
    def _transcribe(self) -> Transcriber | None:
        if self._options.asr_model == "none":
            return None
        return self._load_transcriber(self._options.asr_model)

    @property
    def options(self) -> ListeningOptions:
        """How it listens."""
        return self._options

    def user(
        self, sound: Sound, agents: Sequence[Turn], other: Sound | None = None
    ) -> tuple[list[Turn], tuple[Event, ...]]:
        """The user's turns and events.

        Args:
            sound: the user's stream.
            agents: the agent's turns, which tell what is a backchannel.
            other: the agent's stream, whose crosstalk is left out.

        Raises:
            ValueError: a model is not there.
        """
        own = _at_16_khz(sound)
        return self._user(own, agents, None if other is None else _at_16_khz(other))

    def agent(self, sound: Sound, other: Sound | None = None) -> list[Turn]:
        """The agent's turns; the arguments are as in :meth:`user`."""
        own = _at_16_khz(sound)
        return self._agent(own, None if other is None else _at_16_khz(other))

    def conversation(
        self, user: Sound, agent: Sound
    ) -> tuple[list[Turn], tuple[Event, ...]]:
        """Turns of both streams, sorted by start, and the user's events."""
        user_samples, agent_samples = _at_16_khz(user), _at_16_khz(agent)
        agents = self._agent(agent_samples, user_samples)
        users, events = self._user(user_samples, agents, agent_samples)
        return sorted(users + agents, key=lambda turn: turn.start), events

    def _user(
        self, own: np.ndarray, agents: Sequence[Turn], other: np.ndarray | None
    ) -> tuple[list[Turn], tuple[Event, ...]]:
        turns = self._turns("user", own, self._segments(own, other))
        # Without words nothing tells a cough from a turn.
        return (turns, ()) if self._transcribe is None else sort_out(turns, agents)

    def _agent(self, own: np.ndarray, other: np.ndarray | None) -> list[Turn]:
        turns = self._turns("agent", own, self._segments(own, other))
        if self._transcribe is None:
            return turns
        return [turn for turn in turns if turn.text]

    def _segments(self, own: np.ndarray, other: np.ndarray | None) -> list[Segment]:
        segments = self._detect(own)
        if other is not None:
            limit = self._options.crosstalk_db
            segments = [
                segment
                for segment in segments
                if _level_db(other, segment) - _level_db(own, segment) <= limit
            ]
        return list(merge_segments(segments, self._options.merge_gap_seconds))

    def _turns(self, role: str, own: np.ndarray, segments: Sequence) -> list[Turn]:
        texts = [""] * len(segments)
        if self._transcribe is not None:
            from espnet2_duplex.metrics.asr.transcription import cut_clip

            # One by one: batches of a call are not faster.
            texts = [self._transcribe([cut_clip(own, s)])[0] for s in segments]
        return [
            Turn(role, segment.start, segment.end, text.strip())
            for segment, text in zip(segments, texts)
        ]


def sort_out(
    users: Sequence[Turn], agents: Sequence[Turn]
) -> tuple[list[Turn], tuple[Event, ...]]:
    """The user's real turns, and noises and backchannels as events.

    Args:
        users: transcribed turns of the user.
        agents: transcribed turns of the agent.
    """
    kept, events = [], []
    for turn in users:
        if not turn.text:
            events.append(Event("noise", turn.start, turn.end))
        elif any(_is_backchannel(turn, agent) for agent in agents):
            events.append(Event("backchannel", turn.start, turn.end, turn.text))
        else:
            kept.append(turn)
    return kept, tuple(events)


def _is_backchannel(user: Turn, agent: Turn) -> bool:
    return (
        agent.start < user.start
        and user.start + GOES_ON_SECONDS < agent.end
        and user.end - user.start < BACKCHANNEL_SECONDS
        and len(user.text.split()) <= BACKCHANNEL_WORDS
    )


def _level_db(samples: np.ndarray, segment: Segment) -> float:
    """Root mean square of a stretch of samples at 16 kHz, in dB of full scale."""
    start = nearest_sample(segment.start, SAMPLE_RATE)
    stretch = samples[start : nearest_sample(segment.end, SAMPLE_RATE)]
    power = np.mean(np.square(stretch, dtype=np.float64))
    return float(10 * np.log10(power + 1e-12))


def _at_16_khz(sound: Sound) -> np.ndarray:
    num_samples = nearest_sample(seconds_of(sound), SAMPLE_RATE)
    return read_stream(sound, SAMPLE_RATE, num_samples)
