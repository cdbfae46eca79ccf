"""Mimi's decoder transformer one piece at a time, with memory of a fixed size."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers.models.mimi.modeling_mimi import (
    MimiTransformerLayer,
    MimiTransformerModel,
    apply_rotary_pos_emb,
)


class WindowState(NamedTuple):
    """What the transformer remembers; only `position` counts on.

    Attributes:
        keys: Of each layer, rotated, (B, key heads, window - 1, head size).
        values: Of each layer, of the same shape.
        position: Hidden frames (25 a second) seen so far.
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    position: int


class SlidingWindowTransformer:
    """A transformer with a sliding window of attention, as a step function.

    `MimiModel.decode` can hand its keys and values on, but not the contexts of its
    convolutions, and a cache that transformers grows is not of fixed size.

    Args:
        transformer: Whose modules do the work.

    Raises:
        ValueError: If its rotary positions depend on the length of the sequence.
    """

    def __init__(self, transformer: MimiTransformerModel):
        rope_type = transformer.rotary_emb.rope_type
        if rope_type != "default":
            raise ValueError(
                f"Mimi's rotary positions are of type {rope_type!r}, but streaming "
                "expects 'default'; choose a model with unscaled positions."
            )
        self.transformer = transformer
        self.past_size = transformer.config.sliding_window - 1

    def init_state(self, batch_size: int) -> WindowState:
        """Return the empty window."""
        config = self.transformer.config
        shape = (
            batch_size,
            config.num_key_value_heads,
            self.past_size,
            config.head_dim,
        )
        like = self.transformer.rotary_emb.inv_freq
        zeros = tuple(like.new_zeros(shape) for _ in self.transformer.layers)
        return WindowState(zeros, zeros, position=0)

    def step(self, x: Tensor, state: WindowState) -> tuple[Tensor, WindowState]:
        """Map the next hidden frames (B, T, C) to (B, T, C)."""
        num_new = x.size(1)
        cos_sin = self._rotation(x, state.position)
        mask = self._mask(num_new, state.position, x.device)
        keys, values = [], []
        for n, layer in enumerate(self.transformer.layers):
            past = state.keys[n], state.values[n]
            x, (key, value) = _layer_step(layer, x, cos_sin, mask, past)
            keys.append(key[:, :, num_new:])
            values.append(value[:, :, num_new:])
        return x, WindowState(tuple(keys), tuple(values), state.position + num_new)

    def _rotation(self, x: Tensor, position: int) -> tuple[Tensor, Tensor]:
        """Cosine and sine (1, T, head size) of the positions from `position` on.

        In double precision: after hours, angles in single precision are off.
        """
        positions = torch.arange(
            position, position + x.size(1), dtype=torch.float64, device=x.device
        )
        angles = positions[:, None] * self.transformer.rotary_emb.inv_freq.double()
        angles = torch.cat([angles, angles], dim=-1)[None]
        return angles.cos().to(x.dtype), angles.sin().to(x.dtype)

    def _mask(self, num_new: int, position: int, device: torch.device) -> Tensor:
        """Which keys (past and new) each of the new frames sees, (T, past + T)."""
        key = torch.arange(-self.past_size, num_new, device=device)
        query = torch.arange(num_new, device=device)[:, None]
        return (key <= query) & (key >= query - self.past_size) & (key >= -position)


def _layer_step(
    layer: MimiTransformerLayer,
    x: Tensor,
    cos_sin: tuple[Tensor, Tensor],
    mask: Tensor,
    past: tuple[Tensor, Tensor],
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Map (B, T, C); returns also all keys and values, past and new."""
    attention = layer.self_attn
    normed = layer.input_layernorm(x)
    query, key, value = (
        projection(normed).unflatten(-1, (-1, attention.head_dim)).transpose(1, 2)
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    query, key = apply_rotary_pos_emb(query, key, *cos_sin)
    key = torch.cat([past[0], key], dim=2)
    value = torch.cat([past[1], value], dim=2)
    heard = F.scaled_dot_product_attention(
        query, key, value, mask, scale=attention.scaling, enable_gqa=True
    )
    heard = attention.o_proj(heard.transpose(1, 2).flatten(2))
    x = x + layer.self_attn_layer_scale(heard)
    changed = layer.mlp(layer.post_attention_layernorm(x))
    return x + layer.mlp_layer_scale(changed), (key, value)
