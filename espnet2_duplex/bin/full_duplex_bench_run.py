"""Lets a system listen to Full-Duplex-Bench's recordings and keeps what it says."""

import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from tqdm import tqdm

from espnet2_duplex.formats.files import write_json
from espnet2_duplex.scoring.full_duplex_bench.files import BenchSample, check_length
from espnet2_duplex.sound_files import read_header, read_mono, resample, write_wav
from espnet2_duplex.timing import nearest_sample

OUTPUT_RATE = 16000  # Hz; Full-Duplex-Bench's backchannel script takes it for granted

# Gets one sentence for each recording that came to nothing.
OnProblem = Callable[[str], None]


class DuplexSystem(Protocol):
    """What is asked of a model: `DuplexSpeech2Speech` in `duplex_s2s_inference`."""

    fs_user: int
    fs_agent: int
    latency: float

    def decode_batch(self, speeches: Sequence[np.ndarray]) -> list:
        """Speech (M,) at `fs_agent` and turns for each recording at `fs_user`."""


@dataclass(frozen=True)
class Job:
    """One recording to listen to, and where to write the answer."""

    input: Path
    output: Path

    @property
    def transcript(self) -> Path:
        """The JSON file beside the answer."""
        return self.output.with_suffix(".json")


def jobs_of(samples: Sequence[BenchSample], task: str) -> list[Job]:
    """Recordings of a task; v1.5 has two a sample, without and with the overlap."""
    prefixes = ("clean_", "") if task == "v1.5" else ("",)
    return [
        Job(sample.folder / f"{prefix}input.wav", sample.output / f"{prefix}output.wav")
        for sample in samples
        for prefix in prefixes
    ]


def is_done(job: Job) -> bool:
    """Whether an answer of the right length is there."""
    if not job.output.is_file():
        return False
    try:
        check_length(job.input, job.output)
    except ValueError:
        return False
    return True


def run_model(
    jobs: Sequence[Job],
    s2s: DuplexSystem,
    batch_size: int,
    on_problem: OnProblem,
) -> None:
    """Decode recordings in lockstep; long ones with long ones.

    Args:
        jobs: to do.
        s2s: the model.
        batch_size: recordings at a time.
        on_problem: gets a sentence for each recording that cannot be read.
    """
    readable = [job for job in jobs if _is_readable(job.input, on_problem)]
    readable.sort(key=lambda job: -read_header(job.input).seconds)
    with tqdm(total=len(readable), unit="recording", desc="decoding") as bar:
        for batch in _batches(readable, batch_size):
            heard = [(job, _read(job.input, s2s.fs_user, on_problem)) for job in batch]
            heard = [(job, speech) for job, speech in heard if speech is not None]
            if heard:
                outputs = s2s.decode_batch([speech for _, speech in heard])
                for (job, _), output in zip(heard, outputs, strict=True):
                    _write_answer(job, output, s2s)
            bar.update(len(batch))


def run_command(jobs: Sequence[Job], command: str, on_problem: OnProblem) -> None:
    """Let another system's command answer recordings one by one.

    Args:
        jobs: to do.
        command: with the words {input} and {output}; it must write a wav there.
        on_problem: gets a sentence for each recording that it fails at.

    Raises:
        ValueError: the command lacks one of the two words.
    """
    words = split_command(command)
    for job in tqdm(jobs, unit="recording", desc=Path(words[0]).name):
        try:
            _answer(job, words)
        except ValueError as problem:
            on_problem(str(problem))


def split_command(command: str) -> list[str]:
    """The words of a command line.

    Raises:
        ValueError: it cannot be split, or lacks {input} or {output}.
    """
    try:
        words = shlex.split(command)
    except ValueError as problem:
        raise ValueError(f"--command {command!r}: {problem}; close the quote") from None
    for place in ("{input}", "{output}"):
        if not any(place in word for word in words):
            raise ValueError(
                f"--command {command!r} does not say where {place} belongs; write for "
                'example --command "talk.sh {input} {output}"'
            )
    return words


def _answer(job: Job, words: Sequence[str]) -> None:
    job.output.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place and with its suffix, by which many programs know a format.
    temporary = job.output.with_name(f".{job.output.name}.part.wav")
    places = {"{input}": str(job.input), "{output}": str(temporary)}
    filled = []
    for word in words:
        for place, path in places.items():
            word = word.replace(place, path)
        filled.append(word)
    try:
        _call(filled, job)
        if not temporary.is_file():
            raise ValueError(f"{job.input}: {words[0]} wrote nothing to {{output}}")
        check_length(job.input, temporary)
        job.transcript.unlink(missing_ok=True)  # of an earlier answer
        temporary.replace(job.output)
    finally:
        temporary.unlink(missing_ok=True)


def _call(words: Sequence[str], job: Job) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as problem:
        raise ValueError(
            f"{words[0]} cannot be started ({problem.strerror}); correct --command"
        ) from problem
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["without a message"]
        raise ValueError(
            f"{job.input}: {words[0]} ended with exit code {done.returncode}: "
            f"{lines[-1]}"
        )


def _write_answer(job: Job, output, s2s: DuplexSystem) -> None:
    num_samples = nearest_sample(read_header(job.input).seconds, OUTPUT_RATE)
    speech = resample(output.speech, s2s.fs_agent, OUTPUT_RATE)
    speech = np.pad(speech, (0, max(0, num_samples - len(speech))))[:num_samples]
    description = {
        "turns": [turn.to_dict() for turn in output.turns],
        "latency": s2s.latency,
    }
    write_json(job.transcript, description)
    write_wav(job.output, speech, OUTPUT_RATE)  # last: it says that the job is done


def _is_readable(path: Path, on_problem: OnProblem) -> bool:
    try:
        read_header(path)
    except ValueError as problem:
        on_problem(str(problem))
        return False
    return True


def _read(path: Path, rate: int, on_problem: OnProblem) -> np.ndarray | None:
    try:
        return read_mono(path, rate)
    except ValueError as problem:
        on_problem(str(problem))
        return None


def _batches(jobs: Sequence[Job], size: int) -> Iterator[Sequence[Job]]:
    return (jobs[n : n + size] for n in range(0, len(jobs), size))
