import pytest
import torch
from conftest import TINY_LLM
from streaming_contract import assert_streaming_equals_offline

from espnet2_duplex.backbone import Backbone


@pytest.fixture
def backbone():
    return Backbone(TINY_LLM, vocab_size=20, window_frames=16).eval()


def test_step_equals_forward_beyond_the_window(backbone):
    embeds = torch.randn(2, 50, 32)
    assert_streaming_equals_offline(
        backbone, backbone.step, backbone.init_state, embeds
    )


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


def test_llm_without_rotary_positions_is_refused():
    with pytest.raises(ValueError, match="gpt2 has no rotary positions"):
        Backbone({"model_type": "gpt2"}, vocab_size=20)


def test_missing_model_type_is_explained():
    with pytest.raises(ValueError, match="llm_conf has no model_type"):
        Backbone({"hidden_size": 32}, vocab_size=20)
