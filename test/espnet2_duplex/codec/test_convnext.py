import pytest
import torch
from streaming_contract import assert_streaming_equals_offline

from espnet2_duplex.codec.convnext import CausalStack, ConvNextBlock


@pytest.mark.parametrize("chunk", [1, 3, 7])
def test_stepping_through_a_stack_equals_forward(chunk):
    stack = CausalStack(num_blocks=2, num_channels=8, kernel_size=5)
    x = torch.randn(2, 21, 8)
    assert_streaming_equals_offline(
        stack, stack.step, stack.init_state, x, chunk=chunk, atol=1e-5
    )


def test_a_symmetric_block_keeps_the_length_and_looks_both_ways():
    block = ConvNextBlock(4, kernel_size=5, causal=False)
    x = torch.randn(1, 9, 4)
    changed = x.clone()
    changed[0, 4] += 1.0
    moved = (block(x) - block(changed)).abs().sum(-1)[0] > 1e-7
    assert moved.tolist() == [2 <= t <= 6 for t in range(9)]


def test_an_even_symmetric_kernel_is_refused():
    with pytest.raises(ValueError, match="odd"):
        ConvNextBlock(4, kernel_size=4, causal=False)
