import pytest
import torch

from espnet2_duplex.codec.fsq import CodebookUsage, GroupFsq


@pytest.fixture
def quantizer():
    return GroupFsq()


def test_all_4032_codes_survive_the_way_to_values_and_back(quantizer):
    assert quantizer.codebook_size == 4032
    codes = torch.arange(4032)[:, None].expand(-1, 4)
    values = quantizer.codes_to_values(codes)
    assert values.shape == (4032, 16)
    assert torch.equal(quantizer.values_to_codes(values), codes)
    assert values.unique(dim=0).shape[0] == 4032


def test_digits_count_from_the_first_level(quantizer):
    # 1 + 9 * 2 + 72 * 3 + 576 * 4: digits 1, 2, 3, 4 of levels 9, 8, 8, 7.
    values = quantizer.codes_to_values(torch.tensor([[2539, 0, 0, 0]]))
    expected = torch.tensor([(1 - 4) / 4, (2 - 4) / 4, (3 - 4) / 4, (4 - 3) / 3])
    torch.testing.assert_close(values[0, :4], expected)


def test_every_level_is_reached(quantizer):
    sweep = torch.linspace(-9.0, 9.0, 2001)[:, None].expand(-1, 16)
    values, _ = quantizer(sweep)
    num_levels = [column.unique().numel() for column in values[:, :4].unbind(1)]
    assert num_levels == [9, 8, 8, 7]


def test_forward_gives_the_codes_of_its_values(quantizer):
    values, codes = quantizer(torch.randn(2, 50, 16))
    assert codes.shape == (2, 50, 4) and codes.dtype == torch.int64
    torch.testing.assert_close(quantizer.codes_to_values(codes), values)


def test_gradients_pass_straight_through_the_rounding(quantizer):
    x = torch.randn(3, 16, requires_grad=True)
    quantizer(x)[0].sum().backward()
    assert (x.grad > 0).all()


def test_levels_below_two_are_refused():
    with pytest.raises(ValueError, match="at least 2"):
        GroupFsq(levels=[9, 1])


def test_usage_counts_codes_and_bits():
    codes = torch.tensor([[0, 7], [1, 7], [2, 7], [3, 7]])
    usage = CodebookUsage.measure(codes, codebook_size=8)
    assert usage.num_used == (4, 1)
    assert usage.entropy_bits == pytest.approx((2.0, 0.0))
