"""What a task of Full-Duplex-Bench needs of a sample, and what comes out of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from espnet2_duplex.chat.asking import Question
from espnet2_duplex.metrics.activity import ActivityOptions
from espnet2_duplex.metrics.full_duplex_bench.backchannel import BackchannelOptions
from espnet2_duplex.metrics.full_duplex_bench.mode import MODES, BenchCounts
from espnet2_duplex.metrics.full_duplex_bench.take_over import TakeOverOptions
from espnet2_duplex.metrics.full_duplex_bench.timing_v15 import TimingOptions
from espnet2_duplex.scoring.full_duplex_bench.files import (
    BenchSample,
    check_length,
    transcript_path,
)
from espnet2_duplex.scoring.full_duplex_bench.transcripts import Recording
from espnet2_duplex.scoring.full_duplex_bench.words import read_chunks
from espnet2_duplex.words import Word


@dataclass(frozen=True)
class ScoreOptions:
    """All definitions of a run; they go into the results.

    Attributes:
        mode: one of MODES.
        activity: what is speech for a recogniser, and at an interruption.
        take_over: what takes the turn.
        backchannel: what is a backchannel.
        timing: which silences v1.5 bridges.

    Raises:
        ValueError: there is no such mode.
    """

    mode: str = "fixed"
    activity: ActivityOptions = ActivityOptions()
    take_over: TakeOverOptions = TakeOverOptions()
    backchannel: BackchannelOptions = BackchannelOptions()
    timing: TimingOptions = TimingOptions()

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(
                f"the mode is {self.mode!r}; expected one of {', '.join(MODES)}"
            )

    @property
    def is_strict(self) -> bool:
        """Whether faults of the published code are kept."""
        return self.mode == "strict"


@dataclass(frozen=True)
class OpenFigure:
    """Something about a sample that only a judge can say.

    Attributes:
        question: for the judge.
        key: of the answer in the sample's row.
        count: what an answer, or None for a failure, adds to the counts.
    """

    question: Question[Any]
    key: str
    count: Callable[[Any], BenchCounts]


@dataclass(frozen=True)
class SampleScore:
    """What one sample gives.

    Attributes:
        counts: to add to those of others.
        row: for people, as it goes into the file of the samples.
        open_figure: for the judge, None where there is nothing to ask.
    """

    counts: BenchCounts
    row: dict[str, Any] = field(default_factory=dict)
    open_figure: OpenFigure | None = None


class BenchTask(ABC):
    """Scores the samples of one task.

    Args:
        options: definitions.
    """

    def __init__(self, options: ScoreOptions) -> None:
        self.options = options

    def recordings(self, sample: BenchSample) -> list[Recording]:
        """What must be transcribed before a sample can be scored.

        Raises:
            ValueError: a file that this depends on is missing or not of its kind.
        """
        return [Recording(sample.output / "output.wav", _output_words(sample))]

    @abstractmethod
    def score(self, sample: BenchSample) -> SampleScore:
        """Score a sample whose words are there.

        Raises:
            ValueError: a file is missing or not of its kind.
        """

    def words(self, sample: BenchSample) -> list[Word]:
        """The agent's words; a sound beside them must be as long as the user's.

        Raises:
            ValueError: they are missing, or the length differs.
        """
        wav = sample.output / "output.wav"
        if wav.is_file() and not self.options.is_strict:
            check_length(sample.folder / "input.wav", wav)
        return read_chunks(_output_words(sample))


def _output_words(sample: BenchSample) -> Path:
    return transcript_path(sample, "output")
