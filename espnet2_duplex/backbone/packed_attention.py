"""Attention of conversations that lie behind one another in one row.

Everything else in a decoder works on each frame alone, so that packed conversations
need no padding; only attention must know where each begins. transformers hands the
arguments of a decoder on to the attention function that is registered here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import (
    repeat_kv,
    sdpa_attention_forward,
    use_gqa_in_sdpa,
)

from espnet2_duplex.backbone.masks import window_mask

PACKED_SDPA = "sdpa_packed_conversations"  # its name in transformers


@dataclass(frozen=True)
class Conversations:
    """Conversations in a row.

    Attributes:
        lengths: Frames of each.
        windows: For each (n, n) bool, which frame sees which; None where a window of
            frames holds all of them.
    """

    lengths: tuple[int, ...]
    windows: tuple[torch.Tensor | None, ...]

    @classmethod
    def of(
        cls, lengths: Sequence[int], window_frames: int, device: torch.device
    ) -> "Conversations":
        """Those of `lengths` whose frames see `window_frames` frames at most."""
        known: dict[int, torch.Tensor | None] = {
            n: window_mask(n, window_frames, device) if n > window_frames else None
            for n in set(lengths)
        }
        return cls(tuple(lengths), tuple(known[n] for n in lengths))


class NotPackable(Exception):
    """A layer has a mask or bias of its own, which packed conversations lack."""


@torch.compiler.disable  # lengths differ from batch to batch
def packed_sdpa(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    conversations: Conversations | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """An attention function of transformers; plain sdpa without `conversations`.

    Args:
        module: The attention layer.
        query: (1, heads, N, D), as transformers has it.
        key: (1, kv_heads, N, D).
        value: (1, kv_heads, N, D).
        attention_mask: For plain sdpa.
        conversations: The N frames.
        options: Further arguments of a layer; of packed conversations `dropout` and
            `scaling` (None is 1 / sqrt(D)) count.

    Returns:
        (1, N, heads, D), and no weights.

    Raises:
        NotPackable: If there are `conversations` and a mask or bias of the layer's own.
    """
    tensors = query, key, value
    if conversations is None:
        return sdpa_attention_forward(module, *tensors, attention_mask, **options)
    if attention_mask is not None or options.get("position_bias") is not None:
        raise NotPackable(f"{type(module).__name__} masks or biases by itself")
    dropout, scaling = options.get("dropout", 0.0), options.get("scaling")
    parts = zip(*(tensor.split(conversations.lengths, 2) for tensor in tensors))
    outputs = [
        _attend(one, window, dropout, scaling)
        for one, window in zip(parts, conversations.windows)
        if one[0].shape[2]
    ]
    return torch.cat(outputs, dim=1), None


def _attend(
    tensors: tuple[torch.Tensor, ...],
    window: torch.Tensor | None,
    dropout: float,
    scaling: float | None,
) -> torch.Tensor:
    """(1, n, heads, D) from query, key and value of one conversation."""
    query, key, value = tensors
    groups = query.shape[1] // key.shape[1]
    has_gqa = groups > 1 and use_gqa_in_sdpa(window, key, value)
    if groups > 1 and not has_gqa:
        # With a mask, CUDA has no fast kernel for fewer heads of keys than of queries.
        key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    return scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=window,
        dropout_p=dropout,
        is_causal=window is None,
        scale=scaling,
        enable_gqa=has_gqa,
    ).transpose(1, 2)


def choose_attention(llm: torch.nn.Module, wanted: str) -> None:
    """Let `llm` attend by `wanted`, an attention of transformers.

    Raises:
        ValueError: If it is not to be had here.
    """
    if wanted == llm.config._attn_implementation:
        return
    try:
        llm.set_attn_implementation(wanted)
    except (ImportError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"attn_implementation {wanted!r} cannot be used here ({reason}); "
            "set backbone_conf.attn_implementation to sdpa"
        ) from error


def flash_arguments(lengths: Sequence[int], device: torch.device) -> dict[str, Any]:
    """What tells flash attention of transformers where packed conversations begin."""
    ends = torch.tensor([0, *lengths]).cumsum(0).to(device, torch.int32)
    return {
        "cu_seq_lens_q": ends,
        "cu_seq_lens_k": ends,
        "max_length_q": max(lengths),
        "max_length_k": max(lengths),
    }


AttentionInterface.register(PACKED_SDPA, packed_sdpa)
