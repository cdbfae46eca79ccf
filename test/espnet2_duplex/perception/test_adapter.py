"""The adapter between encoder and LLM."""

import pytest
import torch
from streaming_contract import assert_streaming_equals_offline

from espnet2_duplex.perception.adapter import Adapter


def make_adapter(*args, **kwargs):
    """An adapter whose blocks do something: they start as the identity."""
    adapter = Adapter(*args, **kwargs)
    for block in adapter.blocks:
        block.contract.reset_parameters()
    return adapter


@pytest.mark.parametrize("num_layers, kernel_size", [(0, 5), (1, 1), (3, 4)])
@pytest.mark.parametrize("chunk", [1, 3])
def test_streaming_equals_offline(num_layers, kernel_size, chunk):
    adapter = make_adapter(6, 8, num_layers, kernel_size)
    x = torch.randn(2, 20, 6)
    assert_streaming_equals_offline(
        adapter, adapter.step, adapter.init_state, x, chunk=chunk
    )


def test_later_frames_change_nothing_before():
    adapter, x = make_adapter(6, 8, num_layers=2), torch.randn(1, 9, 6)
    changed = x.clone()
    changed[:, 5:] += 1
    differs = (adapter(x) - adapter(changed)).abs().amax(dim=2)[0]
    assert differs[:5].max() == 0
    assert differs[5:].min() > 0


def test_outputs_start_at_the_scale_of_token_embeddings():
    for num_layers in (0, 2):
        adapter = Adapter(64, 256, num_layers, output_scale=0.02)
        x = 30 * torch.randn(2, 50, 64) + 5
        assert adapter(x).std().item() == pytest.approx(0.02, rel=0.1)


def test_impossible_shape_is_refused():
    with pytest.raises(ValueError, match="num_layers -1 and kernel_size 5"):
        Adapter(6, 8, num_layers=-1)
