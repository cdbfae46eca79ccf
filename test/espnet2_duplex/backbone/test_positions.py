import pytest
import torch
from conftest import TINY_LLM
from tiny_llms import LLMS, make_visible

from espnet2_duplex.backbone import Backbone
from espnet2_duplex.backbone.positions import Positions

CPU = torch.device("cpu")


def positions_of(family, window_frames=16):
    config = Backbone(LLMS[family], vocab_size=20, window_frames=16).llm.config
    return Positions(config, window_frames)


def test_rotary_positions_go_on_for_ever():
    positions = positions_of("qwen2")
    assert positions.of_frames(3, CPU, first=10**6).tolist() == [
        [1000000, 1000001, 1000002]
    ]
    assert positions.of_training([3, 2], CPU).tolist() == [[0, 1, 2, 0, 1]]


def test_learned_positions_begin_anew_behind_the_table():
    positions = positions_of("gpt2")  # a table of 24
    assert positions.of_frames(4, CPU, first=46).tolist() == [[22, 23, 0, 1]]


def test_training_begins_anywhere_in_the_table():
    numbers = positions_of("gpt2").of_training([5] * 200, CPU).view(200, 5)
    assert set(numbers[:, 0].tolist()) == set(range(24))
    assert ((numbers[:, 1:] - numbers[:, :-1]) % 24 == 1).all()


def test_packed_conversations_are_each_numbered_from_the_table_s_beginning():
    positions = positions_of("gpt2").of_conversations([26, 1, 2], CPU)
    assert positions.tolist() == [[*range(24), 0, 1, 0, 0, 1]]


def test_order_within_the_window_matters_to_learned_positions():
    backbone = make_visible(Backbone(LLMS["gpt2"], vocab_size=20, window_frames=16))
    embeds = torch.randn(1, 3, 32)
    swapped = embeds[:, [1, 0, 2]]
    with torch.inference_mode():
        change = backbone(embeds)[:, 2] - backbone(swapped)[:, 2]
    assert change.abs().max() > 0.01


def test_window_larger_than_the_table_is_refused():
    with pytest.raises(ValueError, match="24 learned positions .* at most 24"):
        Backbone(LLMS["opt"], vocab_size=20, window_frames=25)


def test_llm_with_other_positions_is_refused():
    bloom = {"model_type": "bloom", "hidden_size": 32, "n_layer": 1, "n_head": 2}
    with pytest.raises(ValueError, match="bloom has neither rotary positions nor"):
        Backbone(bloom, vocab_size=20)


def test_rotation_that_depends_on_the_length_is_refused():
    rope = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}
    with pytest.raises(ValueError, match="rope_type 'dynamic' rescales"):
        Backbone({**TINY_LLM, "rope_parameters": rope}, vocab_size=20)
