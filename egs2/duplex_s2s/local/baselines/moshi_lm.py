"""kyutai's Moshi takes part in a conversation: speech frame by frame, text as turns.

See `moshi_loading.py` for the package and how far it was tried.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from baselines.moshi_loading import MoshiModel
from baselines.sides import SAMPLE_RATE, AgentSide, UserSide

from espnet2_duplex.conversation import Turn
from espnet2_duplex.formats.words import turns_of_words
from espnet2_duplex.sound_files import resample
from espnet2_duplex.words import Word

LATENCY_SECONDS = 0.16  # a frame of Mimi and the acoustic delay of a frame
WORD_BOUNDARY = "▁"  # of sentencepiece
WORD_SECONDS = 0.4  # a word before a pause lasts so long; see words_of_pieces
PAUSE_SECONDS = 1.0  # without a new word, after which another turn begins


@dataclass(frozen=True)
class Step:
    """What Moshi did in a frame: speech (S,) float32 and a token of text, None at the
    beginning."""

    speech: np.ndarray
    token: int | None


class Moshi:
    """Moshi hears a conversation frame by frame, as in kyutai's run_inference.

    What comes out after frame t was heard is put at frame t, as our own decoder does;
    the declared latency tells when it could be heard at the earliest.

    Args:
        model: loaded.
        seed: of the sampling; each conversation has its own.
    """

    def __init__(self, model: MoshiModel, seed: int = 0) -> None:
        self._model = model
        self._seed = seed

    def take_part(self, user: UserSide) -> AgentSide:
        import torch

        model = self._model
        torch.manual_seed(zlib.crc32(f"{self._seed}/{user.id}".encode()))
        rate = model.mimi.sample_rate
        with torch.no_grad():
            steps = list(listen(model, resample(user.speech, SAMPLE_RATE, rate)))
        speech = np.concatenate([step.speech for step in steps])
        speech = resample(speech, rate, SAMPLE_RATE)
        speech = np.pad(speech, (0, max(0, len(user.speech) - len(speech))))
        tokens = [step.token for step in steps]
        turns = self._turns(tokens, user.duration)
        return AgentSide(speech[: len(user.speech)], tuple(turns), LATENCY_SECONDS)

    def _turns(self, tokens: Sequence[int | None], duration: float) -> list[Turn]:
        model = self._model
        frames = [
            (t, i) for t, i in enumerate(tokens) if i not in {None, *model.silent_ids}
        ]
        pieces = [(t, model.tokenizer.id_to_piece(i)) for t, i in frames]
        words = words_of_pieces(pieces, model.frame_seconds, duration)
        return turns_of_words(words, "agent", PAUSE_SECONDS)


def listen(model: MoshiModel, speech: np.ndarray) -> Iterator[Step]:
    """One step a frame of speech (N,) float32 at Mimi's rate, the last padded."""
    import torch

    model.mimi.reset_streaming()
    model.lm_gen.reset_streaming()
    size = model.frame_samples
    padded = np.pad(speech, (0, -len(speech) % size))
    for number, frame in enumerate(padded.reshape(-1, 1, 1, size)):  # each (1, 1, S)
        codes = model.mimi.encode(torch.from_numpy(frame).to(model.device))
        if number == 0:
            # The first step hears the initial tokens, whatever it is given.
            model.lm_gen.step(codes)
        tokens = model.lm_gen.step(codes)  # (1, 1 + K, 1), or None in the delay
        if tokens is None:
            yield Step(np.zeros(size, np.float32), None)
            continue
        decoded = model.mimi.decode(tokens[:, 1:])  # (1, 1, S)
        yield Step(decoded[0, 0].float().cpu().numpy(), int(tokens[0, 0, 0]))


def words_of_pieces(
    pieces: Iterable[tuple[int, str]], frame_seconds: float, duration: float
) -> list[Word]:
    """Words with times from sentencepiece's pieces.

    The text channel has a word's pieces at its beginning and padding until the next
    word, so that its end is not known: it is the next word's beginning, but at most
    `WORD_SECONDS` after its last piece.

    Args:
        pieces: (frame, piece), in time order.
        frame_seconds: length of a frame.
        duration: of the conversation in seconds; no word ends later.
    """
    spelled: list[tuple[int, int, str]] = []  # first frame, last frame, text
    for frame, piece in pieces:
        text = piece.replace(WORD_BOUNDARY, " ")
        if spelled and not piece.startswith(WORD_BOUNDARY):
            first, _, begun = spelled.pop()
            spelled.append((first, frame, begun + text))
        else:
            spelled.append((frame, frame, text))
    limits = [first * frame_seconds for first, _, _ in spelled[1:]] + [duration]
    return [
        Word(
            text.strip(),
            first * frame_seconds,
            min(limit, (last + 1) * frame_seconds + WORD_SECONDS),
        )
        for (first, last, text), limit in zip(spelled, limits)
    ]
