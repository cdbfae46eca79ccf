"""Streaming: one 80 ms frame of the user in, one 80 ms frame of the agent out.

`DuplexStepper` is the model as a step function over a batch of conversations;
`DuplexSession` is one conversation with its text, for people to call. Both keep state
of a fixed size, so that a session may last for hours.
"""

from dataclasses import dataclass
from typing import Any, Sequence

import numpy as np
import torch

from espnet2_duplex.codec.abs_codec import AbsCodec
from espnet2_duplex.conversation import Turn
from espnet2_duplex.duplex_lm import DuplexLM, DuplexLogits
from espnet2_duplex.perception.abs_encoder import AbsStreamingEncoder
from espnet2_duplex.perception.adapter import Adapter
from espnet2_duplex.timing import FrameClock
from espnet2_duplex.tokenizer import TextTokenizer
from espnet2_duplex.vocabulary import TextIds

# How a byte-level tokenizer decodes the first bytes of a character.
INCOMPLETE_CHARACTER = "\ufffd"


@dataclass(frozen=True)
class Sampling:
    """How tokens and codes are drawn; temperature 0 takes the most likely one.

    `top_k` 0 keeps all candidates.
    """

    text_temperature: float = 0.0
    speech_temperature: float = 0.0
    top_k: int = 0


@dataclass
class StepperState:
    """Everything a batch of running conversations remembers."""

    encoder: Any
    adapter: Any
    language_model: Any
    codec: Any
    text: torch.Tensor  # (B, 1) last text token
    codes: torch.Tensor  # (B, 1, K) last codes, specials included


@dataclass(frozen=True)
class StepOutput:
    """One frame of the agent for a batch of conversations."""

    speech: torch.Tensor  # (B, samples per frame) at the codec's rate
    text_ids: torch.Tensor  # (B,) the token of the next frame
    codes: torch.Tensor  # (B, K) as decoded: specials replaced by silence


