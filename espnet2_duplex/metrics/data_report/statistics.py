"""What is in a corpus of conversations: hours, turns, silences, overlaps, tokens.

Records of one source become :class:`CorpusCounts`, which add: sources to sets, sets to
the corpus, parts of a corpus to the whole.
"""

from collections import Counter
from dataclasses import dataclass, field

from espnet2_duplex.metrics.counts import Counts, share
from espnet2_duplex.metrics.data_report.distribution import Distribution

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class TokenCounts(Counts):
    """Text tokens against frames, of agent turns.

    Attributes:
        num_turns: agent turns.
        num_tokens: their tokens.
        num_dropped: tokens that found no frame.
        num_turns_dropping: turns that lost any token.
        num_tokens_uncut: tokens of turns that no barge-in cut.
        num_dropped_uncut: of those, the ones that found no frame. These are the
            tokenizer's and the voice's fault; a cut turn loses text by design.
        per_frame: tokens per frame of each turn.
    """

    num_turns: int = 0
    num_tokens: int = 0
    num_dropped: int = 0
    num_turns_dropping: int = 0
    num_tokens_uncut: int = 0
    num_dropped_uncut: int = 0
    per_frame: Distribution = field(default_factory=Distribution)

    @property
    def dropped_share(self) -> float | None:
        """Share of all tokens that did not fit their turn."""
        return share(self.num_dropped, self.num_tokens)

    @property
    def dropped_share_uncut(self) -> float | None:
        """The same of turns that no barge-in cut."""
        return share(self.num_dropped_uncut, self.num_tokens_uncut)


@dataclass(frozen=True)
class CorpusCounts(Counts):
    """Everything that was counted in some conversations.

    Attributes:
        speakers: voice of the user -> conversations.
        durations: of conversations, seconds.
        turns: per conversation.
        exchanges: per conversation; user turns that an agent turn follows.
        user_turns: lengths in seconds, with the pauses in them.
        agent_turns: lengths in seconds.
        gaps: seconds from the user's end to the agent's answer.
        pauses: seconds from the agent's end to the user's next turn.
        overlaps: seconds in which a user and an agent turn are both active.
        cuts: seconds from the user's onset in an agent turn to that turn's end, of the
            barge-ins that cut it there (:class:`.floor_changes.Ending`).
        own_ends: the same of those at its own end, which came before any cut.
        late_ends: the same of those after which it went on for longer.
        num_with_barge_in: conversations with one or more.
        num_interruptions: agent turns that begin inside a user turn.
        words_per_second: of agent turns that no barge-in cut.
        user_words_per_second: of user turns, with the pauses in them.
        heard_gaps: seconds from the last sound of a user turn to the first of the
            answer, in the clean ones of the conversations that were listened to.
        num_listened: conversations in which gaps were listened to.
        num_clean: those of them that could be measured.
        num_audio_checked: conversations whose audio was searched for faults.
        in_turn_pauses: seconds, of pauses within user turns.
        backchannels: seconds, of the user's "uh-huh" while the agent goes on.
        noises: seconds, of coughs and knocks.
        tokens: see there.
    """

    speakers: Counter[str] = field(default_factory=Counter)
    durations: Distribution = field(default_factory=Distribution)
    turns: Distribution = field(default_factory=Distribution)
    exchanges: Distribution = field(default_factory=Distribution)
    user_turns: Distribution = field(default_factory=Distribution)
    agent_turns: Distribution = field(default_factory=Distribution)
    gaps: Distribution = field(default_factory=Distribution)
    pauses: Distribution = field(default_factory=Distribution)
    overlaps: Distribution = field(default_factory=Distribution)
    cuts: Distribution = field(default_factory=Distribution)
    own_ends: Distribution = field(default_factory=Distribution)
    late_ends: Distribution = field(default_factory=Distribution)
    num_with_barge_in: int = 0
    num_interruptions: int = 0
    words_per_second: Distribution = field(default_factory=Distribution)
    user_words_per_second: Distribution = field(default_factory=Distribution)
    heard_gaps: Distribution = field(default_factory=Distribution)
    num_listened: int = 0
    num_clean: int = 0
    num_audio_checked: int = 0
    in_turn_pauses: Distribution = field(default_factory=Distribution)
    backchannels: Distribution = field(default_factory=Distribution)
    noises: Distribution = field(default_factory=Distribution)
    tokens: TokenCounts = field(default_factory=TokenCounts)

    @property
    def num_conversations(self) -> int:
        """All of them."""
        return len(self.durations)

    @property
    def hours(self) -> float:
        """Of conversation, silence included."""
        return self.durations.sum / SECONDS_PER_HOUR

    @property
    def silence_seconds(self) -> float:
        """In which neither a user nor an agent turn is active."""
        speech = self.user_turns.sum + self.agent_turns.sum - self.overlaps.sum
        return self.durations.sum - speech

    @property
    def num_barge_ins(self) -> int:
        """However the agent's turn ended."""
        return len(self.cuts) + len(self.own_ends) + len(self.late_ends)

    @property
    def barge_in_share(self) -> float | None:
        """Share of conversations with a barge-in."""
        return share(self.num_with_barge_in, self.num_conversations)
