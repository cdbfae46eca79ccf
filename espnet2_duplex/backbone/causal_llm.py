"""The causal LLM: whole sequences in training, one frame at a time in a session."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForCausalLM
from transformers.cache_utils import Cache

from espnet2_duplex.backbone.attention_choice import check_agreement, choose_sdpa
from espnet2_duplex.backbone.lean_layers import make_lean
from espnet2_duplex.backbone.llm_config import build_llm_config
from espnet2_duplex.backbone.masks import additive_mask, window_mask
from espnet2_duplex.backbone.packed_attention import (
    PACKED_SDPA,
    Conversations,
    choose_attention,
    flash_arguments,
)
from espnet2_duplex.backbone.positions import Positions
from espnet2_duplex.backbone.pretrained import copy_pretrained
from espnet2_duplex.backbone.ring_cache import RingLayer
from espnet2_duplex.backbone.text_head import scaled_logits, scales_logits
from espnet2_duplex.heads import Head


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
        window_frames: How far back attention reaches, in frames of 80 ms: in all layers
            and in place of the family's own `sliding_window`.
        attn_implementation: Of transformers, for training: "sdpa", "eager" (computes
            padding too), or "flash_attention_2" where it is installed, for
            conversations that the window holds. Sessions use sdpa.
        gradient_checkpointing: Compute each layer's activations again in the backward
            pass instead of keeping them.
        compile_backend: Backend of torch.compile for the decoder in training, for
            example "inductor"; None does not compile.

    Raises:
        ValueError: If `llm_conf` names no LLM that can run sessions without end, or
            `attn_implementation` would compute in training what sessions leave out.
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
        make_lean(self.llm)
        check_agreement(config, window_frames, attn_implementation)
        self._sdpa = choose_sdpa(self.llm)
        # Of an embedding with an adapter, or sharded over ranks, it is hard to tell.
        self.hidden_size: int = self.llm.get_input_embeddings().embedding_dim
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

    def train(self, mode: bool = True):
        """As torch's; sessions and validation attend by sdpa."""
        super().train(mode)
        wanted = self.attn_implementation if mode else "sdpa"
        choose_attention(self.llm, self._sdpa if wanted == "sdpa" else wanted)
        return self

    def load_llm(self, llm: str) -> None:
        """`copy_pretrained` of a hub name, folder or GGUF file."""
        copy_pretrained(self.llm, llm)

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

    @property
    def text_head(self) -> Head:
        """The head of the text channel, one channel of V tokens."""
        config = self.llm.config
        scale = partial(scaled_logits, config=config) if scales_logits(config) else None
        return Head(self.llm.get_output_embeddings(), 1, self.num_tokens, scale)

    def text_logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(B, T, H) -> (B, T, V)."""
        return self.text_head.logits(hidden).squeeze(-2)

    def forward(self, embeds: torch.Tensor) -> torch.Tensor:
        """(B, T, H) -> (B, T, H); frame t attends to the window that ends in t."""
        batch_size, num_frames, _ = embeds.shape
        hidden = self.packed(embeds.flatten(0, 1), [num_frames] * batch_size)
        return hidden.unflatten(0, (batch_size, num_frames))

    def packed(self, embeds: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        """As `forward`, for conversations of unequal length behind one another.

        Args:
            embeds: (N, H).
            lengths: Frames of each conversation, N together.

        Returns:
            (N, H).

        Raises:
            ValueError: If flash attention is asked to look past the window.
        """
        num_prompt = len(self.prompt_ids)
        if not num_prompt:
            return self._decode_packed(embeds, lengths)
        prompt = self._embed_prompt(1, embeds)[0]
        parts = [part for one in embeds.split(lengths) for part in (prompt, one)]
        lengths = [num_prompt + n for n in lengths]
        hidden = self._decode_packed(torch.cat(parts), lengths)
        return torch.cat([one[num_prompt:] for one in hidden.split(lengths)])

    def _decode_packed(
        self, embeds: torch.Tensor, lengths: Sequence[int]
    ) -> torch.Tensor:
        """`packed` without a prompt."""
        decode, number = self._decode, self.positions.of_conversations
        if self.training:
            decode, number = self._decode_in_training, self.positions.of_training
        positions = number(lengths, embeds.device)
        attention = self.llm.config._attn_implementation
        if attention == PACKED_SDPA:
            windows = Conversations.of(lengths, self.window_frames, embeds.device)
            options = {"conversations": windows}
        elif attention.startswith("flash"):
            self._check_flash(max(lengths))
            options = flash_arguments(lengths, embeds.device)
        else:
            return self._decode_padded(decode, embeds, positions[0], lengths)
        return decode(embeds[None], None, positions, **options)[0]

    def _decode_padded(self, decode, embeds, positions, lengths) -> torch.Tensor:
        """For attention that cannot tell packed conversations apart."""
        embeds, positions = (
            pad_sequence(packed.split(lengths), batch_first=True)
            for packed in (embeds, positions)
        )
        hidden = decode(embeds, self._mask(embeds), positions)
        return torch.cat([one[:n] for one, n in zip(hidden, lengths)])

    def init_state(self, batch_size: int = 1) -> BackboneState:
        """State before the first frame of the conversation; it has read the prompt."""
        num_layers = self.llm.config.num_hidden_layers
        cache = Cache(layers=[RingLayer(self.window_frames) for _ in range(num_layers)])
        num_prompt = len(self.prompt_ids)
        if num_prompt:
            with torch.no_grad():
                embeds = self._embed_prompt(batch_size)
                positions = self.positions.of_frames(num_prompt, embeds.device)
                mask = self._mask(embeds)
                self._decode(embeds, mask, positions, past_key_values=cache)
        return BackboneState(cache, num_frames=num_prompt)

    def step(
        self, embeds: torch.Tensor, state: BackboneState
    ) -> tuple[torch.Tensor, BackboneState]:
        """(B, 1, H) -> (B, 1, H): the next frame of `forward`."""
        written = torch.arange(self.window_frames, device=embeds.device)
        visible = written <= state.num_frames
        positions = self.positions.of_frames(1, embeds.device, first=state.num_frames)
        mask = additive_mask(visible[None], embeds)
        hidden = self._decode(embeds, mask, positions, past_key_values=state.cache)
        return hidden, BackboneState(state.cache, state.num_frames + 1)

    def _embed_prompt(self, batch_size: int, like: torch.Tensor | None = None):
        """(B, P, H) in the type of `like`."""
        embeds = self.embed_text(self.prompt_ids)[None].expand(batch_size, -1, -1)
        return embeds if like is None else embeds.to(like.dtype)

    def _mask(self, embeds: torch.Tensor) -> torch.Tensor:
        """Which of the frames (B, T, H) see which: each its window."""
        visible = window_mask(embeds.shape[1], self.window_frames, embeds.device)
        return additive_mask(visible, embeds)

    def _check_flash(self, num_frames: int) -> None:
        if num_frames > self.window_frames or self.positions.table_size is not None:
            raise ValueError(
                f"flash attention was given {num_frames} frames; it needs rotary "
                f"positions and at most window_frames = {self.window_frames}; set "
                "backbone_conf.attn_implementation to sdpa or raise window_frames"
            )

    def _decode(self, embeds, mask, positions, **options) -> torch.Tensor:
        """Run the decoder; `options` are a cache, or what its attention takes."""
        output = self.llm.get_decoder()(
            inputs_embeds=embeds,
            attention_mask=mask,
            position_ids=positions,
            use_cache="past_key_values" in options,
            **options,
        )
        return output.last_hidden_state
