"""The task of Full-Duplex-Bench v1.5: speech over the conversation."""

from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torchaudio

from espnet2_duplex.metrics.activity import SAMPLE_RATE
from espnet2_duplex.metrics.full_duplex_bench.average import Average
from espnet2_duplex.metrics.full_duplex_bench.behaviour import (
    BehaviourCounts,
    behaviour_chat,
    parse_label,
)
from espnet2_duplex.metrics.full_duplex_bench.judging import question_of
from espnet2_duplex.metrics.full_duplex_bench.overlap_handling import (
    OverlapCounts,
    speaking_rate,
)
from espnet2_duplex.metrics.full_duplex_bench.speech import make_bench_detector
from espnet2_duplex.metrics.full_duplex_bench.timing_v15 import (
    TimingCounts,
    count_timing,
    merge_speakers,
    overlaps_of,
    responses_of,
)
from espnet2_duplex.scoring.full_duplex_bench.files import (
    BenchSample,
    check_length,
    transcript_path,
)
from espnet2_duplex.scoring.full_duplex_bench.task import (
    BenchTask,
    OpenFigure,
    SampleScore,
    ScoreOptions,
)
from espnet2_duplex.scoring.full_duplex_bench.transcripts import Recording
from espnet2_duplex.scoring.full_duplex_bench.words import (
    overlap_transcripts,
    read_chunks,
)
from espnet2_duplex.sound_files import read_mono, read_samples


class OverlapHandling(BenchTask):
    """Timing and, for a judge, behaviour.

    Args:
        options: definitions.
        has_judge: whether somebody will answer questions; only they need all words.
    """

    def __init__(self, options: ScoreOptions, *, has_judge: bool) -> None:
        super().__init__(options)
        self._has_judge = has_judge

    def recordings(self, sample: BenchSample) -> list[Recording]:
        """Both sides with and without the overlap; none without a judge."""
        if not self._has_judge:
            return []
        places = {
            "clean_input": sample.folder,
            "input": sample.folder,
            "clean_output": sample.output,
            "output": sample.output,
        }
        return [
            Recording(folder / f"{name}.wav", transcript_path(sample, name))
            for name, folder in places.items()
        ]

    def score(self, sample: BenchSample) -> SampleScore:
        """See `BenchTask`; speaking rates only where there are words."""
        timing, row = self._timing(sample)
        counts = OverlapCounts(
            num_samples=1,
            timing=timing,
            words_per_minute=_rate(transcript_path(sample, "output")),
            words_per_minute_clean=_rate(transcript_path(sample, "clean_output")),
        )
        behaviour = None
        if self._has_judge:
            behaviour = OpenFigure(
                question_of(behaviour_chat(overlap_transcripts(sample)), parse_label),
                "behaviour",
                lambda label: OverlapCounts(behaviour=BehaviourCounts.of(label)),
            )
        return SampleScore(counts, row, behaviour)

    def _timing(self, sample: BenchSample) -> tuple[TimingCounts, dict]:
        paths = sample.folder / "input.wav", sample.output / "output.wav"
        if not self.options.is_strict:
            check_length(*paths)
        user, agent = merge_speakers(
            *(self._detect(self._speech(path)) for path in paths), self.options.timing
        )
        overlaps, responses = overlaps_of(user, agent), responses_of(user, agent)
        row = {
            "overlaps": [asdict(overlap) for overlap in overlaps],
            "responses": [asdict(response) for response in responses],
        }
        return count_timing(overlaps, responses), row

    def _speech(self, path: Path) -> np.ndarray:
        if not self.options.is_strict:
            return read_mono(path, SAMPLE_RATE)
        samples, rate = read_samples(path)
        speech = torch.from_numpy(np.ascontiguousarray(samples[:, 0]))
        return torchaudio.functional.resample(speech, rate, SAMPLE_RATE).numpy()

    @cached_property
    def _detect(self):
        return make_bench_detector()


def _rate(transcript: Path) -> Average:
    if not transcript.is_file():
        return Average()
    try:
        return Average.of(speaking_rate(read_chunks(transcript)))
    except ValueError:
        return Average()  # our own turns without words
