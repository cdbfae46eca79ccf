"""Finite scalar quantization in independent groups.

Mentzer et al., "Finite Scalar Quantization: VQ-VAE Made Simple" (arXiv 2309.15505);
the grouping, the order of the digits and the way to the levels are those of
NanoCodec, the paper's codec (Sec. 5.1): 4 codebooks with levels 9, 8, 8, 7. NeMo's
checkpoints give the same codes here as there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

# Keeps rounding off the level beyond the outermost one.
_BOUND_MARGIN = 1e-3


class GroupFsq(nn.Module):
    """Round every dimension of a vector to a few levels.

    The K * D dimensions form K groups; the D digits of a group make one code, the
    first digit counting fastest. There is nothing to learn and nothing to collapse
    but saturation: keep the encoder's output near unit scale and watch the usage.
    """

    def __init__(self, levels: Sequence[int] = (9, 8, 8, 7), num_codebooks: int = 4):
        super().__init__()
        if min(levels) < 2:
            raise ValueError(f"FSQ levels {list(levels)} must all be at least 2.")
        self.levels = tuple(levels)
        self.num_codebooks = num_codebooks
        self.codebook_size = math.prod(levels)
        self.num_dims = num_codebooks * len(levels)

        steps = torch.tensor(levels, dtype=torch.int64)
        bases = torch.cat([steps.new_ones(1), steps.cumprod(0)[:-1]])
        half_range = (steps - 1) / 2.0 * (1.0 - _BOUND_MARGIN)
        # An even number of levels has no middle one: shift the grid by half a step.
        offset = 0.5 * (steps % 2 == 0).float()
        self._register("_bases", bases)
        self._register("_half_width", steps // 2)
        self._register("_half_range", half_range)
        self._register("_offset", offset)
        # Zero would stay zero with atanh; NeMo's checkpoints were trained with tan.
        self._register("_shift", (offset / half_range).tan())

        codes = torch.arange(self.codebook_size)[:, None]
        digits = codes // bases % steps
        self._register("_values", (digits - self._half_width) / self._half_width)

    def _register(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value, persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Quantize, passing gradients straight through the rounding.

        Args:
            x: Any real vectors (..., K * D).

        Returns:
            Values in [-1, 1] of the same shape, and codes (..., K) int64.
        """
        digits = x.unflatten(-1, (self.num_codebooks, -1))
        bounded = (digits + self._shift).tanh() * self._half_range - self._offset
        rounded = bounded + (bounded.round() - bounded).detach()
        values = (rounded / self._half_width).flatten(-2)
        return values, self.values_to_codes(values.detach())

    def values_to_codes(self, values: Tensor) -> Tensor:
        """Turn quantized values (..., K * D) into codes (..., K) int64."""
        digits = values.unflatten(-1, (self.num_codebooks, -1)) * self._half_width
        digits = digits.round().long() + self._half_width
        return (digits * self._bases).sum(-1)

    def codes_to_values(self, codes: Tensor) -> Tensor:
        """Turn codes (..., K) int64 into quantized values (..., K * D) float32."""
        return self._values[codes].flatten(-2)


@dataclass(frozen=True)
class CodebookUsage:
    """How much of its codebooks a set of codes uses.

    Attributes:
        num_used: Distinct codes in each codebook (K,).
        entropy_bits: Entropy of each codebook's codes in bits (K,).
    """

    num_used: tuple[int, ...]
    entropy_bits: tuple[float, ...]

    @classmethod
    def measure(cls, codes: Tensor, codebook_size: int) -> "CodebookUsage":
        """Count codes (..., K) int64, each in 0 .. codebook_size - 1."""
        num_used, entropy_bits = [], []
        for column in codes.reshape(-1, codes.size(-1)).unbind(-1):
            counts = torch.bincount(column, minlength=codebook_size).double()
            p = counts[counts > 0] / counts.sum()
            num_used.append(p.numel())
            entropy_bits.append(float(-(p * p.log2()).sum()))
        return cls(tuple(num_used), tuple(entropy_bits))
