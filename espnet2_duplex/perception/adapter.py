"""From the encoder's embeddings to the LLM's."""

import torch
from torch.nn import functional


class CausalConvBlock(torch.nn.Module):
    """Residual depthwise causal convolution and feed-forward, (B, T, H) -> (B, T, H)."""

    def __init__(self, width: int, kernel_size: int):
        super().__init__()
        self.history = kernel_size - 1
        self.conv = torch.nn.Conv1d(width, width, kernel_size, groups=width)
        self.norm = torch.nn.LayerNorm(width)
        self.expand = torch.nn.Linear(width, 2 * width)
        self.contract = torch.nn.Linear(2 * width, width)
        torch.nn.init.zeros_(self.contract.weight)  # starts as the identity
        torch.nn.init.zeros_(self.contract.bias)

    def step(
        self, x: torch.Tensor, state: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The next frames (B, N, H) after the last ones, state (B, kernel - 1, H)."""
        heard = torch.cat([state, x], dim=1)
        mixed = self.conv(heard.transpose(1, 2)).transpose(1, 2)
        mixed = self.contract(functional.gelu(self.expand(self.norm(mixed))))
        return x + mixed, heard[:, heard.shape[1] - self.history :]


class Adapter(torch.nn.Module):
    """Linear map to the LLM's width and, with ``num_layers``, causal blocks behind it.

    Args:
        input_size: D of the encoder.
        output_size: H of the LLM.
        num_layers: causal convolution blocks; 0 leaves the linear map alone.
        kernel_size: frames that a block hears, the current one included.
        output_scale: standard deviation of the linear map's outputs at the start. That of
            the LLM's token embeddings: what is summed with them must not drown them.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        num_layers: int = 0,
        kernel_size: int = 5,
        output_scale: float = 0.02,
    ):
        super().__init__()
        if num_layers < 0 or kernel_size < 1:
            raise ValueError(
                f"adapter with num_layers {num_layers} and kernel_size {kernel_size}; "
                "they must be at least 0 and 1."
            )
        self.norm = torch.nn.LayerNorm(input_size)
        self.linear = torch.nn.Linear(input_size, output_size)
        torch.nn.init.normal_(self.linear.weight, std=output_scale / input_size**0.5)
        torch.nn.init.zeros_(self.linear.bias)
        self.blocks = torch.nn.ModuleList(
            [CausalConvBlock(output_size, kernel_size) for _ in range(num_layers)]
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Whole sequences x (B, T, D) -> (B, T, H)."""
        return self.step(x, self.init_state(x.shape[0]))[0]

    def init_state(self, batch_size: int) -> list[torch.Tensor]:
        """What each block has heard before the first frame: zeros (B, kernel - 1, H)."""
        weight = self.linear.weight
        return [
            weight.new_zeros(batch_size, block.history, len(weight))
            for block in self.blocks
        ]

    def step(
        self, x: torch.Tensor, state: list[torch.Tensor]
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The next frames x (B, N, D) -> (B, N, H), and the next state."""
        x = self.linear(self.norm(x))
        next_state = []
        for block, history in zip(self.blocks, state):
            x, history = block.step(x, history)
            next_state.append(history)
        return x, next_state
