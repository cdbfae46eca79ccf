"""The codec that the recipe comes with."""

from pathlib import Path

import pytest
import torch
from streaming_contract import assert_streaming_equals_offline

from espnet2_duplex.bin.codec_export import MAX_SILENCE_DBFS
from espnet2_duplex.codec.loading import load_codec

FOLDER = Path(__file__).parents[2] / "egs2" / "duplex_s2s" / "pretrained/codec_istft"


@pytest.fixture(scope="module")
def codec():
    return load_codec(FOLDER / "codec.yaml", FOLDER / "codec.pth")


def test_it_is_small():
    assert (FOLDER / "codec.pth").stat().st_size <= 12_000_000


def test_its_silence_cannot_be_heard(codec):
    assert torch.equal(codec.silence_codes, codec.measure_silence_codes())
    assert codec.silence_level_dbfs() < MAX_SILENCE_DBFS


def test_steps_equal_decode_over_a_minute(codec):
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(4032, (1, 750, 4), generator=generator)
    assert_streaming_equals_offline(codec.decode, codec.step, codec.init_state, codes)