class DuplexStepper:
    """Encoder, adapter, language model and codec decoder as one step function.

    Args:
        encoder: Streaming encoder.
        adapter: Adapter.
        duplex_lm: Language model.
        codec: The agent's codec.
        text_ids: Special ids of the text channel.
        delays: Frames by which each channel lags, text first (Sec. 3.1).
        sampling: How to draw.

    Raises:
        ValueError: If the codec's and the encoder's frames differ in length, if the
            codebooks are not those the model was trained with, or if the delays are not
            0 for text and 1 for speech.
    """

    def __init__(
        self,
        encoder: AbsStreamingEncoder,
        adapter: Adapter,
        duplex_lm: DuplexLM,
        codec: AbsCodec,
        text_ids: TextIds,
        delays: Sequence[int],
        sampling: Sampling = Sampling(),
    ):
        check_codec(codec, encoder, duplex_lm)
        self.encoder, self.adapter = encoder, adapter
        self.duplex_lm, self.codec = duplex_lm, codec
        self.text_ids, self.sampling = text_ids, sampling
        self.clock = FrameClock(codec.frame_rate)
        self.frame_samples = self.clock.samples_per_frame(encoder.sample_rate)
        check_delays(delays)
        self.latency_frames = encoder.latency_frames + 1  # a frame is heard as a whole

    @property
    def device(self) -> torch.device:
        return self.duplex_lm.channel_offsets.device

    @property
    def latency_seconds(self) -> float:
        """From a sound of the user to the first agent sample that may react to it."""
        return self.clock.seconds(self.latency_frames)

    def init_state(self, batch_size: int = 1) -> StepperState:
        """State before the first frame: text <PAD>, speech not yet begun."""
        num_codebooks = self.duplex_lm.num_codebooks
        return StepperState(
            encoder=self.encoder.init_state(batch_size),
            adapter=self.adapter.init_state(batch_size),
            language_model=self.duplex_lm.init_state(batch_size),
            codec=self.codec.init_state(batch_size),
            text=torch.full((batch_size, 1), self.text_ids.pad, device=self.device),
            codes=torch.full(
                (batch_size, 1, num_codebooks),
                self.duplex_lm.speech_ids.delay,
                device=self.device,
            ),
        )

    @torch.inference_mode()
    def step(
        self, speech: torch.Tensor, state: StepperState
    ) -> tuple[StepOutput, StepperState]:
        """Hear one frame (B, samples per frame) and answer with one frame."""
        embeds, encoder_state = self.encoder.step(speech, state.encoder)
        embeds, adapter_state = self.adapter.step(embeds, state.adapter)
        logits, language_state = self.duplex_lm.step(
            embeds, state.text, state.codes, state.language_model
        )
        text, codes = self.draw(logits)
        audible = self.silence_specials(codes)
        waveform, codec_state = self.codec.step(audible, state.codec)
        state = StepperState(
            encoder_state, adapter_state, language_state, codec_state, text, codes
        )
        return StepOutput(waveform, text[:, 0], audible[:, 0]), state

    def draw(self, logits: DuplexLogits) -> tuple[torch.Tensor, torch.Tensor]:
        """Text (B, 1) and codes (B, 1, K); ids that mean nothing here are barred."""
        ids = self.duplex_lm.speech_ids
        speech_logits = logits.speech.clone()
        for never in (ids.pad, ids.delay, ids.reserved):
            speech_logits[..., never] = -torch.inf
        text = sample(logits.text, self.sampling.text_temperature, self.sampling.top_k)
        codes = sample(
            speech_logits, self.sampling.speech_temperature, self.sampling.top_k
        )
        return text, codes

    def silence_specials(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (B, 1, K) for the codec: a frame with a special id becomes silence."""
        special = self.duplex_lm.speech_ids.is_special(codes).any(-1, keepdim=True)
        return torch.where(special, self.codec.silence_codes.to(codes), codes)


def sample(logits: torch.Tensor, temperature: float, top_k: int) -> torch.Tensor:
    """Draw from logits (..., V) -> (...) int64."""
    if temperature == 0.0:
        return logits.argmax(-1)
    logits = logits / temperature
    if top_k:
        smallest = logits.topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < smallest, -torch.inf)
    probabilities = logits.softmax(-1)
    drawn = torch.multinomial(probabilities.flatten(0, -2), 1)
    return drawn.view(logits.shape[:-1])


def check_delays(delays: Sequence[int]) -> None:
    """Refuse delays that a session cannot undo without buffers.

    Independent FSQ codebooks are predicted in parallel (Sec. 3.2), so nothing is won
    by delays that differ between them.

    Raises:
        ValueError: If they are not 0 for text and 1 for every speech channel.
    """
    if len(delays) < 2 or delays[0] != 0 or set(delays[1:]) != {1}:
        raise ValueError(
            f"delays are {list(delays)}; expected 0 for the text and 1 for every speech "
            "channel, for example [0, 1, 1, 1, 1]"
        )


def check_codec(
    codec: AbsCodec, encoder: AbsStreamingEncoder, duplex_lm: DuplexLM
) -> None:
    """Refuse a codec that does not belong to this model."""
    if not codec.can_stream:
        raise ValueError(
            f"the decoder of {type(codec).__name__} needs the whole recording, so that it "
            "cannot speak frame by frame; choose a codec with a causal decoder"
        )
    if codec.frame_rate != encoder.frame_rate:
        raise ValueError(
            f"the codec has {float(codec.frame_rate)} frames per second but the encoder "
            f"{float(encoder.frame_rate)}; choose two of the same frame rate"
        )
    trained = (duplex_lm.num_codebooks, duplex_lm.speech_ids.codebook_size)
    found = (codec.num_codebooks, codec.codebook_size)
    if trained != found:
        raise ValueError(
            f"the codec has {found[0]} codebooks of {found[1]} codes but the model was "
            f"trained with {trained[0]} of {trained[1]}; use the codec of stage 5"
        )


@dataclass(frozen=True)
class Frame:
    """What a session answers to 80 ms of user speech."""

    speech: np.ndarray  # (samples per frame,) float32 at the codec's rate
    text: str  # what the agent's text channel added, often empty
    text_id: int
    codes: np.ndarray  # (K,) int64, as decoded


class DuplexSession:
    """One running conversation.

    Args:
        stepper: The model.
        tokenizer: For the text of the agent.
    """

    def __init__(self, stepper: DuplexStepper, tokenizer: TextTokenizer):
        self.stepper = stepper
        self.tokenizer = tokenizer
        self.state = stepper.init_state()
        self.turn_ids: list[int] | None = None  # tokens of the running agent turn
        self.turn_text = ""  # what of them was given out

    def step(self, pcm: np.ndarray) -> Frame:
        """Hear one frame of the user, get one frame of the agent.

        Args:
            pcm: (samples per frame,) float, one channel at the user's sample rate.

        Raises:
            ValueError: If `pcm` is not exactly one frame or not finite.
        """
        speech = torch.from_numpy(check_frame(pcm, self.stepper.frame_samples))
        output, self.state = self.stepper.step(
            speech[None].to(self.stepper.device), self.state
        )
        text_id = int(output.text_ids[0])
        return Frame(
            speech=output.speech[0].cpu().numpy(),
            text=self._extend_text(text_id),
            text_id=text_id,
            codes=output.codes[0].cpu().numpy(),
        )

    def _extend_text(self, text_id: int) -> str:
        """The text that `text_id` adds to the running turn."""
        ids = self.tokenizer.ids
        if text_id in (ids.bos, ids.eos):
            self.turn_ids = [] if text_id == ids.bos else None
            self.turn_text = ""
        if text_id in (ids.bos, ids.eos, ids.pad) or self.turn_ids is None:
            return ""
        self.turn_ids.append(text_id)
        text = self.tokenizer.decode(self.turn_ids)
        if text.endswith(INCOMPLETE_CHARACTER):
            return ""
        added, self.turn_text = text[len(self.turn_text) :], text
        return added


def check_frame(pcm: np.ndarray, num_samples: int) -> np.ndarray:
    """`pcm` as float32 (num_samples,), or a ValueError."""
    pcm = np.asarray(pcm)
    if pcm.shape != (num_samples,):
        raise ValueError(
            f"a step takes {num_samples} samples of one channel, got shape {pcm.shape}; "
            "cut the stream into frames of 80 ms"
        )
    if not np.isfinite(pcm).all():
        raise ValueError("a step got NaN or infinite samples; check the recording")
    return pcm.astype(np.float32)


def turns_from_text_ids(
    text_ids: Sequence[int], tokenizer: TextTokenizer, clock: FrameClock
) -> list[Turn]:
    """Agent turns of a whole conversation.

    Args:
        text_ids: (T,) tokens in the order of the steps; the one of step t stands on
            frame t + 1.
        tokenizer: For the text.
        clock: The frame grid.

    Returns:
        Turns from <BOS> to <EOS>; one without <EOS> ends at the next <BOS> or at the
        end. Tokens outside turns belong to none.
    """
    ids = tokenizer.ids
    turns: list[Turn] = []
    start, tokens = None, []

    def close(end: int) -> None:
        if start is not None and end > start:
            text = tokenizer.decode(tokens)
            turns.append(Turn("agent", clock.seconds(start), clock.seconds(end), text))

    for frame, token in enumerate(text_ids, start=1):
        if token == ids.bos:
            close(frame)
            start, tokens = frame, []
        elif token == ids.eos:
            close(frame)
            start, tokens = None, []
        elif token != ids.pad and start is not None:
            tokens.append(token)
    close(len(text_ids))
    return turns
