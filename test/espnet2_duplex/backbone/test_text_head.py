import pytest
import torch
from conftest import TINY_LLM
from tiny_llms import make_visible

from espnet2_duplex.backbone import Backbone

SCALED = {
    "llama": {},
    "granite": {"logits_scaling": 4.0},
    "cohere": {"logit_scale": 0.1},
    "gemma2": {"head_dim": 16, "final_logit_softcapping": 2.0},
    "hyperclovax": {"logits_scaling": 0.25},
}


@pytest.mark.parametrize("family", SCALED)
def test_text_logits_are_those_of_the_whole_llm(family):
    conf = {**TINY_LLM, "model_type": family, **SCALED[family]}
    backbone = make_visible(Backbone(conf, vocab_size=20, window_frames=16))
    ids = torch.randint(20, (2, 9))
    with torch.inference_mode():
        expected = backbone.llm(input_ids=ids, use_cache=False).logits
        found = backbone.text_logits(backbone(backbone.embed_text(ids)))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
