import torch
from tiny_llms import LLMS
from transformers import AutoConfig, AutoModelForCausalLM

from espnet2_duplex.train.dropout import dropping_parts


def llm(family, **changes):
    conf = {**LLMS[family], "vocab_size": 20, **changes}
    config = AutoConfig.for_model(**conf)
    return AutoModelForCausalLM.from_config(config)


def test_modules_and_numbers_are_found_and_the_highest_counts():
    model = torch.nn.ModuleDict(
        {
            "one": torch.nn.Sequential(torch.nn.Dropout(0.1), torch.nn.Dropout1d(0.3)),
            "two": llm("qwen3", attention_dropout=0.2),
            "off": torch.nn.Dropout(0.0),
            "lstm": torch.nn.LSTM(2, 2, num_layers=2, dropout=0.4),
        }
    )
    assert dropping_parts(model) == {
        "one.0": 0.1,
        "one.1": 0.3,
        "two.model": 0.2,
        "lstm": 0.4,
    }


def test_gpt2_drops_unless_told_otherwise():
    assert dropping_parts(llm("gpt2")) == {
        "transformer.drop": 0.1,
        "transformer.h": 0.1,
    }
    off = {name: 0.0 for name in ("resid_pdrop", "embd_pdrop", "attn_pdrop")}
    assert dropping_parts(llm("gpt2", **off)) == {}


def test_a_switch_is_not_a_share():
    model = torch.nn.Linear(2, 2)
    model.use_dropout, model.layerdrop = True, 0.25
    assert dropping_parts(torch.nn.ModuleDict({"part": model})) == {"part": 0.25}


def test_the_tiny_model_drops_nothing(tiny_model):
    assert dropping_parts(tiny_model) == {}
