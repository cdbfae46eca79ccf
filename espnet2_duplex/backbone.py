"""The causal LLM: whole sequences in training, one frame at a time in a session.

Any decoder-only model of transformers with rotary positions serves. Attention reaches
back `window_frames` frames in both ways of running it, so that a session's cache is a
ring of fixed size: neither its memory nor its step time grows with the length of the
conversation.
"""

from dataclasses import dataclass
from typing import Any, Mapping

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.cache_utils import Cache, CacheLayerMixin


class RingLayer(CacheLayerMixin):
    """Keys and values of the last `window_frames` frames of one layer, as a ring.

    Keys are stored after rotation by their absolute position, and rotary attention
    depends on distances only, so the order of the ring does not matter.
    """

    def __init__(self, window_frames: int):
        super().__init__()
        self.window_frames = window_frames
        self.next_index = 0

    def lazy_initialization(self, key_states, value_states) -> None:
        batch, heads, _, width = key_states.shape
        shape = (batch, heads, self.window_frames, width)
        self.keys = key_states.new_zeros(shape)
        self.values = value_states.new_zeros(
            (batch, heads, self.window_frames, value_states.shape[-1])
        )
        self.is_initialized = True

    def update(self, key_states, value_states, *args, **kwargs):
        """Store one frame (B, heads, 1, width); return the whole ring."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        self.keys[:, :, self.next_index] = key_states[:, :, 0]
        self.values[:, :, self.next_index] = value_states[:, :, 0]
        self.next_index = (self.next_index + 1) % self.window_frames
        return self.keys, self.values

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.window_frames, 0

    def get_seq_length(self) -> int:
        return 0  # positions are given explicitly

    def get_max_length(self) -> int:
        return self.window_frames


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

    Raises:
        ValueError: If `llm_conf` names no `model_type`, or one without rotary positions.
    """

    def __init__(
        self,
        llm_conf: Mapping[str, Any],
        vocab_size: int,
        window_frames: int = 375,
    ):
        super().__init__()
        if "model_type" not in llm_conf:
            raise ValueError(
                "llm_conf has no model_type; give a transformers configuration, "
                "for example `model_type: llama`, or name a model with --llm"
            )
        conf = {"vocab_size": vocab_size, **llm_conf}
        config = AutoConfig.for_model(conf.pop("model_type"), **conf)
        if not hasattr(config, "rope_parameters"):
            raise ValueError(
                f"{config.model_type} has no rotary positions, on which the cache of "
                "fixed size relies; choose an LLM that has, such as Llama, Qwen or SmolLM"
            )
        config.vocab_size = max(config.vocab_size, vocab_size)
        # An embedding row with a padding_idx gets no gradient, but <PAD> is an
        # ordinary and frequent token of the text channel.
        config.pad_token_id = None
        self.llm = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
        self.num_tokens = vocab_size
        self.window_frames = window_frames

    @property
    def hidden_size(self) -> int:
        return self.llm.get_input_embeddings().embedding_dim

    def load_llm(self, name_or_path: str) -> None:
        """Copy pretrained weights in; rows of added tokens keep their initial value.

        Raises:
            ValueError: If a weight's shape differs beyond the number of token rows.
        """
        loaded = AutoModelForCausalLM.from_pretrained(name_or_path, dtype=torch.float32)
        weights = loaded.state_dict()
        for name, own in self.llm.state_dict().items():
            given = weights[name]
            if given.shape[1:] != own.shape[1:] or given.shape[0] > own.shape[0]:
                raise ValueError(
                    f"{name_or_path}: {name} has shape {tuple(given.shape)}, but "
                    f"llm_conf makes it {tuple(own.shape)}; leave llm_conf empty"
                )
            own[: given.shape[0]] = given

    def embed_text(self, text: torch.Tensor) -> torch.Tensor:
        """(B, T) int64 -> (B, T, H)."""
        return self.llm.get_input_embeddings()(text)

    def text_logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(B, T, H) -> (B, T, V)."""
        return self.llm.get_output_embeddings()(hidden)[..., : self.num_tokens]

    def forward(self, embeds: torch.Tensor) -> torch.Tensor:
        """(B, T, H) -> (B, T, H); frame t attends to the window that ends in t."""
        num_frames = embeds.shape[1]
        distance = torch.arange(num_frames, device=embeds.device)
        distance = distance[:, None] - distance[None, :]
        visible = (distance >= 0) & (distance < self.window_frames)
        positions = torch.arange(num_frames, device=embeds.device)[None]
        return self._run(embeds, visible[None, None], positions, None)

    def init_state(self, batch_size: int = 1) -> BackboneState:
        """State before the first frame; `batch_size` is taken from the first step."""
        num_layers = self.llm.config.get_text_config().num_hidden_layers
        layers = [RingLayer(self.window_frames) for _ in range(num_layers)]
        return BackboneState(cache=Cache(layers=layers), num_frames=0)

    def step(
        self, embeds: torch.Tensor, state: BackboneState
    ) -> tuple[torch.Tensor, BackboneState]:
        """(B, 1, H) -> (B, 1, H): the next frame of `forward`."""
        written = torch.arange(self.window_frames, device=embeds.device)
        visible = written <= state.num_frames
        position = torch.tensor([[state.num_frames]], device=embeds.device)
        hidden = self._run(embeds, visible[None, None, None], position, state.cache)
        return hidden, BackboneState(state.cache, state.num_frames + 1)

    def _run(self, embeds, visible, positions, cache) -> torch.Tensor:
        """Run the decoder under an explicit mask; `visible` (1, 1, queries, keys)."""
        mask = torch.zeros(visible.shape, dtype=embeds.dtype, device=embeds.device)
        mask.masked_fill_(~visible, torch.finfo(embeds.dtype).min)
        output = self.llm.get_decoder()(
            inputs_embeds=embeds,
            attention_mask=mask.expand(embeds.shape[0], -1, -1, -1),
            position_ids=positions,
            past_key_values=cache,
            use_cache=cache is not None,
        )
        return output.last_hidden_state
