import torch
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.packing import Packing


def test_frames_lie_behind_one_another():
    packing = Packing.of(torch.tensor([2, 0, 3]), 3)
    assert packing.lengths == (2, 0, 3)
    padded = torch.arange(9).view(3, 3)
    assert packing.pack(padded).tolist() == [0, 1, 6, 7, 8]
    spread = packing.spread(packing.pack(padded), -1)
    assert spread.tolist() == [[0, 1, -1], [-1] * 3, [6, 7, 8]]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=4), st.integers(0, 3))
def test_spreading_undoes_packing(lengths, num_padding):
    packing = Packing.of(torch.tensor(lengths), max(lengths) + num_padding)
    packed = torch.randn(sum(lengths), 2)
    assert torch.equal(packing.pack(packing.spread(packed)), packed)


def test_gradients_of_padding_are_zero():
    packing = Packing.of(torch.tensor([2, 1]), 2)
    padded = torch.ones(2, 2, requires_grad=True)
    packing.pack(padded).sum().backward()
    assert padded.grad.tolist() == [[1, 1], [1, 0]]
