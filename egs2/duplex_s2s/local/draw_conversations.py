"""Draw the corpus' conversations: which clips, when (Sec. 4 and 5.2 of the paper).

Nothing is read or written here: wav names come in, layouts go out, from one seed.
"""

import random
from dataclasses import dataclass, replace
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from espnet2_duplex.conversation import (
    CUT_SECONDS,
    GAP_SECONDS,
    Conversation,
    Exchange,
    impatient,
    lay_out,
)
from espnet2_duplex.timing import FrameClock

ROUNDING_SECONDS = 1e-5  # turns are kept to the microsecond
BARGE_IN_AFTER = 0.3  # seconds of the answer that are always heard
BARGE_IN_BEFORE_END = 0.2  # seconds: a later onset would interrupt nothing


@dataclass(frozen=True)
class CorpusConfig:
    """Sizes and ranges (seconds) of the simulated corpus."""

    seed: int = 0
    num_train: int = 1500
    num_valid: int = 60
    num_test: int = 110
    lead_range: Tuple[float, float] = (0.3, 1.5)
    pause_range: Tuple[float, float] = (0.5, 2.0)
    tail_range: Tuple[float, float] = (0.6, 1.6)
    impatient_pause_range: Tuple[float, float] = (0.4, 1.0)
    two_exchange_share: float = 0.6
    barge_in_share: float = 0.5  # of the conversations of two exchanges


@dataclass(frozen=True)
class SpokenPair:
    """A question in one voice with its answer; wav files and lengths in seconds."""

    text_id: str
    voice: str
    question: str
    answer: str
    question_wav: str
    answer_wav: str
    question_seconds: float
    answer_seconds: float

    @property
    def exchange(self) -> Exchange:
        """Texts and lengths, as `lay_out` takes them."""
        return Exchange(
            self.question, self.answer, self.question_seconds, self.answer_seconds
        )


@dataclass(frozen=True)
class Layout:
    """A conversation and the wav file of each of its turns, in the order of turns."""

    conversation: Conversation
    wavs: Tuple[str, ...]
    speaker: str
    is_noisy: bool


def place_on_frames(
    conversation: Conversation, answer_seconds: Sequence[float], clock: FrameClock
) -> Conversation:
    """Move each agent turn to the nearest frame and fill up the last frame.

    At inference the agent can only begin on a frame, so that an answer always has the
    same codes; elsewhere in a frame it would be other codes each time. The user stays
    where it was: the silence before an answer becomes 0.64 s give or take half a frame.

    Args:
        conversation: as `lay_out` made it.
        answer_seconds: length of each agent turn's clip.
    """
    lengths = iter(answer_seconds)
    onsets = [turn.start for turn in conversation.user_turns]
    turns = []
    for turn in conversation.turns:
        if turn.role == "agent":
            length = next(lengths)
            was_cut = turn.end - turn.start < length - ROUNDING_SECONDS
            start = clock.seconds(clock.nearest_frame(turn.start))
            end = start + length
            # Cuts are timed by the user's onset, which stays where it was.
            stops = [onset + CUT_SECONDS for onset in onsets if start <= onset < end]
            end = min([end, *stops, *([turn.end] if was_cut else [])])
            turn = replace(turn, start=start, end=round(end, 6))
        turns.append(turn)
    last = max(turn.end for turn in turns)
    num_frames = clock.ceil_frames(max(conversation.duration, last))
    return replace(
        conversation,
        turns=tuple(sorted(turns, key=lambda turn: turn.start)),
        duration=clock.seconds(num_frames),
    )


class Drawer:
    """Draws conversations of one set.

    Args:
        config: ranges and shares.
        name: of the set; with the config's seed it decides every draw.
    """

    def __init__(self, config: CorpusConfig, name: str) -> None:
        self.config = config
        self.name = name
        self.random = random.Random(f"{config.seed}/{name}")
        self.clock = FrameClock()

    def conversation(
        self,
        number: int,
        pairs: Sequence[SpokenPair],
        pauses: Sequence[float],
        operation: Callable = lambda conversation: conversation,
    ) -> Layout:
        """One layout; `operation` changes the conversation before frames matter."""
        key = f"{pairs[0].voice}-{self.name}_{number:05d}"
        drawn = lay_out(
            key,
            [pair.exchange for pair in pairs],
            lead_seconds=self._seconds(self.config.lead_range),
            pauses_seconds=pauses,
            tail_seconds=self._seconds(self.config.tail_range),
            gap_seconds=GAP_SECONDS,
        )
        lengths = [pair.answer_seconds for pair in pairs]
        placed = place_on_frames(operation(drawn), lengths, self.clock)
        wavs = turn_wavs(
            placed,
            [pair.question_wav for pair in pairs],
            [pair.answer_wav for pair in pairs],
        )
        return Layout(placed, wavs, pairs[0].voice, self.name == "train")

    def pause(self) -> float:
        """Silence of a user who lets the agent finish."""
        return self._seconds(self.config.pause_range)

    def impatient_pause(self) -> float:
        """Silence that turns into a barge-in once it is halved."""
        return self._seconds(self.config.impatient_pause_range)

    def barge_in(self, answer_seconds: float) -> float:
        """Negative pause: an onset drawn uniformly over the answer."""
        latest = max(BARGE_IN_AFTER, answer_seconds - BARGE_IN_BEFORE_END)
        return round(self._seconds((BARGE_IN_AFTER, latest)) - answer_seconds, 3)

    def partner(
        self, pair: SpokenPair, by_voice: Mapping[str, Sequence[SpokenPair]]
    ) -> Optional[SpokenPair]:
        """Another question of the same voice, None if it has no other."""
        others = [p for p in by_voice[pair.voice] if p.text_id != pair.text_id]
        return self.random.choice(others) if others else None

    def _seconds(self, bounds: Tuple[float, float]) -> float:
        return round(self.random.uniform(*bounds), 3)


