"""Choice of the mini corpus' texts from the packaged sources, by rule and seed only.

`select` gives lists of rows:

    known        questions of training and of the test sets with known questions
    open         questions that occur in test_open alone
    codec_train  sentences that the agent reads for the codec
    codec_valid
    codec_test

A pair has `id`, `question`, `answer`, `group`, `source`, `licence`; a sentence has
`id`, `text`, `source`, `licence`. Same seed and sources, same rows.
"""

import itertools
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pronunciation import Pronunciation, farthest_first
from text_sources import (
    SPEAKABLE,
    UNWANTED,
    TextPair,
    chatterbot_pairs,
    country_pairs,
    first_sentence,
    is_suitable,
    load_summaries,
    wikipedia_pairs,
)

CODEC_SETS = ("codec_train", "codec_valid", "codec_test")
POOL_SIZE = 60  # candidates of one group that are compared with each other
SECONDS_PER_WORD = 0.37  # agent's speech, for budgeting only


@dataclass(frozen=True)
class Selection:
    """What to choose. Counts are per set; shares are of a set's questions."""

    seed: int = 0
    num_known: int = 40
    num_open: int = 40
    codec_train_seconds: float = 14400.0
    codec_valid_sentences: int = 40
    codec_test_sentences: int = 228  # as many as the paper's (Sec. 6.3)
    answer_share: float = 0.35  # of codec sentences in the style of answers
    known_repeats: int = 2  # readings of each known answer for the codec


def quotas(groups: Iterable[str], total: int) -> dict[str, int]:
    """Share `total` equally among the sources, then among the groups of a source."""
    names = sorted(groups)
    sources = sorted({name.split("/")[0] for name in names})
    counts = dict.fromkeys(names, 0)
    rounds = [
        itertools.cycle([name for name in names if name.startswith(f"{source}/")])
        for source in sources
    ]
    for _, groups_of_source in zip(range(total), itertools.cycle(rounds)):
        counts[next(groups_of_source)] += 1
    return counts


def suitable_by_group(
    pairs: Iterable[TextPair], pronunciation: Pronunciation, rng: random.Random
) -> dict[str, list[TextPair]]:
    """Suitable and pronounceable pairs, shuffled, at most `POOL_SIZE` a group."""
    groups: dict[str, list[TextPair]] = {}
    for pair in pairs:
        if is_suitable(pair):
            groups.setdefault(pair.group, []).append(pair)
    for name, members in sorted(groups.items()):
        rng.shuffle(members)
        speakable = (
            pair
            for pair in members
            if pronunciation.phonemes(pair.question)
            and pronunciation.phonemes(pair.answer)
        )
        groups[name] = list(itertools.islice(speakable, POOL_SIZE))
    return {name: members for name, members in groups.items() if members}


def choose_pairs(
    groups: dict[str, list[TextPair]],
    count: int,
    taken: Sequence[TextPair],
    pronunciation: Pronunciation,
) -> list[TextPair]:
    """`count` pairs over all groups that sound unlike each other and unlike `taken`.

    A group that runs out leaves its share to the next ones.
    """
    chosen: list[TextPair] = []
    answers = {pair.answer for pair in taken}
    short = 0
    wanted = quotas(groups, count)
    for name in sorted(groups, key=lambda name: len(groups[name])):
        pool = [p for p in groups[name] if p not in taken and p.answer not in answers]
        sounds = [pronunciation.phonemes(pair.question) for pair in pool]
        known = [pronunciation.phonemes(p.question) for p in [*taken, *chosen]]
        picks = farthest_first(sounds, known, wanted[name] + short)
        chosen += [pool[index] for index in picks]
        short += wanted[name] - len(picks)
        answers.update(pair.answer for pair in chosen)
    if len(chosen) < count:
        raise ValueError(
            f"The sources hold {len(chosen)} suitable questions, {count} are wanted; "
            "lower num_known or num_open."
        )
    return chosen


