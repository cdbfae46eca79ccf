"""Character error rate, as counts."""

from dataclasses import dataclass

from espnet2_duplex.metrics.counts import Counts, share


@dataclass(frozen=True)
class CharacterErrorCounts(Counts):
    """Errors of transcripts against what should have been said.

    Attributes:
        num_errors: substitutions, deletions and insertions.
        num_characters: of the references, blanks between words included.
    """

    num_errors: int = 0
    num_characters: int = 0

    @property
    def rate(self) -> float | None:
        """Character error rate as a fraction; None without characters."""
        return share(self.num_errors, self.num_characters)


def count_character_errors(reference: str, hypothesis: str) -> CharacterErrorCounts:
    """Counts of one sentence, both texts already normalised."""
    import jiwer

    if not reference:  # jiwer takes no empty reference
        return CharacterErrorCounts(len(hypothesis), 0)
    found = jiwer.process_characters(reference, hypothesis)
    num_errors = found.substitutions + found.deletions + found.insertions
    return CharacterErrorCounts(num_errors, len(reference))
