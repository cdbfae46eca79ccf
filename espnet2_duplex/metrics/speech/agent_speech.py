"""How the agent's speech sounds in a conversation: opinion scores and its voice.

Silence is removed first (Sec. 5.2): the segments in which the agent speaks are joined
and judged as one piece of speech. Pauses inside segments, those below the gap up to
which segments are merged, stay in it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from espnet2_duplex.metrics.activity import SAMPLE_RATE, Segment
from espnet2_duplex.metrics.counts import Counts
from espnet2_duplex.metrics.speech.agent_voice import read_voice
from espnet2_duplex.metrics.speech.quality import DnsMos, Sample
from espnet2_duplex.metrics.speech.speaker_similarity import cosine, resemblyzer_encoder
from espnet2_duplex.metrics.speech.utmos import UTMOS_MAKERS, make_utmos
from espnet2_duplex.timing import nearest_sample

MOS_CHOICES = ("dnsmos", *UTMOS_MAKERS)
# Networks hear windows of 9.01 s (DNSMOS) and 1.6 s (Resemblyzer). Of less than a
# second they would mostly judge its repetitions or zeros.
MIN_SPEECH_SECONDS = 1.0
WINDOW_SAMPLES = 144160  # of DNSMOS: 9.01 s
SCORE_STEPS = 1_000_000  # per unit of a score, see ScoreCounts

SpeechScores = dict[str, float | None]  # by name; None: not judged or too little speech


@dataclass(frozen=True)
class SpeechOptions:
    """Who judges; DNSMOS always does.

    Attributes:
        mos: one of MOS_CHOICES: "dnsmos" alone, or "utmos" or "utmosv2" with it.
        voice: sound files of the agent's voice or the ``agent.scp`` of a data folder,
            see `read_voice`; without it there is no speaker similarity.
        max_windows: DNSMOS hears at most so many windows of 9.01 s of a conversation,
            spread evenly over the agent's speech; it takes most of the time.

    Raises:
        ValueError: `mos` is unknown, or there is no window.
    """

    mos: str = "dnsmos"
    voice: tuple[str, ...] = ()
    max_windows: int = 2

    def __post_init__(self) -> None:
        if self.mos not in MOS_CHOICES:
            raise ValueError(
                f"--mos is {self.mos!r}; expected one of {', '.join(MOS_CHOICES)}"
            )
        if self.max_windows < 1:
            raise ValueError(
                f"max_windows is {self.max_windows}; expected 1 or more windows that "
                "DNSMOS hears of a conversation"
            )


class SpeechJudges:
    """Scores of what the agent says in one conversation; networks are loaded once.

    Raises:
        ValueError: a package or weights are missing, or the voice cannot be read.
    """

    def __init__(self, options: SpeechOptions) -> None:
        self._judges: list[Callable[[np.ndarray], SpeechScores]] = []
        self._names = ["dnsmos_overall", "dnsmos_p808", "speaker_similarity"]
        try:
            self._judges.append(_dnsmos_judge(options.max_windows))
            if options.voice:
                self._judges.append(_voice_judge(options.voice))
        except ModuleNotFoundError as error:
            raise ValueError(
                f"judging speech needs the package {error.name!r}, which is not "
                "installed; install the extra [score]"
            ) from error
        if options.mos != "dnsmos":
            self._names.append(options.mos)
            score = make_utmos(options.mos)
            self._judges.append(lambda speech: {options.mos: score(speech)})

    def __call__(self, speech: np.ndarray, segments: Sequence[Segment]) -> SpeechScores:
        """Judge one conversation.

        Args:
            speech: (S,) float32 at 16 kHz, full scale 1, with its silence.
            segments: in which the agent speaks.
        Returns:
            "dnsmos_overall", "dnsmos_p808", "speaker_similarity" and the UTMOS that was
            chosen; all None if it speaks for less than a second.
        """
        scores: SpeechScores = dict.fromkeys(self._names)
        joined = joined_speech(speech, segments)
        if len(joined) < MIN_SPEECH_SECONDS * SAMPLE_RATE or not joined.any():
            return scores
        for judge in self._judges:
            scores.update(judge(joined))
        return scores


@dataclass(frozen=True)
class ScoreCounts(Counts):
    """Scores of conversations that were judged.

    Attributes:
        num: conversations.
        total_steps: sum of the scores in millionths: whole numbers add to the same sum
            in every order.
    """

    num: int = 0
    total_steps: int = 0

    @staticmethod
    def of(score: float | None) -> "ScoreCounts":
        """One conversation; None counts nothing."""
        if score is None:
            return ScoreCounts()
        return ScoreCounts(1, round(score * SCORE_STEPS))

    @property
    def mean(self) -> float | None:
        """Over conversations; None without any."""
        return self.total_steps / self.num / SCORE_STEPS if self.num else None


@dataclass(frozen=True)
class SpeechQualityCounts(Counts):
    """Scores of conversations, by the name that they have in SpeechScores."""

    dnsmos_overall: ScoreCounts = ScoreCounts()
    dnsmos_p808: ScoreCounts = ScoreCounts()
    utmos: ScoreCounts = ScoreCounts()
    utmosv2: ScoreCounts = ScoreCounts()
    speaker_similarity: ScoreCounts = ScoreCounts()

    @staticmethod
    def of(scores: Mapping[str, float | None]) -> "SpeechQualityCounts":
        """One conversation."""
        return SpeechQualityCounts(
            **{name: ScoreCounts.of(score) for name, score in scores.items()}
        )

    def means(self) -> SpeechScores:
        """Mean over the conversations that were judged, by name."""
        return {field.name: getattr(self, field.name).mean for field in fields(self)}


def joined_speech(speech: np.ndarray, segments: Sequence[Segment]) -> np.ndarray:
    """The segments (S',) of a recording (S,) at 16 kHz, one after the other."""
    parts = [
        speech[
            nearest_sample(segment.start, SAMPLE_RATE) : nearest_sample(
                segment.end, SAMPLE_RATE
            )
        ]
        for segment in segments
    ]
    return np.concatenate([speech[:0], *parts])


def windowed_dnsmos(
    judge: DnsMos, speech: np.ndarray, max_windows: int
) -> dict[str, float]:
    """DNSMOS of speech of any length: mean over its windows by their seconds.

    speechmos moves its window of 9.01 s by 1 s, and doubles what is shorter until it
    fills one or more, so that a minute of speech costs 51 windows. Here windows follow
    each other: a minute has 7. The last one is filled up with repetitions of itself;
    a rest of less than half a window is left out, unless there is nothing else.

    Args:
        judge: scores one window.
        speech: (S,) float32 at 16 kHz, full scale 1.
        max_windows: of more than these, so many are heard, see `spread`.
    """
    num_windows = max(1, (len(speech) + WINDOW_SAMPLES // 2) // WINDOW_SAMPLES)
    starts = [WINDOW_SAMPLES * number for number in spread(num_windows, max_windows)]
    windows = [speech[start : start + WINDOW_SAMPLES] for start in starts]
    found = []
    for window in windows:
        filled = np.resize(window, WINDOW_SAMPLES)  # repeats
        found.append(judge(Sample(filled, filled, filled)))
    weights = [len(window) for window in windows]
    return {
        name: float(np.average([scores[name] for scores in found], weights=weights))
        for name in ("dnsmos_overall", "dnsmos_p808")
    }


def spread(num: int, max_chosen: int) -> list[int]:
    """At most `max_chosen` of the numbers below `num`: the middles of equal parts."""
    num_chosen = min(num, max_chosen)
    return [(2 * part + 1) * num // (2 * num_chosen) for part in range(num_chosen)]


def _dnsmos_judge(max_windows: int) -> Callable[[np.ndarray], SpeechScores]:
    judge = DnsMos()
    return lambda speech: dict(windowed_dnsmos(judge, speech, max_windows))


def _voice_judge(paths: Sequence[str]) -> Callable[[np.ndarray], SpeechScores]:
    encode = resemblyzer_encoder()
    voice = read_voice(paths, encode)
    return lambda speech: {"speaker_similarity": cosine(encode(speech), voice)}