def codec_sentences(
    selection: Selection, known: list[dict], style: list[dict], plain: list[dict]
) -> dict[str, list[dict]]:
    """Sentences that the agent reads for the codec; no text is in two sets.

    Args:
        selection: how many.
        known: answers of the corpus; training reads each several times.
        style: other answers of the same kinds.
        plain: other sentences.

    Raises:
        ValueError: there are too few for the held-out sets.
    """
    style = distinct(style)
    plain = distinct(plain, taken={row["text"] for row in style})
    held_out = {}
    for name, count in (
        ("codec_valid", selection.codec_valid_sentences),
        ("codec_test", selection.codec_test_sentences),
    ):
        half = count // 2
        held_out[name] = style[:half] + plain[: count - half]
        if len(held_out[name]) < count:
            raise ValueError(
                f"The sources hold {len(held_out[name])} sentences for {name}, {count} "
                f"are wanted; lower {name}_sentences."
            )
        style, plain = style[half:], plain[count - half :]
    train = known * selection.known_repeats
    seconds = _seconds(train)
    for limit, pool in (
        (selection.answer_share * selection.codec_train_seconds, style),
        (selection.codec_train_seconds, plain),
    ):
        for row in pool:
            if seconds < limit:
                train.append(row)
                seconds += _seconds([row])
    return {"codec_train": train, **held_out}


def distinct(rows: Iterable[dict], taken: Iterable[str] = ()) -> list[dict]:
    """The first row of every text that is not `taken`, in order."""
    seen = set(taken)
    firsts = []
    for row in rows:
        if row["text"] not in seen:
            seen.add(row["text"])
            firsts.append(row)
    return firsts


def _seconds(rows: Sequence[dict]) -> float:
    return SECONDS_PER_WORD * sum(len(row["text"].split()) for row in rows)


def answer_row(pair: TextPair) -> dict:
    """A pair's answer as a codec sentence."""
    return {"text": pair.answer, "source": pair.source, "licence": pair.licence}


def wikipedia_sentences(
    downloads: Path, pronunciation: Pronunciation, rng: random.Random
) -> list[dict]:
    """Speakable first sentences of 6 to 20 words, shuffled."""
    articles = load_summaries(downloads)
    rng.shuffle(articles)
    rows: list[dict] = []
    for article in articles:
        text = first_sentence(article["extract"])
        if not 6 <= len(text.split()) <= 20 or not SPEAKABLE.fullmatch(text):
            continue
        if UNWANTED.isdisjoint(text.lower().split()) and pronunciation.phonemes(text):
            source = f"Wikipedia, {article['title']}"
            rows.append({"text": text, "source": source, "licence": "CC-BY-SA"})
    return rows


def numbered(prefix: str, rows: Sequence[dict]) -> list[dict]:
    """Rows with ids `prefix_000`, `prefix_001`, ... in front."""
    return [{"id": f"{prefix}_{n:03d}", **row} for n, row in enumerate(rows)]


def select(selection: Selection, downloads: Path) -> dict[str, list[dict]]:
    """All text files of the corpus: name -> rows."""
    rng = random.Random(selection.seed)
    pronunciation = Pronunciation()
    pairs = itertools.chain(
        country_pairs(), chatterbot_pairs(), wikipedia_pairs(downloads)
    )
    groups = suitable_by_group(pairs, pronunciation, rng)
    known = choose_pairs(groups, selection.num_known, [], pronunciation)
    unseen = choose_pairs(groups, selection.num_open, known, pronunciation)
    spoken = {pair.answer for pair in [*known, *unseen]}
    answers = [p for _, ps in sorted(groups.items()) for p in ps]
    answers = [pair for pair in answers if pair.answer not in spoken]
    rng.shuffle(answers)
    extracts = wikipedia_sentences(downloads, pronunciation, rng)
    extracts = [row for row in extracts if row["text"] not in spoken]
    codec = codec_sentences(
        selection, [*map(answer_row, known)], [*map(answer_row, answers)], extracts
    )
    return {
        "known": numbered("known", [asdict(pair) for pair in known]),
        "open": numbered("open", [asdict(pair) for pair in unseen]),
        **{name: numbered(name, rows) for name, rows in codec.items()},
    }
