"""Recordings with transcripts: a NeMo manifest or a Kaldi data folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sources.published import read_lines, text_of

from espnet2_duplex.jsonl import read_text


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
    """

    id: str
    audio: str
    path: Path
    text: str
    offset: float = 0.0
    seconds: float | None = None


def read_manifest(path: Path) -> Iterator[Utterance]:
    """All utterances of a NeMo manifest (JSON lines) or of a Kaldi data folder.

    Raises:
        ValueError: a line is faulty or a file is missing.
    """
    return read_kaldi_folder(path) if path.is_dir() else read_nemo_manifest(path)


def read_nemo_manifest(path: Path) -> Iterator[Utterance]:
    """Lines {"audio_filepath", "duration", "text"}, perhaps with "offset" and "id".

    A relative `audio_filepath` is relative to the manifest's folder. An utterance
    without an id is called by its file, and by its offset if it has one.

    Raises:
        ValueError: names the faulty line.
    """
    for where, fields in read_lines(path):
        audio = text_of(fields, "audio_filepath", where)
        offset, seconds = fields.get("offset") or 0.0, fields.get("duration")
        for key, value in (("offset", offset), ("duration", seconds)):
            if value is not None and (
                type(value) not in (int, float) or not 0 <= value < 1e6
            ):
                raise ValueError(f"{where}: {key} is {value!r}; expected seconds.")
        id = fields.get("id") or Path(audio).stem + (
            f"-{round(offset * 1000):07d}" if offset else ""
        )
        text = text_of(fields, "text", where)
        yield Utterance(str(id), audio, path.parent / audio, text, offset, seconds)


def read_kaldi_folder(folder: Path) -> Iterator[Utterance]:
    """Utterances of `wav.scp` and `text`, and of `segments` if it is there.

    Raises:
        ValueError: a file is missing, an entry is a pipe or has no recording.
    """
    wavs, texts = (_read_table(folder / name) for name in ("wav.scp", "text"))
    pipes = [key for key, wav in wavs.items() if wav.endswith("|")]
    if pipes:
        raise ValueError(
            f"{folder / 'wav.scp'}: {pipes[0]} is a command, not a file; write the "
            "recordings to files first."
        )
    segments = {key: (key, 0.0, None) for key in texts}
    if (folder / "segments").is_file():
        table = _read_table(folder / "segments")
        segments = {key: _segment(value, folder, key) for key, value in table.items()}
    for key, text in texts.items():
        if key not in segments or segments[key][0] not in wavs:
            raise ValueError(
                f"{folder}: the utterance {key} of text has no recording; run "
                "utils/fix_data_dir.sh on the folder."
            )
        recording, offset, seconds = segments[key]
        wav = wavs[recording]
        yield Utterance(key, wav, Path(wav), text, offset, seconds)


def _read_table(path: Path) -> dict[str, str]:
    lines = [line.split(maxsplit=1) for line in read_text(path).split("\n")]
    return {line[0]: line[1].strip() for line in lines if len(line) == 2}


def _segment(value: str, folder: Path, key: str) -> tuple[str, float, float]:
    try:
        recording, start, end = value.split()
        return recording, float(start), float(end) - float(start)
    except ValueError as problem:
        raise ValueError(
            f"{folder / 'segments'}: {key} has {value!r}; expected a recording, its "
            "start and its end in seconds."
        ) from problem
