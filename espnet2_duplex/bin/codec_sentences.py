"""The sentences that codecs are scored on, and what is known of each so far."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import soundfile

from espnet2_duplex.arks import read_scp
from espnet2_duplex.atomic import replacing
from espnet2_duplex.metrics.speech.quality import Scores


@dataclass(frozen=True)
class Sentence:
    """One recording.

    Attributes:
        id: of the sentence.
        text: what is said.
        path: of the recording.
        other_path: of the next sentence's recording, in the same voice.
        digest: of both recordings' bytes.
    """

    id: str
    text: str
    path: Path
    other_path: Path
    digest: str


@dataclass
class Record:
    """What is known of one sentence from one codec: a line of sentences.jsonl.

    Attributes:
        id: of the sentence.
        made_from: digest of the recordings and of the codec.
        num_frames: T, of the codes.
        codes: T * K, frame-major; empty for recordings.
        scores: of each judge, by the judge's name.
    """

    id: str
    made_from: str
    num_frames: int = 0
    codes: list[int] = field(default_factory=list)
    scores: dict[str, Scores] = field(default_factory=dict)


def read_sentences(data_dir: Path) -> list[Sentence]:
    """Sentences of `<data_dir>/wav.scp` and `<data_dir>/text`, in the scp's order.

    Raises:
        ValueError: a file is missing or not readable, the ids differ, or there are
            fewer than two sentences.
    """
    wavs, texts = (read_scp(data_dir / name) for name in ("wav.scp", "text"))
    if set(wavs) != set(texts):
        lacking = sorted(set(wavs) ^ set(texts))[0]
        raise ValueError(
            f"{lacking} is not in both {data_dir}/wav.scp and {data_dir}/text; give "
            "every sentence a recording and a text"
        )
    if len(wavs) < 2:
        raise ValueError(
            f"{data_dir}/wav.scp has {len(wavs)} sentence(s); at least two are needed, "
            "since voices are compared between sentences"
        )
    paths = [Path(path) for path in wavs.values()]
    digests = [_digest_of_wav(path) for path in paths]
    return [
        Sentence(
            id=name,
            text=texts[name],
            path=paths[n],
            other_path=paths[n - 1],
            digest=digests[n] + digests[n - 1],
        )
        for n, name in enumerate(wavs)
    ]


def sample_rate_of(path: Path) -> int:
    """Samples per second that a sound file declares.

    Raises:
        ValueError: it is missing or no sound file.
    """
    if not path.is_file():
        raise ValueError(f"{path} does not exist; correct the path or make the file")
    try:
        return soundfile.info(path).samplerate
    except soundfile.LibsndfileError as error:
        raise ValueError(
            f"{path} cannot be read as audio ({error.error_string.rstrip('.')}); write "
            "it again as wav"
        ) from error


def _digest_of_wav(path: Path) -> str:
    sample_rate_of(path)
    return digest_of_files([path])


def digest_of_files(paths: Iterable[Path]) -> str:
    """SHA-256 of the files' bytes, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def read_records(path: Path) -> dict[str, Record]:
    """Records by sentence, none where there is no file.

    Raises:
        ValueError: a line is no record.
    """
    if not path.is_file():
        return {}
    records = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            record = Record(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"line {number} of {path} is no record ({error}); delete the file and "
                "score again"
            ) from error
        records[record.id] = record
    return records


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write sentences.jsonl at once."""
    with replacing(path) as temporary:
        with open(temporary, "w", encoding="utf-8") as file:
            for record in records:
                file.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")
