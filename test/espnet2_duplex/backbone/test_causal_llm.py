import pytest
import torch
from conftest import TINY_LLM
from streaming_contract import assert_streaming_equals_offline
from tiny_llms import LLMS, make_visible

from espnet2_duplex.backbone import Backbone
from espnet2_duplex.backbone.text_head import scaled_logits


@pytest.fixture
def backbone():
    return Backbone(TINY_LLM, vocab_size=20, window_frames=16).eval()


def test_step_equals_forward_beyond_the_window(backbone):
    embeds = torch.randn(2, 50, 32)
    assert_streaming_equals_offline(
        backbone, backbone.step, backbone.init_state, embeds
    )


@pytest.mark.parametrize("prompt", [[], [3, 4, 5, 6, 7]], ids=["bare", "prompted"])
@pytest.mark.parametrize("family", LLMS)
def test_step_equals_forward_for_every_family(family, prompt):
    backbone = Backbone(LLMS[family], vocab_size=20, window_frames=16)
    make_visible(backbone).set_prompt(prompt)
    embeds = torch.randn(2, 60, 32)  # beyond GPT-2's and OPT's 24 positions
    assert_streaming_equals_offline(
        backbone, backbone.step, backbone.init_state, embeds
    )


def test_prompt_changes_the_conversation_until_the_window_has_passed(backbone):
    embeds = torch.randn(1, 60, 32)
    with torch.inference_mode():
        bare = backbone(embeds)
        backbone.set_prompt([1, 2, 3])
        prompted = backbone(embeds)
    assert prompted.shape == bare.shape
    assert (prompted[:, 0] - bare[:, 0]).abs().max() > 1e-3
    # two layers of 16 frames reach back 2 * 15 frames
    torch.testing.assert_close(prompted[:, 30:], bare[:, 30:])


def test_prompt_is_the_text_that_comes_first(backbone):
    embeds = torch.randn(1, 4, 32)
    text = backbone.embed_text(torch.tensor([[1, 2, 3]]))
    with torch.inference_mode():
        expected = backbone(torch.cat([text, embeds], 1))[:, 3:]
        backbone.set_prompt([1, 2, 3])
        torch.testing.assert_close(backbone(embeds), expected)


def test_prompt_that_fills_the_window_is_refused(backbone):
    with pytest.raises(ValueError, match="16 tokens but the window 16 frames"):
        backbone.set_prompt(list(range(16)))


def test_frames_older_than_the_receptive_field_change_nothing(backbone):
    embeds = torch.randn(1, 60, 32)
    changed = embeds.clone()
    changed[:, :10] += 1.0
    # two layers of 16 frames reach back 2 * 15 frames
    with torch.inference_mode():
        before, after = backbone(embeds), backbone(changed)
    torch.testing.assert_close(before[:, 40:], after[:, 40:])
    assert (before[:, 10:25] - after[:, 10:25]).abs().max() > 1e-3


def test_later_frames_change_nothing(backbone):
    embeds = torch.randn(1, 30, 32)
    changed = embeds.clone()
    changed[:, 20:] += 1.0
    with torch.inference_mode():
        torch.testing.assert_close(backbone(embeds)[:, :20], backbone(changed)[:, :20])


def test_state_keeps_its_size(backbone):
    def num_elements(state):
        return sum(r.keys.numel() + r.values.numel() for r in state.cache.layers)

    state = backbone.init_state()
    sizes = []
    with torch.inference_mode():
        for frame in torch.randn(1, 60, 32).split(1, dim=1):
            _, state = backbone.step(frame, state)
            sizes.append(num_elements(state))
    assert len(set(sizes)) == 1


@pytest.mark.parametrize("conf_size, num_rows", [(None, 20), (8, 20), (33, 33)])
def test_embedding_has_a_row_for_every_token(conf_size, num_rows):
    conf = {key: value for key, value in TINY_LLM.items() if key != "vocab_size"}
    if conf_size is not None:
        conf["vocab_size"] = conf_size
    backbone = Backbone(conf, vocab_size=20)
    assert backbone.llm.get_input_embeddings().num_embeddings == num_rows
    assert backbone.text_logits(torch.zeros(1, 1, 32)).shape == (1, 1, 20)


