import pytest
import torch

from espnet2_duplex.precision import fast_bfloat16


@pytest.mark.parametrize(
    "processor, is_fast",
    [
        ({"avx512_bf16": True, "amx_bf16": True}, True),
        ({"avx512_bf16": True, "amx_bf16": False}, False),
        ({"avx2": True}, False),
        ({}, False),  # no such list for this make of processor
    ],
)
def test_processors_need_matrix_instructions(monkeypatch, processor, is_fast):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # --ngpu 0
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: processor)
    assert fast_bfloat16("cpu") is is_fast


@pytest.mark.parametrize("is_native", [True, False])
def test_gpus_need_bfloat16_of_their_own(monkeypatch, is_native):
    def is_bf16_supported(including_emulation=True):
        return is_native or including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_bf16_supported)
    assert fast_bfloat16("cuda") is is_native


def test_other_devices_stay_with_float32():
    assert fast_bfloat16("mps") is False
