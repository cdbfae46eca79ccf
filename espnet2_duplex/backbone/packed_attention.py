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
from transformers.integrations.sdpa_attention import sdpa_attention_forward

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


@torch.compiler.disable  # lengths differ from batch to batch
def packed_sdpa(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    conversations: Conversations | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """An attention function of transformers; plain sdpa without `conversations`.

    Args:
        module: The attention layer.
        query: (1, heads, N, D), as transformers has it.
        key: (1, kv_heads, N, D).
        value: (1, kv_heads, N, D).
        attention_mask: For plain sdpa.
        dropout: Of the attention's weights.
        scaling: Of the scores; None is 1 / sqrt(D).
        conversations: The N frames.
        kwargs: Further arguments of a layer, for plain sdpa.

    Returns:
        (1, N, heads, D), and no weights.
    """
    if conversations is None:
        return sdpa_attention_forward(
            module,
            query,
            key,
            value,
            attention_mask,
            dropout=dropout,
            scaling=scaling,
            **kwargs,
        )
    parts = [tensor.split(conversations.lengths, 2) for tensor in (query, key, value)]
    outputs = [
        scaled_dot_product_attention(
            *one,
            attn_mask=window,
            dropout_p=dropout,
            is_causal=window is None,
            scale=scaling,
            enable_gqa=query.shape[1] != key.shape[1],
        ).transpose(1, 2)
        for *one, window in zip(*parts, conversations.windows)
        if one[0].shape[2]
    ]
    return torch.cat(outputs, dim=1), None


def choose_attention(llm: torch.nn.Module, wanted: str) -> None:
    """Let `llm` attend by `wanted`, an attention of transformers.

    sdpa takes packed conversations where the family lets its attention be chosen.

    Raises:
        ValueError: If it is not to be had here.
    """
    if wanted == "sdpa" and llm._supports_attention_backend:
        wanted = PACKED_SDPA
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
