"""Full-Duplex-Bench's folders: which samples there are, and where their files lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from espnet2_duplex.sound_files import read_header

# Task -> the file that only its samples have; None: they have none of these.
ANNOTATIONS = {
    "pause_handling": "pause.json",
    "turn_taking": "turn_taking.json",
    "user_interruption": "interrupt.json",
    "backchannel": None,
    "v1.5": "clean_input.wav",
}
# Only these cannot be scored without it.
NEED_ANNOTATION = ("turn_taking", "user_interruption", "v1.5")
# Systems round to their frames; a longer difference is no time-synchronous answer.
TOLERANCE_SECONDS = 0.1
OWN_LABELS = "conversation.json"  # of our own exports, whose samples serve all tasks


@dataclass(frozen=True)
class BenchSample:
    """One folder of a task.

    Attributes:
        id: path of the folder below the root.
        folder: has input.wav and what is known of it.
        output: has, or gets, output.wav and what is known of that.
    """

    id: str
    folder: Path
    output: Path

    @property
    def subset(self) -> str:
        """The folder that holds this one and others of its kind."""
        return self.id.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The last part of the id, which names the sample in Full-Duplex-Bench."""
        return self.id.rpartition("/")[2]


def find_samples(root: Path, output_root: Path, task: str) -> list[BenchSample]:
    """Samples of a task, sorted by id.

    Where several tasks' folders lie below one root, their annotations tell them apart.
    Of our own exports, samples without an event of the task are left out.

    Args:
        root: folders with input.wav at any depth.
        output_root: the same folders for what a system says; may be `root`.
        task: a key of `ANNOTATIONS`.

    Raises:
        ValueError: there is no sample of this task.
    """
    folders = sorted(path.parent for path in root.rglob("input.wav"))
    if not folders:
        raise ValueError(
            f"{root} has no folder with input.wav; give --root the folder of a task of "
            "Full-Duplex-Bench."
        )
    samples = []
    for folder in folders:
        id = folder.relative_to(root).as_posix()
        samples.append(BenchSample(id, folder, output_root / id))
    chosen = {
        subset for subset in {s.subset for s in samples} if _fits(subset, samples, task)
    }
    if not chosen:
        if task in NEED_ANNOTATION:
            raise ValueError(
                f"no sample below {root} has {ANNOTATIONS[task]}; give --root the "
                f"folder of the task {task}."
            )
        return samples
    samples = [sample for sample in samples if sample.subset in chosen]
    if task in NEED_ANNOTATION:
        samples = [s for s in samples if not _has_no_event(s, ANNOTATIONS[task])]
    return samples


def _fits(subset: str, samples: Sequence[BenchSample], task: str) -> bool:
    """Whether the annotations in a subset are those of a task."""
    marks = [mark for mark in ANNOTATIONS.values() if mark]
    present = {
        mark
        for sample in samples
        if sample.subset == subset
        for mark in marks
        if (sample.folder / mark).is_file()
    }
    own_mark = ANNOTATIONS[task]
    return own_mark in present if own_mark else not present


def _has_no_event(sample: BenchSample, mark: str) -> bool:
    return (sample.folder / OWN_LABELS).is_file() and not (
        sample.folder / mark
    ).is_file()


def check_length(input: Path, output: Path) -> None:
    """Check that an answer is as long as what it answers.

    Raises:
        ValueError: it is not, or one of the files cannot be read.
    """
    expected, found = read_header(input).seconds, read_header(output).seconds
    if abs(expected - found) > TOLERANCE_SECONDS:
        raise ValueError(
            f"{output} has {found:.2f} s, {input.name} has {expected:.2f} s; the system "
            "must write as much as it hears, silence where it says nothing."
        )


def transcript_path(sample: BenchSample, name: str) -> Path:
    """Where the words of a sound of a sample are: "output", "clean_input", ...

    The user's words lie with the data if they came with it, else with the output.
    """
    beside_data = sample.folder / f"{name}.json"
    if "input" in name and beside_data.is_file():
        return beside_data
    return sample.output / f"{name}.json"
