"""Reconstructs sentences with codecs and lets judges score them, in several processes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio

from espnet2_duplex.atomic import replacing
from espnet2_duplex.bin.codec_sentences import (
    Record,
    Sentence,
    digest_of_files,
    sample_rate_of,
)
from espnet2_duplex.codec.abs_codec import AbsCodec
from espnet2_duplex.codec.loading import load_codec
from espnet2_duplex.dataset_checks import load_speech
from espnet2_duplex.metrics.activity import SAMPLE_RATE
from espnet2_duplex.metrics.speech.judges import JudgeOptions, judge_makers, make_judge
from espnet2_duplex.metrics.speech.quality import Judge, Sample
from espnet2_duplex.scoring.processes import run_in_processes


@dataclass(frozen=True)
class System:
    """A codec that is scored, or the recordings themselves.

    Attributes:
        name: in the tables, and of its folder.
        folder: for its wavs and scores.
        codec_dir: holds codec.yaml and codec.pth; None for the recordings.
        digest: of these two files.
    """

    name: str
    folder: Path
    codec_dir: Path | None = None
    digest: str = ""

    @classmethod
    def of_codec(cls, name: str, codec_dir: Path, output_dir: Path) -> "System":
        """The codec in a folder.

        Raises:
            ValueError: a file is missing.
        """
        paths = [codec_dir / file for file in ("codec.yaml", "codec.pth")]
        for path in paths:
            if not path.is_file():
                raise ValueError(
                    f"{path} does not exist; --codec names a folder in which "
                    "codec_export wrote codec.yaml and codec.pth"
                )
        return cls(name, output_dir / name, codec_dir, digest_of_files(paths))

    @property
    def records_file(self) -> Path:
        """Where the scores of every sentence are kept."""
        return self.folder / "sentences.jsonl"

    def load(self) -> AbsCodec:
        """The codec."""
        assert self.codec_dir is not None
        return load_codec(self.codec_dir / "codec.yaml", self.codec_dir / "codec.pth")

    def wav_path(self, sentence: Sentence) -> Path:
        """What is judged of a sentence."""
        if self.codec_dir is None:
            return sentence.path
        return self.folder / "wav" / f"{sentence.id}.wav"


@dataclass(frozen=True)
class Task:
    """What is missing of one sentence.

    Attributes:
        system: who speaks.
        sentence: what is said.
        record: what is known; without `made_from`, the wav must be made first.
        judges: who has not judged yet.
    """

    system: System
    sentence: Sentence
    record: Record
    judges: tuple[str, ...]


def missing_task(
    system: System, sentence: Sentence, record: Record | None, options: JudgeOptions
) -> Task | None:
    """What must be done for a sentence; None if nothing.

    Args:
        system: who speaks.
        sentence: what is said.
        record: from an earlier run.
        options: who shall judge.
    """
    made_from = sentence.digest + system.digest
    if (
        record is None
        or record.made_from != made_from
        or not system.wav_path(sentence).is_file()
    ):
        record = Record(sentence.id, made_from="")
    names = judge_makers(options)
    judges = tuple(name for name in names if name not in record.scores)
    return Task(system, sentence, record, judges) if judges else None


class Worker:
    """Does tasks one after the other; loads a codec or a judge when it is needed."""

    def __init__(self, options: JudgeOptions) -> None:
        self._options = options
        self._judges: dict[str, Judge] = {}
        self._codec: tuple[System, AbsCodec] | None = None

    def __call__(self, task: Task) -> Record:
        """Complete a record."""
        record = task.record
        judges = {name: self._judge(name) for name in task.judges}
        if not record.made_from:
            record = self._reconstruct(task)
        sample = _sample(task)
        scores = {name: judge(sample) for name, judge in judges.items()}
        return replace(record, scores={**record.scores, **scores})

    def _judge(self, name: str) -> Judge:
        if name not in self._judges:
            self._judges[name] = make_judge(name, self._options)
        return self._judges[name]

    def _reconstruct(self, task: Task) -> Record:
        """Write the sentence's wav as the codec decodes it."""
        system, sentence = task.system, task.sentence
        record = Record(sentence.id, made_from=sentence.digest + system.digest)
        if system.codec_dir is None:
            return record
        if self._codec is None or self._codec[0] != system:
            self._codec = (system, system.load())
        codec = self._codec[1]
        rate = sample_rate_of(sentence.path)
        speech = resample(load_speech(sentence.path, rate), rate, codec.sample_rate)
        with torch.no_grad():
            codes = codec.encode(torch.from_numpy(speech)[None])  # (1, T, K)
            decoded = codec.decode(codes)[0, : len(speech)].numpy()
        with replacing(system.wav_path(sentence)) as temporary:
            soundfile.write(
                temporary, decoded.clip(-1, 1), codec.sample_rate, format="WAV"
            )
        return replace(record, num_frames=codes.size(1), codes=codes.flatten().tolist())


def run_tasks(
    tasks: Sequence[Task], options: JudgeOptions, num_jobs: int
) -> Iterator[Record]:
    """Complete records, in the order of the tasks, with one thread for each job."""
    return run_in_processes(partial(Worker, options), tasks, num_jobs)


def _sample(task: Task) -> Sample:
    sentence = task.sentence
    speech, original, other = (
        load_at_16_khz(path)
        for path in (
            task.system.wav_path(sentence),
            sentence.path,
            sentence.other_path,
        )
    )
    # Rates that do not divide leave a sample more or less.
    speech = np.pad(speech, (0, max(0, len(original) - len(speech))))
    return Sample(speech[: len(original)], original, other)


def load_at_16_khz(path: Path) -> np.ndarray:
    """Samples (S,) float32 of a sound file, at the judges' rate."""
    rate = sample_rate_of(path)
    return resample(load_speech(path, rate), rate, SAMPLE_RATE)


def resample(speech: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """Speech (S,) float32 at another rate."""
    if rate == new_rate:
        return speech
    resampled = torchaudio.functional.resample(torch.from_numpy(speech), rate, new_rate)
    return resampled.numpy()
