"""ASR-QA (Sec. 4.1): a real recording is the context, the question is synthesised."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from progress import progress
from sources.asr_manifest import Utterance, read_manifest
from sources.asr_wavs import heard_seconds, user_wav
from sources.files import Paths, find_files
from sources.published import read_lines, text_of
from sources.rows import (
    Job,
    Options,
    Refused,
    agent,
    choose,
    kept,
    make_row,
    user,
)
from sources.speakable import speakable
from sources.turn_lengths import MAX_TURN_SECONDS, cut, short

MAX_TOLD = 10  # recordings that cannot be used, of which the sentence is printed


@dataclass(frozen=True, kw_only=True)
class AsrQaOptions(Options):
    """Options of `asr_qa`.

    Attributes:
        manifest: NeMo manifest, or a Kaldi data folder; a list or a pattern names
            several.
        questions: JSON lines {"id" or "audio_filepath", "question", "answer"}, for
            example those of `generate_questions.py`; "offset" tells utterances of one
            file from each other. A list or a pattern names several.
        licence: of recordings and questions.
        max_turn_seconds: longest recording together with its question; answers are cut
            there at the end of a sentence.
    """

    name: str = "asr_qa"
    manifest: Paths
    questions: Paths
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

    Copies go to `<out>/asr_wav/`, for the chosen rows only. Recordings that cannot be
    used are refused.

    Raises:
        ValueError: a faulty line, a question about no utterance of the manifest, or no
            recording at all can be used.
    """
    utterances = Utterances(find_files(options.manifest, job))
    numbers: dict[str, count] = {}
    items = (
        (utterances.find(fields, where), where, fields)
        for path in find_files(options.questions, job)
        for where, fields in read_lines(path)
    )
    asked = kept(items, partial(ask, options, numbers), job.refused)
    chosen = choose(asked, options.num, job.seed, lambda one: one.row["id"])
    yield from _with_wavs(chosen, options.max_turn_seconds, job)


class Utterances:
    """Utterances of manifests, found by their ids or by their files.

    Args:
        manifests: each a file or a Kaldi data folder.
    Raises:
        ValueError: one is faulty, or two utterances have one id.
    """

    def __init__(self, manifests: list[Path]) -> None:
        self._by_id: dict[str, Utterance] = {}
        self._by_place: dict[tuple[str, float], list[Utterance]] = {}
        for utterance in read_manifest(*manifests):
            self._by_id[utterance.id] = utterance
            place = utterance.audio, utterance.offset
            self._by_place.setdefault(place, []).append(utterance)

    def find(self, fields: dict, where: str) -> Utterance:
        """The utterance that a line of questions is about.

        Raises:
            ValueError: the manifest has none, or several.
        """
        id = fields.get("id")
        if id is not None:
            key, found = str(id), [self._by_id.get(str(id))]
        else:
            key = (str(fields.get("audio_filepath")), fields.get("offset") or 0.0)
            found = self._by_place.get(key, [None])
        if found[0] is None:
            raise ValueError(
                f"{where}: the manifest has no utterance {key!r}; give the questions "
                "that were made from this manifest."
            )
        if len(found) > 1:
            raise ValueError(
                f"{where}: {len(found)} utterances of the manifest are {key!r}; name "
                'the one that is meant by its "id".'
            )
        return found[0]


def ask(options: AsrQaOptions, numbers: dict[str, count], item: tuple) -> Asked:
    """The row of (utterance, where, question), still without the recording's wav.

    Raises:
        Refused: the recording is too long or a text cannot be said.
        ValueError: question or answer is no text.
    """
    utterance, where, fields = item
    limit = options.max_turn_seconds
    if not utterance.text.strip():
        raise Refused("a recording without a transcript")
    question, answer = (
        speakable(text_of(fields, key, where)) for key in ("question", "answer")
    )
    if utterance.seconds is not None:
        _check_length(utterance.seconds, question, limit)
    turns = [user(utterance.text), user(question), agent(cut(answer, "agent", limit))]
    number = next(numbers.setdefault(utterance.id, count()))
    key = f"{utterance.id}_{number}"
    origin = f"{utterance.manifest}, {utterance.id}"
    group = f"recording: {utterance.path.absolute()} {utterance.offset}"
    row = make_row(options, key, turns, options.licence, origin, group)
    return Asked(row, utterance)


def _check_length(seconds: float, question: str, max_seconds: float) -> None:
    """One user turn holds the recording and the question (Sec. 4.1)."""
    if seconds > max_seconds:
        raise Refused("a recording that is too long")
    short(question, "user", max_seconds - seconds)


def _with_wavs(asked: list[Asked], max_seconds: float, job: Job) -> Iterator[dict]:
    """Rows with the wavs of their recordings; what cannot be used is told.

    Raises:
        ValueError: there is no row because recordings cannot be used.
    """
    problems: list[str] = []
    num_rows = 0
    for one in progress(asked, "recordings", len(asked)):
        context, question = one.row["turns"][:2]
        try:
            seconds = heard_seconds(one.utterance)
            _check_length(seconds, question["text"], max_seconds)
            context["wav"] = user_wav(one.utterance, seconds, job.out, job.user_rate)
        except Refused as reason:
            job.refused[str(reason)] += 1
        except ValueError as problem:
            job.refused["a recording that cannot be used"] += 1
            problems.append(str(problem))
            if len(problems) <= MAX_TOLD:
                print(f"  left out: {one.row['id']}: {problem}", flush=True)
        else:
            num_rows += 1
            yield one.row
    if problems and not num_rows:
        raise ValueError(problems[0])
