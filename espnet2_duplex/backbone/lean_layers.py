"""Layers of the Llama kind that keep less for the backward pass.

The same functions as transformers', with the same names of weights. What is cheap is
computed again instead of kept: the normalised input of a norm, the activation of a
gated feed-forward and its product. Of SmolLM2-135M's activations that is a third.
torch.compile decides by itself what to keep, and is given the plain formulas.
"""

import torch
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear, silu

from espnet2_duplex.heads import is_own_matrix

# transformers' classes that are `weight * x / rms(x)`, and silu(gate) * up below a map.
_FAMILIES = ("Llama", "Mistral", "Qwen2", "Qwen3", "SmolLM3")
_NORMS = {f"{family}RMSNorm" for family in _FAMILIES}
_GATED = {f"{family}MLP" for family in _FAMILIES}


class RmsNorm(torch.nn.Module):
    """`weight * x / sqrt(mean(x^2) + epsilon)` over the last dimension."""

    def __init__(self, weight: torch.nn.Parameter, epsilon: float):
        super().__init__()
        self.weight, self.epsilon = weight, epsilon

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if torch.compiler.is_compiling():
            scale = (x.float().square().mean(-1, keepdim=True) + self.epsilon).rsqrt()
            return self.weight * (x * scale).to(x.dtype)
        return _RmsNorm.apply(x, self.weight, self.epsilon)


class GatedFeedForward(torch.nn.Module):
    """`down(silu(gate(x)) * up(x))`."""

    def __init__(
        self, gate: torch.nn.Module, up: torch.nn.Module, down: torch.nn.Module
    ):
        super().__init__()
        self.gate_proj, self.up_proj, self.down_proj = gate, up, down

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate, up, down = self.gate_proj(x), self.up_proj(x), self.down_proj
        is_plain = is_own_matrix(down) and down.bias is None
        if is_plain and not torch.compiler.is_compiling():
            return _GatedLinear.apply(gate, up, down.weight)
        return down(silu(gate) * up)


def make_lean(llm: torch.nn.Module) -> None:
    """Put these layers in the place of those of `llm` that they are equal to."""
    for parent in list(llm.modules()):
        for name, child in parent.named_children():
            kind = type(child).__name__
            if kind in _NORMS:
                setattr(parent, name, RmsNorm(child.weight, child.variance_epsilon))
            elif kind in _GATED and child.config.hidden_act == "silu":
                parts = child.gate_proj, child.up_proj, child.down_proj
                setattr(parent, name, GatedFeedForward(*parts))


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, epsilon):
        size = x.shape[-1]
        power = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        scale = power.square_().div_(size).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, weight, scale)
        return (x * scale).to(x.dtype).mul_(weight)

    @staticmethod
    @once_differentiable
    def backward(ctx, slope):
        x, weight, scale = ctx.saved_tensors
        unit = x * scale  # float32
        along = slope * unit
        of_weight = None
        if ctx.needs_input_grad[1]:
            of_weight = along.flatten(0, -2).sum(0).to(weight.dtype)
        share = (along @ weight.to(along.dtype)).div_(-x.shape[-1])
        of_x = (slope * weight).to(unit.dtype).addcmul_(unit, share[..., None])
        return of_x.mul_(scale).to(x.dtype), of_weight, None


class _GatedLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, gate, up, weight):
        matrix = weight.to(gate.dtype)  # under autocast the gate is of low precision
        ctx.save_for_backward(gate, up, matrix)
        ctx.weight_dtype = weight.dtype
        return linear(silu(gate).mul_(up), matrix)

    @staticmethod
    @once_differentiable
    def backward(ctx, slope):
        gate, up, matrix = ctx.saved_tensors
        active = silu(gate)
        of_weight = None
        if ctx.needs_input_grad[2]:
            product = (active * up).flatten(0, -2)
            of_weight = (slope.flatten(0, -2).T @ product).to(ctx.weight_dtype)
        of_product = slope @ matrix
        of_up = active.mul_(of_product)
        of_active = of_product.mul_(up)
        of_gate = torch.ops.aten.silu_backward(of_active, gate)
        return of_gate, of_up, of_weight
