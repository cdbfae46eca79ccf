"""ASR-QA (Sec. 4.1): a real recording is the context, the question is synthesised."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from sources.asr_manifest import Utterance, read_manifest
from sources.published import read_lines, text_of
from sources.rows import Job, Options, Refused, agent, choose, kept, make_row, user
from sources.speakable import MAX_TURN_SECONDS, cut, short, speakable

from espnet2_duplex.sound_files import read_header, read_mono, write_wav
from espnet2_duplex.timing import nearest_sample


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


@dataclass(frozen=True)
class Asked:
    """A question about an utterance.

    Attributes:
        row: of the format; its first turn says the utterance.
        utterance: the recording.
    """

    row: dict
    utterance: Utterance


def asr_qa(options: AsrQaOptions, job: Job) -> Iterator[dict]:
    """One row a question; what is no mono wav of the users' rate is copied.

    Copies go to `<out>/asr_wav/`, for the chosen rows only.

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
    convert = partial(ask, options, numbers, manifest.name)
    asked = kept(items, convert, job.refused)
    for one in choose(asked, options.num, job.seed, lambda one: one.row["id"]):
        one.row["turns"][0]["wav"] = user_wav(one.utterance, job.out, job.user_rate)
        yield one.row


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


def ask(
    options: AsrQaOptions, numbers: dict[str, count], manifest: str, item: tuple
) -> Asked:
    """The row of (utterance, where, question), still without the recording's wav.

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
        user(utterance.text),
        user(short(question, "user", limit)),
        agent(cut(answer, "agent", limit)),
    ]
    number = next(numbers.setdefault(utterance.id, count()))
    key = f"{utterance.id}_{number}"
    origin = f"{manifest}, {utterance.id}"
    return Asked(make_row(options, key, turns, options.licence, origin), utterance)


def user_wav(utterance: Utterance, out: Path, sample_rate: int) -> str:
    """Path, for a row in `out`, of the utterance as a mono wav of this rate in Hz.

    Of several channels the first is taken.

    Raises:
        ValueError: the recording is missing, unreadable or too short.
    """
    path = utterance.path
    header = read_header(path)
    seconds = utterance.seconds or header.seconds - utterance.offset
    is_whole = utterance.offset == 0 and seconds >= header.seconds - 0.01
    if utterance.offset + seconds > header.seconds + 0.1:
        raise ValueError(
            f"{path} lasts {header.seconds:.2f} s, but the manifest has an utterance "
            f"until {utterance.offset + seconds:.2f} s; correct the manifest."
        )
    form = (header.format, header.sample_rate, header.num_channels)
    if is_whole and form == ("WAV", sample_rate, 1):
        return str(path.absolute())
    content = f"{path.absolute()}|{utterance.offset}|{utterance.seconds}"
    name = f"{hashlib.sha1(content.encode()).hexdigest()[:16]}.wav"
    first, num_samples = (
        nearest_sample(t, header.sample_rate) for t in (utterance.offset, seconds)
    )
    speech = read_mono(path, sample_rate, first, num_samples)
    write_wav(out / "asr_wav" / name, speech, sample_rate)
    return f"asr_wav/{name}"
