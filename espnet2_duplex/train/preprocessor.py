"""One conversation of the data folder -> arrays on the frame grid.

Runs in the data loader's workers and never touches a model: codes come from the
archive that stage 5 wrote, turns become channels by `espnet2_duplex.alignment`.
"""

from dataclasses import dataclass

import numpy as np
from espnet2.train.preprocessor import AbsPreprocessor

from espnet2_duplex.alignment import align_speech, align_text, apply_delays
from espnet2_duplex.conversation import Turn, turns_from_json
from espnet2_duplex.dataset_checks import check_speech
from espnet2_duplex.timing import FrameClock
from espnet2_duplex.tokenizer import TextTokenizer
from espnet2_duplex.vocabulary import SpeechIds


@dataclass(frozen=True)
class StreamSpec:
    """What decides how turns and codes become channels.

    `silence_codes` are the codec's codes of digital silence, (K,) int64; `delays` are
    frames per channel, text first.
    """

    user_sample_rate: int
    clock: FrameClock
    speech_ids: SpeechIds
    silence_codes: np.ndarray
    delays: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.delays) != 1 + len(self.silence_codes):
            raise ValueError(
                f"delays has {len(self.delays)} entries, but there are one text and "
                f"{len(self.silence_codes)} speech channels; give one delay per channel"
            )


class DuplexPreprocessor(AbsPreprocessor):
    """Aligns text and codes to the user's frames (Sec. 3.1) and applies the delays.

    Args:
        train: Whether this serves training; alignment is the same in both cases.
        tokenizer: Text tokenizer.
        spec: The streams.
        user_text: Whether to emit the user's words too, for the auxiliary CTC loss.
    """

    def __init__(
        self,
        train: bool,
        tokenizer: TextTokenizer,
        spec: StreamSpec,
        *,
        user_text: bool = False,
    ):
        super().__init__(train)
        self.tokenizer = tokenizer
        self.spec = spec
        self.user_text = user_text

    def __call__(self, uid: str, data: dict) -> dict[str, np.ndarray]:
        """Preprocess one conversation.

        Args:
            uid: Its id.
            data: `user_speech` (S,) float, `agent_codes` (T * K,) int32, `turns` JSON.

        Returns:
            `user_speech` (S,) float32; `text` (T,) and `codes` (T, K) int64, delayed;
            if asked for, `user_text` (U,) int64, the tokens of the user's turns in time
            order.

        Raises:
            ValueError: Naming the conversation, if audio, codes or turns do not fit.
        """
        speech, rate = data["user_speech"], self.spec.user_sample_rate
        # ESPnet's loader drops the file's rate; a wrong one shows as a wrong duration.
        check_speech(f"{uid}: user speech", speech, rate, rate)
        num_frames = self.spec.clock.num_frames(len(speech), rate)
        _check_length(uid, num_frames)
        codes = self._fit_codes(uid, data["agent_codes"], num_frames)
        turns = turns_from_json(data["turns"], uid)
        agent_turns = [turn for turn in turns if turn.role == "agent"]
        try:
            text = self.align_turns(agent_turns, num_frames)
            speech_channels = align_speech(
                codes,
                text,
                self.tokenizer.ids,
                self.spec.speech_ids,
                self.spec.silence_codes,
            )
        except ValueError as error:
            raise ValueError(f"{uid}: {error}") from error
        channels = np.concatenate([text[:, None], speech_channels], axis=1)
        fill = [self.tokenizer.ids.pad] + [self.spec.speech_ids.delay] * codes.shape[1]
        channels = apply_delays(channels, self.spec.delays, fill)
        result = {
            "user_speech": speech.astype(np.float32),
            "text": np.ascontiguousarray(channels[:, 0]),
            "codes": np.ascontiguousarray(channels[:, 1:]),
        }
        if self.user_text:
            result["user_text"] = self.encode_user(turns)
        return result

    def encode_user(self, turns: list[Turn]) -> np.ndarray:
        """Tokens of the user's turns, one after another, (U,) int64."""
        spoken = [turn.text for turn in turns if turn.role == "user"]
        ids = [i for text in spoken for i in self.tokenizer.encode(text)]
        return np.array(ids, dtype=np.int64)

    def align_turns(self, turns: list[Turn], num_frames: int) -> np.ndarray:
        """Agent turns -> text channel (num_frames,) int64, not delayed."""
        ids = self.tokenizer.ids
        tokens = [self.tokenizer.encode(turn.text) for turn in turns]
        offsets = np.cumsum([0] + [len(t) for t in tokens], dtype=np.int64)
        text, _ = align_text(
            _frames([turn.start for turn in turns], self.spec.clock),
            _frames([turn.end for turn in turns], self.spec.clock),
            np.array([i for t in tokens for i in t], dtype=np.int64),
            offsets,
            num_frames,
            ids.bos,
            ids.eos,
            ids.pad,
        )
        return text

    def _fit_codes(self, uid: str, flat: np.ndarray, num_frames: int) -> np.ndarray:
        """(T' * K,) -> (num_frames, K); rounding may leave one frame of difference."""
        silence = self.spec.silence_codes
        if flat.ndim != 1 or len(flat) % len(silence):
            raise ValueError(
                f"{uid}: {flat.shape} codes do not divide into {len(silence)} codebooks; "
                "write them again with stage 5"
            )
        codes = flat.reshape(-1, len(silence)).astype(np.int64)
        if abs(len(codes) - num_frames) > 1:
            raise ValueError(
                f"{uid}: {len(codes)} frames of codes but {num_frames} frames of user "
                "speech; both channels need the same duration, the user's at "
                f"{self.spec.user_sample_rate} Hz, so mend the wav files and rerun "
                "stage 5"
            )
        missing = max(num_frames - len(codes), 0)
        return np.concatenate([codes, np.tile(silence, (missing, 1))])[:num_frames]


def _check_length(uid: str, num_frames: int) -> None:
    if num_frames < 2:
        raise ValueError(
            f"{uid}: the conversation is {num_frames} frame long but each frame is "
            "predicted from the one before, which takes 2 or more; take it out of the "
            "data folder"
        )


def _frames(seconds: list[float], clock: FrameClock) -> np.ndarray:
    return np.array([clock.nearest_frame(s) for s in seconds], dtype=np.int64)