def test_pad_token_is_trained():
    backbone = Backbone({**TINY_LLM, "pad_token_id": 3}, vocab_size=20)
    backbone.embed_text(torch.tensor([[3]])).sum().backward()
    assert backbone.llm.get_input_embeddings().weight.grad[3].abs().sum() > 0


def test_pretrained_weights_are_copied_and_added_rows_kept(tmp_path, backbone):
    backbone.llm.save_pretrained(tmp_path)
    grown = Backbone(TINY_LLM, vocab_size=25, window_frames=16)
    rows = grown.llm.get_input_embeddings().weight[20:].clone()
    grown.load_llm(str(tmp_path))
    weight = grown.llm.get_input_embeddings().weight
    torch.testing.assert_close(weight[:20], backbone.llm.get_input_embeddings().weight)
    torch.testing.assert_close(weight[20:], rows)


def test_weight_that_the_pretrained_llm_lacks_is_named(tmp_path, backbone):
    backbone.llm.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="has no model.layers.2"):
        Backbone({**TINY_LLM, "num_hidden_layers": 3}, 20).load_llm(str(tmp_path))
    with pytest.raises(ValueError, match="has shape .* but llm_conf makes it"):
        Backbone({**TINY_LLM, "intermediate_size": 40}, 20).load_llm(str(tmp_path))


def test_untied_head_has_rows_for_added_tokens_too(tmp_path):
    Backbone(LLMS["qwen3"], vocab_size=20).llm.save_pretrained(tmp_path)
    grown = Backbone(LLMS["qwen3"], vocab_size=25)
    grown.load_llm(str(tmp_path))
    embedding, head = (
        grown.llm.get_input_embeddings(),
        grown.llm.get_output_embeddings(),
    )
    assert embedding.weight.shape == head.weight.shape == (25, 32)
    assert not embedding.weight.equal(head.weight)


@pytest.mark.parametrize(
    "options, expected",
    [({}, 8.0), ({"logit_scale": 0.5}, 4.0), ({"logits_scaling": 4.0}, 2.0)],
)
def test_families_scale_their_logits(backbone, options, expected):
    for name, value in options.items():
        setattr(backbone.llm.config, name, value)
    assert scaled_logits(torch.tensor(8.0), backbone.llm.config) == expected


def test_gradient_checkpointing_changes_no_gradient():
    grads = []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        backbone = Backbone(TINY_LLM, 20, gradient_checkpointing=checkpointing).train()
        assert backbone.llm.is_gradient_checkpointing == checkpointing
        embeds = torch.linspace(-1, 1, 5 * 32).view(1, 5, 32)
        backbone(embeds).square().sum().backward()
        grads.append([w.grad for w in backbone.llm.model.layers.parameters()])
    for one, other in zip(*grads):
        torch.testing.assert_close(one, other)


def test_compiled_backbone_computes_the_same_under_the_same_names(backbone):
    compiled = Backbone(TINY_LLM, 20, window_frames=16, compile_backend="eager")
    compiled.load_state_dict(backbone.state_dict())  # strict
    compiled._decode_in_training = counted = CountingCalls(compiled._decode_in_training)
    for num_frames in (20, 31):
        embeds = torch.randn(2, num_frames, 32)
        expected = backbone.train()(embeds)
        torch.testing.assert_close(compiled.train()(embeds), expected)
        torch.testing.assert_close(compiled.eval()(embeds), backbone.eval()(embeds))
    assert counted.num_calls == 2  # sessions and validation are not compiled


class CountingCalls:
    def __init__(self, function):
        self.function, self.num_calls = function, 0

    def __call__(self, *args, **options):
        self.num_calls += 1
        return self.function(*args, **options)


def test_attention_is_chosen_for_training_only(backbone):
    eager = Backbone(TINY_LLM, 20, window_frames=16, attn_implementation="eager")
    eager.load_state_dict(backbone.state_dict())
    embeds = torch.randn(1, 20, 32)
    eager.train()
    assert eager.llm.config._attn_implementation == "eager"
    torch.testing.assert_close(eager(embeds), backbone.train()(embeds))
    eager.eval()
    assert eager.llm.config._attn_implementation != "eager"


def test_attention_that_is_not_installed_is_explained():
    backbone = Backbone(TINY_LLM, 20, attn_implementation="flash_attention_2").eval()
    with pytest.raises(ValueError, match="'flash_attention_2' cannot be used here"):
        backbone.train()