def turn_wavs(
    conversation: Conversation, questions: Sequence[str], answers: Sequence[str]
) -> Tuple[str, ...]:
    """Wav file of each turn; the n-th turn of a role has that role's n-th file."""
    wavs = {"user": iter(questions), "agent": iter(answers)}
    return tuple(next(wavs[turn.role]) for turn in conversation.turns)


def shuffled_rounds(
    pairs: Sequence[SpokenPair], rng: random.Random
) -> Iterator[SpokenPair]:
    """All pairs in a new order again and again: each is used equally often."""
    while True:
        yield from rng.sample(pairs, len(pairs))


def by_voice(pairs: Sequence[SpokenPair]) -> Dict[str, List[SpokenPair]]:
    """Pairs of each voice."""
    voices: Dict[str, List[SpokenPair]] = {}
    for pair in pairs:
        voices.setdefault(pair.voice, []).append(pair)
    return voices


def mixed_set(
    config: CorpusConfig, name: str, pairs: Sequence[SpokenPair], count: int
) -> Iterator[Layout]:
    """Single exchanges and pairs of exchanges, part of these with a barge-in."""
    drawer, voices = Drawer(config, name), by_voice(pairs)
    for number, first in zip(range(count), shuffled_rounds(pairs, drawer.random)):
        second = drawer.partner(first, voices)
        if second is None or drawer.random.random() >= config.two_exchange_share:
            yield drawer.conversation(number, [first], [])
            continue
        pause = drawer.pause()
        if drawer.random.random() < config.barge_in_share:
            pause = drawer.barge_in(first.answer_seconds)
        yield drawer.conversation(number, [first, second], [pause])


def single_set(
    config: CorpusConfig, name: str, pairs: Sequence[SpokenPair], count: int
) -> Iterator[Layout]:
    """Single exchanges; every question comes before any comes twice more often."""
    drawer = Drawer(config, name)
    by_text: Dict[str, List[SpokenPair]] = {}
    for pair in drawer.random.sample(pairs, len(pairs)):
        by_text.setdefault(pair.text_id, []).append(pair)
    texts = sorted(by_text)
    for number in range(count):
        takes = by_text[texts[number % len(texts)]]
        pair = takes[(number // len(texts)) % len(takes)]
        yield drawer.conversation(number, [pair], [])


def two_exchange_set(
    config: CorpusConfig, name: str, pairs: Sequence[SpokenPair], count: int
) -> Iterator[Layout]:
    """Two exchanges; in every second conversation the user barges in."""
    drawer, voices = Drawer(config, name), by_voice(pairs)
    for number, first in zip(range(count), shuffled_rounds(pairs, drawer.random)):
        pause = drawer.pause()
        if number % 2:
            pause = drawer.barge_in(first.answer_seconds)
        second = drawer.partner(first, voices)
        yield drawer.conversation(number, [first, second], [pause])


def impatient_set(
    config: CorpusConfig, name: str, pairs: Sequence[SpokenPair], count: int
) -> Iterator[Layout]:
    """Two and three exchanges whose user waits half as long (Sec. 5.2)."""
    drawer, voices = Drawer(config, name), by_voice(pairs)
    for number, first in zip(range(count), shuffled_rounds(pairs, drawer.random)):
        exchanges = [first]
        for _ in range(1 + number % 2):
            exchanges.append(drawer.partner(exchanges[-1], voices))
        pauses = [drawer.impatient_pause() for _ in exchanges[1:]]
        yield drawer.conversation(
            number, exchanges, pauses, lambda whole: impatient(whole, whole.id)
        )


def draw_corpus(
    config: CorpusConfig, parts: Mapping[str, Sequence[SpokenPair]]
) -> Dict[str, List[Layout]]:
    """All sets: name -> layouts. `parts` are the pairs of train, valid, test, open."""
    known, count = parts["test"], config.num_test
    sets = {
        "train": mixed_set(config, "train", parts["train"], config.num_train),
        "valid": mixed_set(config, "valid", parts["valid"], config.num_valid),
        "test_qa": single_set(config, "test_qa", known, count),
        "test_open": single_set(config, "test_open", parts["open"], count),
        "test_multiturn": two_exchange_set(config, "test_multiturn", known, count),
        "test_impatient": impatient_set(config, "test_impatient", known, count),
    }
    return {name: list(layouts) for name, layouts in sets.items()}
