"""All definitions of a run."""

from dataclasses import asdict, dataclass

from espnet2_duplex.metrics.asr.interface import AsrOptions
from espnet2_duplex.metrics.conversation_scores import Definitions
from espnet2_duplex.metrics.gpt.options import GptScoreOptions
from espnet2_duplex.scoring.hearing import HearingOptions


@dataclass(frozen=True)
class ScoreOptions:
    """All options of a run; those that change scores go into results.json.

    Attributes:
        hearing: when the agent speaks, and how it sounds.
        definitions: of turn taking, reactions and answers.
        asr: the recogniser; None: no transcripts.
        gpt: the judge; None: no GPT score.
    """

    hearing: HearingOptions
    definitions: Definitions
    asr: AsrOptions | None
    gpt: GptScoreOptions | None

    def to_dict(self) -> dict:
        """As it stands in results.json."""
        return {
            **self.hearing.definition(),
            **asdict(self.definitions),
            "asr": self.asr.definition() if self.asr else None,
            "gpt": asdict(self.gpt) if self.gpt else None,
        }
