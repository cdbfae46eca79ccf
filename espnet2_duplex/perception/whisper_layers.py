"""Parts of Whisper's encoder that the causal student and its teacher share."""

import math

import torch
from torch.nn import functional

BLOCK = 4  # 50 Hz positions in a frame of 80 ms


class WhisperLayer(torch.nn.Module):
    """Pre-norm transformer layer with block-causal attention.

    A position attends to its own block of ``BLOCK`` positions and to those before it.
    """

    def __init__(self, width: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.attention_norm = torch.nn.LayerNorm(width)
        self.qkv = torch.nn.Linear(width, 3 * width)
        self.out = torch.nn.Linear(width, width)
        self.ffn_norm = torch.nn.LayerNorm(width)
        self.ffn_in = torch.nn.Linear(width, 4 * width)
        self.ffn_out = torch.nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor, window_blocks: int | None) -> torch.Tensor:
        """Whole sequences.

        Args:
            x: (B, N, width).
            window_blocks: blocks that a position sees, its own included; None lets it
                see everything, also what comes later.

        Returns:
            (B, N, width).
        """
        queries, keys, values = self._split_heads(x)
        if window_blocks is None:
            mixed = functional.scaled_dot_product_attention(queries, keys, values)
        else:
            mixed = block_causal_attention(queries, keys, values, window_blocks)
        return self._finish(x, mixed)

    def step(
        self, x: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, block: int
    ) -> torch.Tensor:
        """The next block.

        Args:
            x: (B, BLOCK, width).
            keys, values: (B, heads, window, width / heads) rings, written in place.
            block: number of blocks before this one.

        Returns:
            (B, BLOCK, width).
        """
        queries, new_keys, new_values = self._split_heads(x)
        slot = BLOCK * block % keys.shape[2]
        keys[:, :, slot : slot + BLOCK] = new_keys
        values[:, :, slot : slot + BLOCK] = new_values
        filled = min(BLOCK * (block + 1), keys.shape[2])
        mixed = functional.scaled_dot_product_attention(
            queries, keys[:, :, :filled], values[:, :, :filled]
        )
        return self._finish(x, mixed)

    def _split_heads(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Queries, keys and values, each (B, heads, N, width / heads)."""
        qkv = self.qkv(self.attention_norm(x))
        qkv = qkv.unflatten(2, (3, self.num_heads, -1))
        return [part.transpose(1, 2) for part in qkv.unbind(2)]

    def _finish(self, x: torch.Tensor, mixed: torch.Tensor) -> torch.Tensor:
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.ffn_out(functional.gelu(self.ffn_in(self.ffn_norm(x))))


def block_causal_attention(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, window_blocks: int
) -> torch.Tensor:
    """Attention within the last ``window_blocks`` blocks, own block included.

    Works on one window of queries at a time, so that cost grows linearly with N.

    Args:
        queries, keys, values: (B, heads, N, C).
        window_blocks: blocks that a query sees.

    Returns:
        (B, heads, N, C).
    """
    window, num_positions = BLOCK * window_blocks, queries.shape[2]
    outputs = []
    for first in range(0, num_positions, window):
        end = min(first + window, num_positions)
        oldest = max(0, first - window + BLOCK)
        mask = _block_mask(first, end, oldest, window_blocks, queries.device)
        outputs.append(
            functional.scaled_dot_product_attention(
                queries[:, :, first:end],
                keys[:, :, oldest:end],
                values[:, :, oldest:end],
                attn_mask=mask,
            )
        )
    return torch.cat(outputs, dim=2)


def _block_mask(first: int, end: int, oldest: int, window_blocks: int, device):
    """True where a query of first..end sees a key of oldest..end."""
    query_blocks = torch.arange(first, end, device=device)[:, None] // BLOCK
    key_blocks = torch.arange(oldest, end, device=device)[None, :] // BLOCK
    return (key_blocks <= query_blocks) & (key_blocks > query_blocks - window_blocks)


def sinusoids(num_positions: int, width: int, *, wrap: bool) -> torch.Tensor:
    """Whisper's position table (num_positions, width): sines, then cosines.

    With ``wrap`` every frequency is rounded to a whole number of turns in the table, so
    that position ``num_positions`` equals position 0.
    """
    half = width // 2
    turns_per_radian = num_positions / (2 * math.pi)
    exponents = torch.arange(half, dtype=torch.float64) / (half - 1)
    frequencies = 10000.0**-exponents  # radians per position
    if wrap:
        turns = torch.round(frequencies * turns_per_radian)
        frequencies = turns / turns_per_radian
    angles = torch.arange(num_positions, dtype=torch.float64)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1).float()
