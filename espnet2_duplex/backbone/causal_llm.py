"""The causal LLM: whole sequences in training, one frame at a time in a session."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForCausalLM
from transformers.cache_utils import Cache

from espnet2_duplex.backbone.llm_config import build_llm_config
from espnet2_duplex.backbone.positions import Positions
from espnet2_duplex.backbone.ring_cache import RingLayer
from espnet2_duplex.backbone.text_head import scaled_logits
from espnet2_duplex.llm_source import read_llm_weights


@dataclass
class BackboneState:
    """State of a session: the ring cache, and the number of frames seen so far.

    `step` consumes the state it is given (the ring is written in place).
    """

    cache: Cache
    num_frames: int


class Backbone(torch.nn.Module):
    """A causal LLM without its token embedding's lookup: embeddings in, hidden out.

    Args:
        llm_conf: The LLM's transformers configuration, with `model_type`.
        vocab_size: The tokenizer's size, V. The embedding has as many rows, or more if
            `llm_conf` says so; rows without a token are never predicted.
        window_frames: How far back attention reaches, in frames of 80 ms.
        attn_implementation: Of transformers, for training: "sdpa", "eager", or
            "flash_attention_2" where it is installed, for conversations that the window
            holds. Sessions use sdpa.
        gradient_checkpointing: Compute each layer's activations again in the backward
            pass instead of keeping them.
        compile_backend: Backend of torch.compile for the decoder in training, for
            example "inductor"; None does not compile.

    Raises:
        ValueError: If `llm_conf` names no LLM that can run sessions without end.
    """

    def __init__(
        self,
        llm_conf: Mapping[str, Any],
        vocab_size: int,
        window_frames: int = 375,
        attn_implementation: str = "sdpa",
        gradient_checkpointing: bool = False,
        compile_backend: str | None = None,
    ):
        super().__init__()
        config = build_llm_config(llm_conf, vocab_size)
        self.positions = Positions(config, window_frames)
        self.llm = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
        self.num_tokens = vocab_size
        self.window_frames = window_frames
        self.attn_implementation = attn_implementation
        if gradient_checkpointing:
            self.llm.gradient_checkpointing_enable({"use_reentrant": False})
        self._decode_in_training = self._decode
        if compile_backend is not None:
            # Of a method: a compiled module would rename the weights.
            self._decode_in_training = torch.compile(
                self._decode, backend=compile_backend
            )
        self.register_buffer(
            "prompt_ids", torch.zeros(0, dtype=torch.int64), persistent=False
        )

    @property
    def hidden_size(self) -> int:
        return self.llm.get_input_embeddings().embedding_dim

    def train(self, mode: bool = True):
        """As torch's; sessions and validation attend by sdpa."""
        super().train(mode)
        wanted = self.attn_implementation if mode else "sdpa"
        if wanted != self.llm.config._attn_implementation:
            try:
                self.llm.set_attn_implementation(wanted)
            except (ImportError, ValueError) as error:
                reason = str(error).splitlines()[0]
                raise ValueError(
                    f"attn_implementation {wanted!r} cannot be used here ({reason}); "
                    "set backbone_conf.attn_implementation to sdpa"
                ) from error
        return self

    def load_llm(self, llm: str) -> None:
        """Copy pretrained weights in; rows of added tokens keep their initial value.

        Args:
            llm: Hub name, folder or GGUF file; layers that this LLM lacks are left out.

        Raises:
            ValueError: If a weight is missing or its shape differs beyond the number of
                token rows.
        """
        weights = read_llm_weights(llm)
        for name, own in self.llm.state_dict().items():
            given = weights.get(name)
            if given is None:
                raise ValueError(
                    f"{llm} has no {name}, which llm_conf asks for; leave llm_conf empty"
                )
            if given.shape[1:] != own.shape[1:] or given.shape[0] > own.shape[0]:
                raise ValueError(
                    f"{llm}: {name} has shape {tuple(given.shape)}, but "
                    f"llm_conf makes it {tuple(own.shape)}; leave llm_conf empty"
                )
            own[: given.shape[0]] = given

    def set_prompt(self, token_ids: Sequence[int]) -> None:
        """Put text before every conversation, one token per frame.

        On these frames user and agent are silent, that is, nothing is added to the
        text's embedding; nothing is predicted from them. Like everything else they are
        forgotten after `window_frames` frames.

        Raises:
            ValueError: If the window does not hold the prompt.
        """
        if len(token_ids) >= self.window_frames:
            raise ValueError(
                f"the system prompt has {len(token_ids)} tokens but the window "
                f"{self.window_frames} frames, one per token; shorten the prompt or "
                "raise backbone_conf.window_frames"
            )
        ids = torch.tensor(list(token_ids), dtype=torch.int64)
        self.prompt_ids = ids.to(self.prompt_ids.device)

    def embed_text(self, text: torch.Tensor) -> torch.Tensor:
        """(B, T) int64 -> (B, T, H)."""
        return self.llm.get_input_embeddings()(text)

    def text_logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(B, T, H) -> (B, T, V)."""
        logits = self.llm.get_output_embeddings()(hidden)[..., : self.num_tokens]
        return scaled_logits(logits, self.llm.config)

    def forward(self, embeds: torch.Tensor) -> torch.Tensor:
        """(B, T, H) -> (B, T, H); frame t attends to the window that ends in t.

        Raises:
            ValueError: If flash attention is asked to look past the window.
        """
        num_prompt = len(self.prompt_ids)
        if num_prompt:
            embeds = torch.cat([self._embed_prompt(len(embeds), embeds), embeds], 1)
        batch, num_frames, _ = embeds.shape
        if not self.training:
            positions = self.positions.of_frames(num_frames, embeds.device)
            hidden = self._decode(embeds, self._mask(embeds), positions)
        elif self.attn_implementation.startswith("flash"):
            self._check_flash(num_frames)
            hidden = self._decode_in_training(embeds, None, None)
        else:
            positions = self.positions.of_training(batch, num_frames, embeds.device)
            hidden = self._decode_in_training(embeds, self._mask(embeds), positions)
        return hidden[:, num_prompt:]

    def init_state(self, batch_size: int = 1) -> BackboneState:
        """State before the first frame of the conversation; it has read the prompt."""
        num_layers = self.llm.config.num_hidden_layers
        cache = Cache(layers=[RingLayer(self.window_frames) for _ in range(num_layers)])
        num_prompt = len(self.prompt_ids)
        if num_prompt:
            with torch.no_grad():
                embeds = self._embed_prompt(batch_size)
                positions = self.positions.of_frames(num_prompt, embeds.device)
                self._decode(embeds, self._mask(embeds), positions, cache)
        return BackboneState(cache, num_frames=num_prompt)

    def step(
        self, embeds: torch.Tensor, state: BackboneState
    ) -> tuple[torch.Tensor, BackboneState]:
        """(B, 1, H) -> (B, 1, H): the next frame of `forward`."""
        written = torch.arange(self.window_frames, device=embeds.device)
        visible = written <= state.num_frames
        positions = self.positions.of_frames(1, embeds.device, first=state.num_frames)
        mask = additive_mask(visible[None, None, None], embeds)
        hidden = self._decode(embeds, mask, positions, state.cache)
        return hidden, BackboneState(state.cache, state.num_frames + 1)

    def _embed_prompt(self, batch_size: int, like: torch.Tensor | None = None):
        """(B, P, H) in the type of `like`."""
        embeds = self.embed_text(self.prompt_ids)[None].expand(batch_size, -1, -1)
        return embeds if like is None else embeds.to(like.dtype)

    def _mask(self, embeds: torch.Tensor) -> torch.Tensor:
        """Which of the frames (B, T, H) see which: each its window."""
        frames = torch.arange(embeds.shape[1], device=embeds.device)
        distance = frames[:, None] - frames[None, :]
        visible = (distance >= 0) & (distance < self.window_frames)
        return additive_mask(visible[None, None], embeds)

    def _check_flash(self, num_frames: int) -> None:
        if num_frames > self.window_frames or self.positions.table_size is not None:
            raise ValueError(
                f"flash attention was given {num_frames} frames; it needs rotary "
                f"positions and at most window_frames = {self.window_frames}; set "
                "backbone_conf.attn_implementation to sdpa or raise window_frames"
            )

    def _decode(self, embeds, mask, positions, cache=None) -> torch.Tensor:
        """Run the decoder."""
        output = self.llm.get_decoder()(
            inputs_embeds=embeds,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=cache is not None,
        )
        return output.last_hidden_state


def additive_mask(visible: torch.Tensor, embeds: torch.Tensor) -> torch.Tensor:
    """`visible` (1, 1, queries, keys) as summands of attention for (B, T, H)."""
    mask = torch.zeros(visible.shape, dtype=embeds.dtype, device=embeds.device)
    mask.masked_fill_(~visible, torch.finfo(embeds.dtype).min)
    return mask.expand(embeds.shape[0], -1, -1, -1)
