import pytest
import torch
from conftest import TINY_LLM, save_llm_tokenizer
from tiny_llms import write_gguf

from espnet2_duplex.backbone import Backbone
from espnet2_duplex.llm_source import (
    read_llm_conf,
    read_llm_tokenizer,
    read_llm_weights,
)

TOKENS = ["<begin>", "<end>", "a", "b", "ab", "c", "bc"]


def test_gguf_file_gives_configuration_tokenizer_and_weights(tmp_path):
    path = str(tmp_path / "tiny.gguf")
    tensors = write_gguf(tmp_path / "tiny.gguf", TOKENS)
    conf = read_llm_conf(path)
    assert (conf["model_type"], conf["num_hidden_layers"]) == ("llama", 2)
    assert "quantization_config" not in conf
    tokenizer = read_llm_tokenizer(path)
    assert tokenizer.eos_token == "<end>"
    assert tokenizer.encode("abc", add_special_tokens=False) == [4, 5]
    weights = read_llm_weights(path)
    down = weights["model.layers.1.mlp.down_proj.weight"]
    assert down.dtype == torch.float32
    assert torch.equal(down, torch.from_numpy(tensors["blk.1.ffn_down"]))


def test_backbone_starts_from_a_gguf_file(tmp_path):
    path = str(tmp_path / "tiny.gguf")
    tensors = write_gguf(tmp_path / "tiny.gguf", TOKENS)
    backbone = Backbone(read_llm_conf(path), vocab_size=len(TOKENS) + 2)
    backbone.load_llm(path)
    rows = backbone.llm.get_input_embeddings().weight
    assert torch.equal(rows[:7], torch.from_numpy(tensors["token_embd"]))
    assert rows.shape[0] == 9


def test_configuration_of_a_folder_builds_the_same_model(tmp_path):
    llm = Backbone(TINY_LLM, vocab_size=20).llm
    llm.save_pretrained(tmp_path)
    conf = read_llm_conf(str(tmp_path))
    assert not set(conf) & {"architectures", "dtype", "transformers_version"}
    again = Backbone(conf, vocab_size=20).llm
    assert {n: w.shape for n, w in again.state_dict().items()} == {
        n: w.shape for n, w in llm.state_dict().items()
    }


@pytest.mark.parametrize(
    "read",
    [read_llm_conf, read_llm_weights, read_llm_tokenizer],
    ids=lambda f: f.__name__,
)
def test_unknown_llm_is_explained(read, tmp_path):
    with pytest.raises(ValueError, match="the LLM 'no/such' is neither a folder"):
        read("no/such")
    with pytest.raises(ValueError, match="GGUF file .*none.gguf does not exist"):
        read(str(tmp_path / "none.gguf"))


def test_model_type_that_transformers_does_not_know_is_explained(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "llm_of_tomorrow"}')
    with pytest.raises(ValueError, match="cannot read the LLM .*llm_of_tomorrow"):
        read_llm_conf(str(tmp_path))


def test_folder_without_weights_is_explained(tmp_path):
    Backbone(TINY_LLM, vocab_size=20).llm.config.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="is neither a folder as transformers saves"):
        read_llm_weights(str(tmp_path))


def test_tokenizer_of_a_folder_is_left_alone(tmp_path):
    size = save_llm_tokenizer(tmp_path, bos_token="<s>", eos_token="</s>")
    tokenizer = read_llm_tokenizer(str(tmp_path))
    assert len(tokenizer) == size and tokenizer.eos_token == "</s>"
