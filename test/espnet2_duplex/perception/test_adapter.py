"""The adapter between encoder and LLM."""

import pytest
import torch
from streaming_contract import assert_streaming_equals_offline

from espnet2_duplex.perception.adapter import Adapter


@pytest.mark.parametrize("num_layers, kernel_size", [(0, 5), (1, 1), (3, 4)])
@pytest.mark.parametrize("chunk", [1, 3])
def test_streaming_equals_offline(num_layers, kernel_size, chunk):
    adapter = Adapter(6, 8, num_layers, kernel_size)
    x = torch.randn(2, 20, 6)
    assert_streaming_equals_offline(
        adapter, adapter.step, adapter.init_state, x, chunk=chunk
    )


def test_later_frames_change_nothing_before():
    adapter, x = Adapter(6, 8, num_layers=2), torch.randn(1, 9, 6)
    changed = x.clone()
    changed[:, 5:] += 1
    differs = (adapter(x) - adapter(changed)).abs().amax(dim=2)[0]
    assert differs[:5].max() == 0
    assert differs[5:].min() > 0


def test_without_layers_it_is_a_linear_map():
    adapter, x = Adapter(6, 8), torch.randn(1, 3, 6)
    assert [name for name, _ in adapter.named_parameters()] == [
        "linear.weight",
        "linear.bias",
    ]
    torch.testing.assert_close(adapter(x), adapter.linear(x))


def test_impossible_shape_is_refused():
    with pytest.raises(ValueError, match="num_layers -1 and kernel_size 5"):
        Adapter(6, 8, num_layers=-1)
