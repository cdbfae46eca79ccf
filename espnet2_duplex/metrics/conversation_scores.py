"""One conversation scored: what was observed, what happened in it, and its counts."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from espnet2_duplex.conversation import Turn
from espnet2_duplex.metrics.answers import Answer, QualityOptions, pair_answers
from espnet2_duplex.metrics.asr.transcription import Utterance
from espnet2_duplex.metrics.counts import Counts, Latencies
from espnet2_duplex.metrics.gpt.score import GptCounts
from espnet2_duplex.metrics.recordings import Reference
from espnet2_duplex.metrics.response_quality import QualityCounts, count_quality
from espnet2_duplex.metrics.speech.agent_speech import SpeechQualityCounts, SpeechScores
from espnet2_duplex.metrics.turn_taking.counting import TurnTakingCounts, count_events
from espnet2_duplex.metrics.turn_taking.events import find_events
from espnet2_duplex.metrics.turn_taking.options import TurnTakingOptions
from espnet2_duplex.metrics.turn_taking.reaction_counts import (
    ReactionCounts,
    count_reactions,
)
from espnet2_duplex.metrics.turn_taking.reactions import (
    Reaction,
    ReactionOptions,
    find_reactions,
)
from espnet2_duplex.metrics.turn_taking.records import TurnTakingEvents
from espnet2_duplex.timing import microseconds


@dataclass(frozen=True)
class Definitions:
    """What the paper leaves open, by kind of score."""

    turn_taking: TurnTakingOptions
    quality: QualityOptions
    reactions: ReactionOptions


@dataclass(frozen=True)
class SetCounts(Counts):
    """Everything that was counted in one or more conversations.

    Attributes:
        num_conversations: that were scored.
        num_problems: that could not be scored; they are in no other count.
        num_silent: in which the agent said nothing at all.
        declared_latencies: of the systems that declare one, per conversation.
    """

    num_conversations: int = 0
    num_problems: int = 0
    num_silent: int = 0
    declared_latencies: Latencies = Latencies()
    turn_taking: TurnTakingCounts = TurnTakingCounts()
    reactions: ReactionCounts = ReactionCounts()
    quality: QualityCounts = QualityCounts()
    speech: SpeechQualityCounts = SpeechQualityCounts()
    gpt: GptCounts = GptCounts()


@dataclass(frozen=True)
class Observed:
    """What is known of a conversation before anything is scored.

    Attributes:
        reference: of the data.
        duration: seconds.
        latency: that the system declares, in seconds.
        written_turns: the agent's own text.
        utterances: when it speaks, and what it says where a recogniser listened.
        speech: scores of how it sounds.
    """

    reference: Reference
    duration: float
    latency: float | None
    written_turns: tuple[Turn, ...]
    utterances: tuple[Utterance, ...]
    speech: SpeechScores


@dataclass(frozen=True)
class ConversationScores:
    """A scored conversation; `to_dict` is its line of conversations.jsonl.

    Attributes:
        observed: see there.
        events: turn taking.
        reactions: to sounds that are no turn.
        answers: what came before the first user turn, then one per user turn.
    """

    observed: Observed
    events: TurnTakingEvents
    reactions: tuple[Reaction, ...]
    answers: tuple[Answer, ...]

    def count(self, normalize: Callable[[str], str], *, has_speech: bool) -> SetCounts:
        """Counts of all but the GPT score.

        Args:
            normalize: applied to texts before they are compared.
            has_speech: whether a recogniser listened.
        """
        latency = self.observed.latency
        return SetCounts(
            num_conversations=1,
            num_silent=int(not self.observed.utterances),
            declared_latencies=Latencies(
                () if latency is None else (microseconds(latency),)
            ),
            turn_taking=count_events(self.events),
            reactions=count_reactions(self.reactions),
            quality=count_quality(self.answers, normalize, has_speech=has_speech),
            speech=SpeechQualityCounts.of(self.observed.speech),
        )

    def to_dict(self, gpt_scores: Sequence[float | None]) -> dict:
        """As a line of conversations.jsonl; all times in seconds.

        Args:
            gpt_scores: one for each of `answers`.
        """
        observed, reference = self.observed, self.observed.reference
        return {
            "id": reference.id,
            "duration": observed.duration,
            "user_turns": [turn.to_dict() for turn in reference.user_turns],
            "reference_turns": [turn.to_dict() for turn in reference.agent_turns],
            "written_turns": [turn.to_dict() for turn in observed.written_turns],
            "events": [asdict(event) for event in reference.events],
            "utterances": [asdict(utterance) for utterance in observed.utterances],
            **self.events.to_dict(),
            "reactions": [reaction.to_dict() for reaction in self.reactions],
            "answers": [
                # The first entry is what the agent said unasked.
                {
                    "user_turn": n - 1 if n else None,
                    **asdict(answer),
                    "gpt_score": score,
                }
                for n, (answer, score) in enumerate(zip(self.answers, gpt_scores))
                if not answer.is_empty
            ],
            "speech": observed.speech,
            "problem": None,
        }


def score_conversation(
    observed: Observed, definitions: Definitions
) -> ConversationScores:
    """Find everything that is counted in one conversation."""
    reference, utterances = observed.reference, observed.utterances
    rate = definitions.quality.characters_per_second
    return ConversationScores(
        observed,
        find_events(
            utterances,
            reference.user_turns,
            observed.duration,
            definitions.turn_taking,
            observed.written_turns,
            rate,
        ),
        find_reactions(
            utterances,
            reference.user_turns,
            reference.events,
            observed.duration,
            definitions.reactions,
            observed.written_turns,
            rate,
        ),
        tuple(
            pair_answers(
                reference.user_turns,
                reference.agent_turns,
                observed.written_turns,
                utterances,
                definitions.quality,
            )
        ),
    )


def problem_row(id: str, problem: str) -> dict:
    """The line of conversations.jsonl of a conversation that could not be scored."""
    lists = (
        "user_turns reference_turns written_turns events utterances barge_ins "
        "false_alarms responses answered unanswered reactions answers"
    ).split()
    return {
        "id": id,
        "duration": 0.0,
        **{name: [] for name in lists},
        "speech": {},
        "problem": problem,
    }
