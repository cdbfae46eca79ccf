import copy

import pytest
import torch
from conftest import TINY_LLM
from tiny_llms import LLMS, make_visible
from transformers import AutoModelForCausalLM

from espnet2_duplex.backbone.lean_layers import GatedFeedForward, RmsNorm, make_lean
from espnet2_duplex.backbone.llm_config import build_llm_config
from espnet2_duplex.backbone.lora import LoraConf, add_lora

LEAN = {
    "llama": TINY_LLM,
    "mistral": {**TINY_LLM, "model_type": "mistral"},
    "smollm3": {**TINY_LLM, "model_type": "smollm3"},
    "qwen2": LLMS["qwen2"],
    "qwen3": LLMS["qwen3"],
}


def make_llm(conf):
    llm = AutoModelForCausalLM.from_config(build_llm_config(conf, 20))
    make_visible(llm)
    for name, weight in llm.named_parameters():
        if name.endswith("norm.weight"):
            torch.nn.init.normal_(weight, mean=1.0)
    return llm


def run(llm, embeds):
    hidden = llm.get_decoder()(inputs_embeds=embeds).last_hidden_state
    weights = [w for w in llm.get_decoder().parameters() if w.requires_grad]
    slope = torch.linspace(-1, 1, hidden.numel()).view(hidden.shape)
    gradients = torch.autograd.grad(
        (hidden * slope).sum(), [embeds, *weights], allow_unused=True
    )
    return [hidden, *(g for g in gradients if g is not None)]


def assert_same(found, expected, tolerance):
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        assert one.dtype == other.dtype
        atol = tolerance * other.abs().max().item()
        torch.testing.assert_close(one, other, atol=atol, rtol=0)


def kinds(llm):
    return {type(module).__name__ for module in llm.modules()}


@pytest.mark.parametrize("adapter", ["none", "LoRA"])
@pytest.mark.parametrize("family", LEAN)
def test_outputs_and_gradients_are_those_of_transformers(family, adapter):
    llm = make_llm(LEAN[family])
    if adapter == "LoRA":
        add_lora(llm, LoraConf(r=2))
        for name, weight in llm.named_parameters():
            if "lora_B" in name:  # zero at first
                torch.nn.init.normal_(weight, std=0.02)
    embeds = torch.randn(2, 9, 32, requires_grad=True)
    expected, names = run(llm, embeds), list(llm.state_dict())
    make_lean(llm)
    assert {"RmsNorm", "GatedFeedForward"} < kinds(llm)
    assert list(llm.state_dict()) == names
    assert_same(run(llm, embeds), expected, 2e-5)
    assert_same(run(copy.deepcopy(llm), embeds), expected, 2e-5)


def test_bfloat16_autocast_and_weights_round_alike():
    llm = make_llm(TINY_LLM)
    lean = copy.deepcopy(llm)
    make_lean(lean)
    embeds = torch.randn(2, 9, 32, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        assert_same(run(lean, embeds), run(llm, embeds), 0.03)
    embeds = embeds.detach().bfloat16().requires_grad_()
    assert_same(run(lean.bfloat16(), embeds), run(llm.bfloat16(), embeds), 0.05)


@pytest.mark.parametrize("family", ["gemma3", "gpt2", "opt"])
def test_layers_of_other_kinds_stay(family):
    llm = make_llm(LLMS[family])
    before = kinds(llm)
    make_lean(llm)
    assert kinds(llm) == before


def test_another_activation_stays():
    llm = make_llm({**TINY_LLM, "hidden_act": "gelu"})
    make_lean(llm)
    assert "LlamaMLP" in kinds(llm)


def kept_values(module, *inputs):
    """Numbers kept for the backward pass beside weights and inputs."""
    known = {t.untyped_storage().data_ptr() for t in (*module.parameters(), *inputs)}
    kept = {}

    def pack(tensor):
        if tensor.untyped_storage().data_ptr() not in known:
            kept[tensor.untyped_storage().data_ptr()] = tensor.numel()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = module(*inputs)
    assert output.requires_grad
    return sum(kept.values())


def test_a_norm_keeps_one_number_a_frame_and_a_feed_forward_its_two_branches():
    x = torch.randn(50, 8, requires_grad=True)
    assert kept_values(RmsNorm(torch.nn.Parameter(torch.ones(8)), 1e-6), x) == 50
    maps = [torch.nn.Linear(8, 20, bias=False) for _ in range(2)]
    layer = GatedFeedForward(*maps, torch.nn.Linear(20, 8, bias=False))
    assert kept_values(layer, x) == 2 * 50 * 20
