import pytest
from conftest import TINY_LLM
from tiny_llms import LLMS

from espnet2_duplex.backbone import Backbone
from espnet2_duplex.backbone.llm_config import build_llm_config, keep_first_layers


def test_missing_model_type_is_explained():
    with pytest.raises(ValueError, match="llm_conf has no model_type"):
        build_llm_config({"hidden_size": 32}, 20)


@pytest.mark.parametrize(
    "conf, message",
    [
        ({"model_type": "llm_of_tomorrow"}, "'llm_of_tomorrow' is no causal LLM"),
        ({"model_type": "mamba"}, "layers of kind linear_attention"),
        ({"model_type": "recurrent_gemma"}, "layers of kind recurrent, whose memory"),
        ({"model_type": "qwen3_next"}, "layers of kind linear_attention"),
        ({"model_type": "gemma3"}, "gemma3 is more than a text decoder"),
        ({"model_type": "bart"}, "bart is more than a text decoder"),
        ({**TINY_LLM, "layer_types": ["full_attention"]}, "llm_conf is not valid"),
    ],
)
def test_llm_that_cannot_serve_is_refused(conf, message):
    with pytest.raises(ValueError, match=message):
        build_llm_config(conf, 20)


@pytest.mark.parametrize("family", LLMS)
def test_first_layers_are_kept(family):
    conf = keep_first_layers(LLMS[family], 1)
    llm = Backbone(conf, vocab_size=20, window_frames=16).llm
    assert llm.config.num_hidden_layers == 1
    assert LLMS[family] != conf
    assert keep_first_layers(conf, 1) == conf  # as the saved configuration is read


def test_one_layer_of_a_pretrained_llm_has_its_weights(tmp_path):
    whole = Backbone(TINY_LLM, vocab_size=20)
    whole.llm.save_pretrained(tmp_path)
    first = Backbone(keep_first_layers(TINY_LLM, 1), vocab_size=20)
    first.load_llm(str(tmp_path))
    weights = whole.llm.state_dict()
    assert len(first.llm.state_dict()) < len(weights)
    for name, weight in first.llm.state_dict().items():
        assert weight.equal(weights[name]), name


@pytest.mark.parametrize("num_layers", [0, 3])
def test_layers_that_do_not_exist_cannot_be_kept(num_layers):
    with pytest.raises(ValueError, match="but the LLM has 2 layers; give 1 to 2"):
        keep_first_layers(TINY_LLM, num_layers)
