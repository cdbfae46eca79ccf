import pytest
import torch
from tiny_llms import LLMS, make_visible

from espnet2_duplex.backbone import Backbone
from espnet2_duplex.backbone.lora import LoraConf, add_lora, merge_lora


def make_backbone(family="qwen3"):
    torch.manual_seed(0)
    return make_visible(Backbone(LLMS[family], vocab_size=20, window_frames=16))


def randomise(llm):
    for name, weight in llm.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weight, std=0.1)


@pytest.mark.parametrize("family", LLMS)
def test_merged_adapters_give_the_same_model_under_the_old_names(family):
    backbone = make_backbone(family)
    names = list(backbone.state_dict())
    embeds = torch.randn(1, 8, 32)
    with torch.inference_mode():
        before = backbone(embeds)
        add_lora(backbone.llm, LoraConf(r=2, alpha=4.0))
        torch.testing.assert_close(backbone(embeds), before)  # adapters start at zero
        randomise(backbone.llm)
        adapted = backbone.eval()(embeds)
        assert (adapted - before).abs().max() > 0.01
        merge_lora(backbone.llm)
        torch.testing.assert_close(backbone(embeds), adapted, atol=1e-4, rtol=1e-4)
    assert list(backbone.state_dict()) == names


def test_only_adapters_and_token_tables_are_trained():
    backbone = make_backbone()
    add_lora(backbone.llm, LoraConf(r=2, target_modules=["q_proj", "v_proj"]))
    trained = {n for n, w in backbone.llm.named_parameters() if w.requires_grad}
    adapters = {n for n in trained if "lora_" in n}
    assert len(adapters) == 2 * 2 * 2  # A and B, two modules, two layers
    assert trained - adapters == {"model.embed_tokens.weight", "lm_head.weight"}
    hidden = backbone.train()(backbone.embed_text(torch.tensor([[1, 2, 3]])))
    backbone.text_logits(hidden).logsumexp(-1).sum().backward()
    for name, weight in backbone.llm.named_parameters():
        assert (weight.grad is not None) == (name in trained), name


def test_session_with_adapters_equals_the_whole_sequence():
    from streaming_contract import assert_streaming_equals_offline

    backbone = make_backbone("gpt2")
    add_lora(backbone.llm, LoraConf(r=2))
    randomise(backbone.llm)
    backbone.eval()
    embeds = torch.randn(2, 40, 32)
    assert_streaming_equals_offline(
        backbone, backbone.step, backbone.init_state, embeds
    )


def test_names_of_no_layer_are_explained():
    with pytest.raises(ValueError, match="'query'.*the LLM has .*q_proj"):
        add_lora(make_backbone().llm, LoraConf(target_modules=["query"]))


@pytest.mark.parametrize("target", ["lm_head", "embed_tokens"])
def test_an_adapter_on_a_matrix_of_two_tables_is_refused(target):
    tied = Backbone({**LLMS["qwen3"], "tie_word_embeddings": True}, 20)
    with pytest.raises(ValueError, match="one matrix; leave them out"):
        add_lora(tied.llm, LoraConf(r=2, target_modules=[target]))


@pytest.mark.parametrize("target", ["lm_head", "embed_tokens"])
def test_an_untied_table_can_have_an_adapter(target):
    backbone = make_backbone()
    ids = torch.tensor([[1, 2, 3]])

    def texts():
        embeds = backbone.embed_text(ids)
        return embeds, backbone.text_logits(backbone(embeds))

    with torch.no_grad():
        before = texts()
        add_lora(backbone.llm, LoraConf(r=2, target_modules=[target]))
        for name, weight in backbone.llm.named_parameters():
            if "lora_" in name:
                torch.nn.init.normal_(weight, std=0.1)
        assert backbone.hidden_size == 32
        adapted = backbone.eval() and texts()
        merge_lora(backbone.llm)
        merged = texts()
    assert before[0].equal(adapted[0]) == (target == "lm_head")
    assert (adapted[1] - before[1]).abs().max() > 0.01
    for one, other in zip(merged, adapted):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
