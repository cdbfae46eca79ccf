"""Recordings with transcripts: a NeMo manifest or a Kaldi data folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sources.published import read_lines, text_of

from espnet2_duplex.data_folder import read_table

MAX_SECONDS = 1e6  # more is no length of a recording
TO_THE_END = -1.0  # of a segment, in Kaldi


@dataclass(frozen=True)
class Utterance:
    """A stretch of a recording and what is said in it.

    Attributes:
        id: of the utterance.
        audio: as the manifest names the file.
        path: where the file is.
        text: transcript.
        offset: seconds into the file.
        seconds: length; None is to the end of the file.
        manifest: name of the file or folder that has it.
    """

    id: str
    audio: str
    path: Path
    text: str
    offset: float = 0.0
    seconds: float | None = None
    manifest: str = ""


def manifest_files(path: Path) -> list[Path]:
    """What is read of a manifest: the file itself, or the tables of a Kaldi folder."""
    if not path.is_dir():
        return [path]
    segments = path / "segments"
    tables = [path / "wav.scp", path / "text"]
    return [*tables, segments] if segments.is_file() else tables


def read_manifest(*paths: Path) -> Iterator[Utterance]:
    """All utterances of NeMo manifests (JSON lines) or Kaldi data folders.

    Raises:
        ValueError: a line is faulty, a file is missing, or an id comes twice.
    """
    places: dict[str, Path] = {}
    for path in paths:
        read = read_kaldi_folder if path.is_dir() else read_nemo_manifest
        for utterance in read(path):
            if utterance.id in places:
                where = {str(places[utterance.id]): None, str(path): None}
                raise ValueError(
                    f"{' and '.join(where)}: two utterances are called {utterance.id}; "
                    'give each its own "id".'
                )
            places[utterance.id] = path
            yield utterance


def read_nemo_manifest(path: Path) -> Iterator[Utterance]:
    """Lines {"audio_filepath", "duration", "text"}, perhaps with "offset" and "id".

    A relative `audio_filepath` is relative to the manifest's folder. An utterance
    without an id is called by its file, and by its offset if it has one.

    Raises:
        ValueError: names the faulty line.
    """
    for where, fields in read_lines(path):
        audio = text_of(fields, "audio_filepath", where)
        seconds = _seconds(fields, "duration", where)
        if seconds == 0:
            raise ValueError(
                f"{where}: duration is {seconds!r}; expected more than 0 seconds, or no "
                "duration for the whole file."
            )
        offset = _seconds(fields, "offset", where) or 0.0
        id = fields.get("id")
        if id is None:
            place = f"-{round(offset * 1000):07d}" if offset else ""
            id = Path(audio).stem + place
        text = text_of(fields, "text", where)
        wav = path.parent / audio
        yield Utterance(str(id), audio, wav, text, offset, seconds, path.name)


def _seconds(fields: dict, key: str, where: str) -> float | None:
    value = fields.get(key)
    is_length = type(value) in (int, float) and 0 <= value < MAX_SECONDS
    if value is not None and not is_length:
        raise ValueError(f"{where}: {key} is {value!r}; expected seconds.")
    return value


def read_kaldi_folder(folder: Path) -> Iterator[Utterance]:
    """Utterances of `wav.scp` and `text`, and of `segments` if it is there.

    Raises:
        ValueError: a file is missing or faulty (`data_folder.read_table`), an entry is
            a pipe or has no recording, or a segment does not end after its start.
    """
    wavs, texts = (read_table(folder / name) for name in ("wav.scp", "text"))
    pipes = [key for key, wav in wavs.items() if wav.endswith("|")]
    if pipes:
        raise ValueError(
            f"{folder / 'wav.scp'}: {pipes[0]} is a command, not a file; write the "
            "recordings to files first."
        )
    segments = {key: (key, 0.0, None) for key in texts}
    if (folder / "segments").is_file():
        table = read_table(folder / "segments")
        segments = {key: _segment(value, folder, key) for key, value in table.items()}
    for key, text in texts.items():
        if key not in segments or segments[key][0] not in wavs:
            raise ValueError(
                f"{folder}: the utterance {key} of text has no recording; run "
                "utils/fix_data_dir.sh on the folder."
            )
        recording, offset, seconds = segments[key]
        wav = wavs[recording]
        yield Utterance(key, wav, Path(wav), text, offset, seconds, folder.name)


def _segment(value: str, folder: Path, key: str) -> tuple[str, float, float | None]:
    """Recording, offset and length of a line of `segments`."""
    where = f"{folder / 'segments'}: {key} has {value!r}"
    try:
        recording, start, end = value.split()
        first, last = float(start), float(end)
    except ValueError as problem:
        raise ValueError(
            f"{where}; expected a recording, its start and its end in seconds."
        ) from problem
    if 0 <= first < MAX_SECONDS and last == TO_THE_END:
        return recording, first, None
    if not 0 <= first < last < MAX_SECONDS:
        raise ValueError(
            f"{where}; expected an end after the start, or -1 for the end of the file."
        )
    return recording, first, last - first
