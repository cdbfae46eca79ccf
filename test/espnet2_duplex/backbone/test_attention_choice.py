import logging

import pytest
import torch
from conftest import TINY_LLM
from tiny_llms import LLMS, make_visible
from torch.utils._python_dispatch import TorchDispatchMode

from espnet2_duplex.backbone import Backbone
from espnet2_duplex.backbone.packed_attention import PACKED_SDPA

PACKED = {"llama": TINY_LLM, **LLMS}
PADDED = {
    "nemotron": {**TINY_LLM, "model_type": "nemotron"},  # layers hand nothing on
    "doge": {**TINY_LLM, "model_type": "doge"},  # a mask of its own
}
EVERY = {**PACKED, **PADDED}


def build(family, **options):
    return Backbone(EVERY[family], vocab_size=20, window_frames=6, **options)


@pytest.mark.parametrize("family", EVERY)
def test_packed_conversations_do_not_see_each_other(family):
    backbone = make_visible(build(family))
    embeds = torch.randn(17, 32)
    with torch.inference_mode():
        packed = backbone.packed(embeds, [9, 4, 4])
        alone = [backbone.packed(one, [len(one)]) for one in embeds.split([9, 4, 4])]
    torch.testing.assert_close(packed, torch.cat(alone), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", EVERY)
def test_families_that_cannot_keep_conversations_apart_are_padded(family, caplog):
    with caplog.at_level(logging.INFO):
        backbone = build(family)
    said = [text for text in caplog.messages if "no packed conversations" in text]
    assert len(said) == (family in PADDED)
    for mode in (False, True, False):
        attention = backbone.train(mode).llm.config._attn_implementation
        assert (attention == PACKED_SDPA) == (family in PACKED)


def test_a_mask_of_the_familys_own_counts_in_training_as_in_a_session():
    backbone = make_visible(build("doge"))
    embeds = torch.randn(1, 9, 32)
    outputs, state = [], backbone.init_state()
    with torch.inference_mode():
        for frame in embeds.split(1, dim=1):
            output, state = backbone.step(frame, state)
            outputs.append(output)
        torch.testing.assert_close(
            backbone(embeds), torch.cat(outputs, 1), atol=1e-4, rtol=1e-4
        )


def test_looking_at_a_family_draws_nothing_and_leaves_the_mode(monkeypatch):
    probed = build("llama")
    after = torch.rand(1)
    torch.manual_seed(0)
    module = "espnet2_duplex.backbone.causal_llm.choose_sdpa"
    monkeypatch.setattr(module, lambda llm: "sdpa")
    plain = build("llama")
    assert torch.rand(1) == after
    assert probed.llm.training == plain.llm.training
    assert all(weight.grad is None for weight in probed.parameters())


def test_a_model_without_weights_is_not_looked_at():
    with torch.device("meta"):
        backbone = build("llama")
    assert backbone.llm.config._attn_implementation == PACKED_SDPA


@pytest.mark.parametrize(
    "family, options, attention, message",
    [
        ("gemma3", {}, "flash_attention_2", "sliding_window 4 below window_frames"),
        ("gemma3", {"attn_logit_softcapping": 9.0}, "eager", "softcapping 9.0"),
        ("llama", {"attn_logit_softcapping": 9.0}, "flash_attention_2", "softcapping"),
    ],
)
def test_attention_that_sessions_do_not_compute_is_refused(
    family, options, attention, message
):
    conf = {**EVERY[family], **options}
    with pytest.raises(ValueError, match=f"{message}.*set backbone_conf.attn_impl"):
        Backbone(conf, 20, window_frames=6, attn_implementation=attention)


@pytest.mark.parametrize("window_frames, num_warnings", [(6, 1), (4, 0)])
def test_a_wider_window_than_the_familys_is_told(window_frames, num_warnings, caplog):
    Backbone(LLMS["gemma3"], 20, window_frames=window_frames).train().eval()
    told = [text for text in caplog.messages if "sliding_window 4" in text]
    assert len(told) == num_warnings


class Attentions(TorchDispatchMode):
    """Heads of keys in every scaled dot product attention."""

    def __init__(self):
        super().__init__()
        self.key_heads = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if "scaled_dot_product" in str(func):
            self.key_heads.append(args[1].shape[1])
        return func(*args, **(kwargs or {}))


def test_keys_are_repeated_where_a_window_masks():
    backbone = build("llama").eval()  # 2 heads of queries, 1 of keys
    with torch.no_grad(), Attentions() as seen:
        backbone.packed(torch.randn(9, 32), [9])
    assert seen.key_heads == [2, 2]  # two layers
