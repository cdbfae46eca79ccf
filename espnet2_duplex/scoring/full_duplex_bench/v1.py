"""The tasks of Full-Duplex-Bench v1."""

from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from espnet2_duplex.formats.files import read_json
from espnet2_duplex.metrics.activity import (
    SAMPLE_RATE,
    Segment,
    make_detector,
)
from espnet2_duplex.metrics.full_duplex_bench.backchannel import count_backchannels
from espnet2_duplex.metrics.full_duplex_bench.judging import question_of
from espnet2_duplex.metrics.full_duplex_bench.pause_handling import count_pause_handling
from espnet2_duplex.metrics.full_duplex_bench.ratings import (
    RatingCounts,
    parse_rating,
    rating_chat,
)
from espnet2_duplex.metrics.full_duplex_bench.speech import make_bench_detector
from espnet2_duplex.metrics.full_duplex_bench.turn_taking import count_turn_taking
from espnet2_duplex.metrics.full_duplex_bench.user_interruption import (
    InterruptionCounts,
    count_interruption,
    count_strictly,
    words_after,
)
from espnet2_duplex.scoring.full_duplex_bench.files import BenchSample, transcript_path
from espnet2_duplex.scoring.full_duplex_bench.task import (
    BenchTask,
    OpenFigure,
    SampleScore,
    ScoreOptions,
)
from espnet2_duplex.scoring.full_duplex_bench.transcripts import Recording
from espnet2_duplex.scoring.full_duplex_bench.words import (
    interruption_of,
    read_spoken_text,
    turn_end,
    user_end,
)
from espnet2_duplex.sound_files import read_header, read_mono, read_samples

SILERO_DECIMALS = 1  # of seconds, silero's default, which eval_backchannel.py leaves


class PauseHandling(BenchTask):
    """Pause handling."""

    def score(self, sample: BenchSample) -> SampleScore:
        """See `BenchTask`."""
        words = self.words(sample)
        counts = count_pause_handling(
            words, user_end(sample.folder), self.options.take_over
        )
        return SampleScore(counts, {"taken": bool(counts.whole.num_taken)})


class SmoothTurnTaking(BenchTask):
    """Smooth turn taking."""

    def score(self, sample: BenchSample) -> SampleScore:
        """See `BenchTask`."""
        words = self.words(sample)
        counts = count_turn_taking(
            words, turn_end(sample.folder), self.options.take_over
        )
        row = {
            "taken": bool(counts.take_over.num_taken),
            "latency": counts.latencies.mean,
        }
        return SampleScore(counts, row)


class UserInterruption(BenchTask):
    """User interruption; the answers of those that took the turn are for a judge."""

    def recordings(self, sample: BenchSample) -> list[Recording]:
        """The whole sound, as for other tasks; strictly, what follows the interruption."""
        recordings = super().recordings(sample)
        if not self.options.is_strict:
            return recordings
        end = interruption_of(sample.folder).span.end
        return [replace(recording, beginning=end) for recording in recordings]

    def score(self, sample: BenchSample) -> SampleScore:
        """See `BenchTask`."""
        interruption = interruption_of(sample.folder)
        words = self.words(sample)
        span, options = interruption.span, self.options.take_over
        if self.options.is_strict:
            counts = count_strictly(words, span.end, options)
            answer = read_spoken_text(transcript_path(sample, "output"))
        else:
            speech = read_mono(sample.output / "output.wav", SAMPLE_RATE)
            counts = count_interruption(
                words,
                span,
                self._detect(speech),
                options,
                self.options.activity.merge_gap_seconds,
            )
            answer = " ".join(word.text for word in words_after(words, span.end))
        rating = None
        if counts.take_over.num_taken:
            chat = rating_chat(interruption.context, interruption.text, answer)
            rating = OpenFigure(
                question_of(chat, parse_rating),
                "rating",
                lambda rating: InterruptionCounts(ratings=RatingCounts.of(rating)),
            )
        row = {
            "taken": bool(counts.take_over.num_taken),
            "latency": counts.stopped_latencies.mean,
            "stop_latency": counts.stop_latencies.mean,
            "never_stopped": bool(counts.num_never_stopped),
            "answer": answer,
        }
        return SampleScore(counts, row, rating)

    @cached_property
    def _detect(self):
        return make_detector(replace(self.options.activity, merge_gap_seconds=0.0))


class Backchannel(BenchTask):
    """Backchannels.

    Args:
        options: definitions.
        human_times: JSON file with people's histograms by the name of the sample
            (icc_gt_distribution.json); without it there are no distances.

    Raises:
        ValueError: the file is not of that kind.
    """

    def __init__(self, options: ScoreOptions, human_times: Path | None = None) -> None:
        super().__init__(options)
        self._histograms = {} if human_times is None else read_histograms(human_times)

    def score(self, sample: BenchSample) -> SampleScore:
        """See `BenchTask`."""
        words = self.words(sample)
        wav = sample.output / "output.wav"
        segments = self._segments(wav)
        counts = count_backchannels(
            segments,
            words,
            read_header(wav).seconds,
            self._histograms.get(sample.name),
            self.options.backchannel,
        )
        take_over = (
            counts.last_decides if self.options.is_strict else counts.any_decides
        )
        row = {
            "taken": bool(take_over.num_taken),
            "frequency": counts.frequency.mean,
            "jsd": counts.distance.mean,
            "segments": [list(asdict(segment).values()) for segment in segments],
        }
        return SampleScore(counts, row)

    def _segments(self, wav: Path) -> tuple[Segment, ...]:
        if self.options.is_strict:
            # As they are, whatever their rate: the detector takes it for 16 kHz.
            samples, _ = read_samples(wav)
            return self._detect(np.ascontiguousarray(samples[:, 0]))
        return self._detect(read_mono(wav, SAMPLE_RATE))

    @cached_property
    def _detect(self):
        return make_bench_detector(SILERO_DECIMALS if self.options.is_strict else None)


def read_histograms(path: Path) -> dict[str, np.ndarray]:
    """People's histograms by sample.

    Raises:
        ValueError: the file is missing or not of that kind.
    """
    content = read_json(path, dict)
    try:
        histograms = {
            str(name): np.array(values, dtype=np.float64)
            for name, values in content.items()
        }
    except (TypeError, ValueError):
        histograms = {}
    good = histograms and all(
        values.ndim == 1 and values.size and values.sum() > 0
        for values in histograms.values()
    )
    if not good:
        raise ValueError(
            f"{path} is not sample -> list of numbers; give --icc_distribution the "
            "icc_gt_distribution.json of Full-Duplex-Bench"
        )
    return histograms
