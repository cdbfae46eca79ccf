"""Special ids of the text channel and of the speech channels.

Text ids come from the tokenizer, which is asked for them (a tokenizer that lacks one
gets it added). Speech ids are ours: in each of the K channels the codec's codes come
first and five special ids follow them (Sec. 5.1: 4032 codes and 5 specials)::

    0 .. 4031   4032  4033  4034  4035   4036
    codes       BOS   EOS   PAD   DELAY  reserved
"""

from dataclasses import dataclass

import numpy as np

NUM_SPEECH_SPECIALS = 5


@dataclass(frozen=True)
class TextIds:
    """Special ids of the text channel.

    Attributes:
        bos: stands on the first frame of an agent turn.
        eos: stands on the frame at which the agent turn ends.
        pad: stands wherever the agent has no token to say.

    Raises:
        ValueError: an id is negative, or two of them are the same.
    """

    bos: int
    eos: int
    pad: int

    def __post_init__(self) -> None:
        ids = (self.bos, self.eos, self.pad)
        if min(ids) < 0 or len(set(ids)) < len(ids):
            raise ValueError(
                f"the text channel was given bos={self.bos}, eos={self.eos}, "
                f"pad={self.pad}, which must be three different ids from 0 on; "
                "add the missing special tokens to the tokenizer"
            )


@dataclass(frozen=True)
class SpeechIds:
    """Ids of one speech channel: the codec's codes, then the specials.

    Attributes:
        codebook_size: number of codes; they are the ids 0 .. codebook_size - 1.

    Raises:
        ValueError: the codebook is empty.
    """

    codebook_size: int = 4032

    def __post_init__(self) -> None:
        if self.codebook_size < 1:
            raise ValueError(
                f"a codebook of {self.codebook_size} codes was given; "
                "take the size from the codec"
            )

    @property
    def bos(self) -> int:
        """Stands on the frame of the text channel's BOS."""
        return self.codebook_size

    @property
    def eos(self) -> int:
        """Stands on the frame of the text channel's EOS."""
        return self.codebook_size + 1

    @property
    def pad(self) -> int:
        """Counted in the paper's vocabulary; padding is masked here, so never seen."""
        return self.codebook_size + 2

    @property
    def delay(self) -> int:
        """Fills the frames before a delayed channel begins."""
        return self.codebook_size + 3

    @property
    def reserved(self) -> int:
        """Has no meaning yet; keeps the paper's vocabulary size."""
        return self.codebook_size + 4

    @property
    def size(self) -> int:
        """Size of the vocabulary of one channel: codes and specials."""
        return self.codebook_size + NUM_SPEECH_SPECIALS

    def is_special(self, codes) -> np.ndarray:
        """Which entries are not codes and therefore must never reach the codec.

        Args:
            codes: ids of any shape; an array or a torch tensor.

        Returns:
            Booleans of the same shape and kind.
        """
        return codes >= self.codebook_size
