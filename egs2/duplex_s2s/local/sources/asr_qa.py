"""ASR-QA (Sec. 4.1): a real recording is the context, the question is synthesised."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import soundfile
import soxr
from sources.asr_manifest import Utterance, read_manifest
from sources.published import read_lines, text_of
from sources.rows import Job, Options, Refused, agent, choose, kept, make_row, user
from sources.speakable import MAX_TURN_SECONDS, cut, short, speakable

from espnet2_duplex.atomic import replacing

USER_RATE = 16000  # Hz


@dataclass(frozen=True, kw_only=True)
class AsrQaOptions(Options):
    """Options of `asr_qa`.

    Attributes:
        manifest: NeMo manifest, or a Kaldi data folder.
        questions: JSON lines {"id" or "audio_filepath", "question", "answer"}, for
            example those of `generate_questions.py`; "offset" tells utterances of one
            file from each other.
        licence: of recordings and questions.
        max_turn_seconds: longest recording and question; answers are cut there at the
            end of a sentence.
    """

    name: str = "asr_qa"
    manifest: str
    questions: str
    licence: str = "unknown"
    max_turn_seconds: float = MAX_TURN_SECONDS


def asr_qa(options: AsrQaOptions, job: Job) -> Iterator[dict]:
    """One row a question; recordings that are no 16 kHz mono wav are written anew.

    Those go to `<out>/asr_wav/`, for the chosen rows only.

    Raises:
        ValueError: a faulty line, a question about no utterance of the manifest, or a
            recording that cannot be read.
    """
    manifest = job.find(options.manifest)
    utterances: dict[object, Utterance] = {}
    for utterance in read_manifest(manifest):
        if utterance.id in utterances:
            raise ValueError(
                f"{manifest}: two utterances are called {utterance.id}; give each its "
                'own "id".'
            )
        utterances[utterance.id] = utterance
        utterances[utterance.audio, utterance.offset] = utterance
    numbers: dict[str, count] = {}
    items = (
        (find_utterance(utterances, fields, where), where, fields)
        for where, fields in read_lines(job.find(options.questions))
    )
    convert = partial(question_row, options, numbers, manifest.name)
    rows = choose(kept(items, convert, job.refused), options.num, job.seed)
    for row in rows:
        utterance = row["turns"][0].pop("utterance")
        row["turns"][0]["wav"] = user_wav(utterance, job.out)
        yield row


def find_utterance(utterances: dict, fields: dict, where: str) -> Utterance:
    """The utterance that a line of questions is about.

    Raises:
        ValueError: the manifest has none.
    """
    key: object = str(fields.get("id", ""))
    if not key:
        key = (str(fields.get("audio_filepath")), fields.get("offset") or 0.0)
    if key not in utterances:
        raise ValueError(
            f"{where}: the manifest has no utterance {key!r}; give the questions that "
            "were made from this manifest."
        )
    return utterances[key]


def question_row(
    options: AsrQaOptions, numbers: dict[str, count], manifest: str, item: tuple
) -> dict:
    """The row of (utterance, where, question), whose first turn holds the utterance.

    Raises:
        Refused: the recording is too long or a text cannot be said.
        ValueError: question or answer is no text.
    """
    utterance, where, fields = item
    limit = options.max_turn_seconds
    if not utterance.text.strip():
        raise Refused("a recording without a transcript")
    if utterance.seconds is not None and utterance.seconds > limit:
        raise Refused("a recording that is too long")
    question, answer = (
        speakable(text_of(fields, key, where)) for key in ("question", "answer")
    )
    turns = [
        user(utterance.text, utterance=utterance),
        user(short(question, "user", limit)),
        agent(cut(answer, "agent", limit)),
    ]
    number = next(numbers.setdefault(utterance.id, count()))
    key = f"{utterance.id}_{number}"
    return make_row(options, key, turns, options.licence, f"{manifest}, {utterance.id}")


def user_wav(utterance: Utterance, out: Path) -> str:
    """Path, for a row in `out`, of the utterance as a 16 kHz mono wav.

    Raises:
        ValueError: the recording is missing, unreadable or too short.
    """
    path = utterance.path
    if not path.is_file():
        raise ValueError(f"{path} does not exist; correct the manifest's path.")
    try:
        header = soundfile.info(path)
    except soundfile.LibsndfileError as problem:
        reason = problem.error_string.rstrip(".")
        raise ValueError(
            f"{path} cannot be read as audio ({reason}); write it as wav or flac."
        ) from problem
    seconds = utterance.seconds or header.duration - utterance.offset
    is_whole = utterance.offset == 0 and seconds >= header.duration - 0.01
    if utterance.offset + seconds > header.duration + 0.1:
        raise ValueError(
            f"{path} lasts {header.duration:.2f} s, but the manifest has an utterance "
            f"until {utterance.offset + seconds:.2f} s; correct the manifest."
        )
    form = (header.format, header.samplerate, header.channels)
    if is_whole and form == ("WAV", USER_RATE, 1):
        return str(path.absolute())
    content = f"{path.absolute()}|{utterance.offset}|{utterance.seconds}"
    name = f"{hashlib.sha1(content.encode()).hexdigest()[:16]}.wav"
    first, num = (round(t * header.samplerate) for t in (utterance.offset, seconds))
    speech, rate = soundfile.read(
        path, start=first, frames=num, dtype="float32", always_2d=True
    )
    _write_wav(out / "asr_wav" / name, speech.mean(axis=1), rate)
    return f"asr_wav/{name}"


def _write_wav(path: Path, speech: np.ndarray, rate: int) -> None:
    speech = soxr.resample(speech, rate, USER_RATE)
    with replacing(path) as temporary:
        soundfile.write(temporary, speech, USER_RATE, format="WAV", subtype="PCM_16")
