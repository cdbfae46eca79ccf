"""Reads Full-Duplex-Bench's folders, v1 and v1.5: ``<id>/input.wav`` and JSON files.

The user's turns come from the JSON files (:mod:`.bench_annotations`); what they leave
open is heard. The agent is what a system wrote, ``output.wav`` with ``output.json``
(Full-Duplex-Bench's words or our turns); without it the agent of our own export,
``reference.wav``; without that it is silent. ``conversation.json`` is of our export and
holds all labels, so that it can be read back.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from espnet2_duplex.conversation import Turn
from espnet2_duplex.formats.bench_annotations import annotated_user
from espnet2_duplex.formats.bench_words import read_words
from espnet2_duplex.formats.bench_writer import (
    EXPORT_FOLDERS,
    LABELS,
    REFERENCE,
    BenchOptions,
)
from espnet2_duplex.formats.files import naming, read_json
from espnet2_duplex.formats.listening import Listener
from espnet2_duplex.formats.recording import (
    DuplexRecording,
    ProblemHandler,
    make_recording,
    parse_turns,
    raise_problem,
    read_each,
    recording_with_labels,
)
from espnet2_duplex.formats.sounds import Silence, Sound, open_channels
from espnet2_duplex.formats.words import turns_of_words

SOURCE, OUTPUT = "full-duplex-bench", "output.wav"


def read_bench(
    root: Path,
    listener: Listener,
    options: BenchOptions = BenchOptions(),
    on_problem: ProblemHandler = raise_problem,
) -> Iterator[DuplexRecording]:
    """Samples of a task, or of several below one root.

    Ids are folder names; those of deeper folders are joined by "_", the task of our own
    export left out. Of a conversation that it has in several tasks, one folder is read,
    that with an ``output.wav`` first.

    Args:
        root: folders with input.wav at any depth.
        listener: for what no file tells.
        options: of the turns.
        on_problem: gets the faults of single samples.

    Raises:
        ValueError: there is no input.wav.
    """
    samples = _samples(Path(root))
    if not samples:
        raise ValueError(f"{root} has no folder with input.wav; name another one.")
    read = partial(_read_sample, listener=listener, options=options)
    return read_each(samples, read, on_problem)


def _samples(root: Path) -> list[tuple[str, Path]]:
    """(id, folder) of what is to be read."""
    samples, exported = [], {}
    for folder in sorted(path.parent for path in root.rglob("input.wav")):
        parts = folder.relative_to(root).parts
        if not (folder / LABELS).is_file():
            samples.append(("_".join(parts) or folder.name, folder))
            continue
        if parts[-2:-1] and parts[-2] in EXPORT_FOLDERS:
            parts = (*parts[:-2], parts[-1])
        id = "_".join(parts) or folder.name
        if id not in exported or _is_better(folder, exported[id]):
            exported[id] = folder
    return sorted([*samples, *exported.items()])


def _is_better(folder: Path, other: Path) -> bool:
    return (folder / OUTPUT).is_file() and not (other / OUTPUT).is_file()


def _read_sample(
    sample: tuple[str, Path], listener: Listener, options: BenchOptions
) -> list[DuplexRecording]:
    id, folder = sample
    (user,) = open_channels(folder / "input.wav", 1)
    agent = _agent_sound(folder, user)
    with naming(folder):
        if (folder / LABELS).is_file():
            labels = dict(read_json(folder / LABELS, dict))
            if agent.path is not None and agent.path.name == OUTPUT:
                turns = parse_turns(labels.get("turns"))
                turns = [turn for turn in turns if turn.role == "user"]
                turns += _agent_turns(folder, agent, listener, options)
                labels["turns"] = [turn.to_dict() for turn in turns]
            return [recording_with_labels(id, labels, user, agent)]
        agents = _agent_turns(folder, agent, listener, options)
        users, events = annotated_user(
            folder, lambda: listener.user(user, agents), options.word_gap_seconds
        )
        turns = users + agents
        names = {"speaker": id, "source": SOURCE, "events": events}
        return [make_recording(id, turns, user, agent, **names)]


def _agent_sound(folder: Path, user: Sound) -> Sound:
    for name in (OUTPUT, REFERENCE):
        if (folder / name).is_file():
            return open_channels(folder / name, 1)[0]
    return Silence(user.sample_rate, user.num_samples)


def _agent_turns(
    folder: Path, agent: Sound, listener: Listener, options: BenchOptions
) -> list[Turn]:
    if agent.path is None:
        return []
    path = folder / "output.json"
    if not path.is_file():
        return listener.agent(agent)
    content = read_json(path, dict)
    if "turns" in content:
        with naming(path):
            turns = parse_turns(content["turns"])
        return [turn for turn in turns if turn.role == "agent"]
    return turns_of_words(read_words(path), "agent", options.word_gap_seconds)
