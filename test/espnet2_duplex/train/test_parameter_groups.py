import pytest
import torch

from espnet2_duplex.train.parameter_groups import (
    check_freeze_param,
    check_group_options,
    freeze_by_pattern,
    grouped_parameters,
    without_weight_decay,
)


@pytest.fixture
def model():
    parts = {name: torch.nn.Linear(2, 2) for name in ("encoder", "llm", "head")}
    return torch.nn.ModuleDict(parts)


def names_of(group, model):
    names = {weight: name for name, weight in model.named_parameters()}
    return [names[weight] for weight in group["params"]]


def test_each_part_gets_its_learning_rate(model):
    groups = [{"match": "^encoder", "lr": 1e-4}, {"match": "bias", "lr": 1e-5}]
    found = grouped_parameters(model, groups)
    optimizer = torch.optim.AdamW(found, lr=1e-3)
    assert [g["lr"] for g in optimizer.param_groups] == [1e-3, 1e-4, 1e-5]
    assert [names_of(g, model) for g in optimizer.param_groups] == [
        ["llm.weight", "head.weight"],
        ["encoder.weight", "encoder.bias"],  # the first group that matches
        ["llm.bias", "head.bias"],
    ]


def test_groups_may_take_all_weights(model):
    (group,) = grouped_parameters(model, [{"match": "", "lr": 1e-4}])
    assert len(group["params"]) == 6


def test_biases_lose_their_weight_decay_and_keep_their_rate(model):
    groups = grouped_parameters(model, [{"match": "encoder", "lr": 1e-4}])
    split = without_weight_decay(model, groups, {})
    optimizer = torch.optim.AdamW(split, lr=1e-3, weight_decay=0.1)
    assert [
        (names_of(g, model), g["lr"], g["weight_decay"])
        for g in optimizer.param_groups
        if any(name.startswith("encoder") for name in names_of(g, model))
    ] == [(["encoder.weight"], 1e-4, 0.1), (["encoder.bias"], 1e-4, 0.0)]


@pytest.mark.parametrize(
    "groups, message",
    [
        (
            [{"match": "decoder", "lr": 1}],
            "'decoder' matches no weight.*encoder.weight",
        ),
        ([{"match": "llm"}, {"match": "llm.bias"}], "'llm.bias' matches no weight"),
        ([{"lr": 1.0}], "each needs `match`"),
        (["llm"], "each needs `match`"),
    ],
)
def test_groups_that_mean_nothing_are_refused(model, groups, message):
    with pytest.raises(ValueError, match=message):
        grouped_parameters(model, groups)


def test_options_that_the_optimizer_lacks_are_refused(model):
    groups = [{"match": "llm", "learning_rate": 1e-4}]
    optimizer = torch.optim.SGD(grouped_parameters(model, groups), lr=1.0)
    with pytest.raises(ValueError, match="gives learning_rate for 'llm', which SGD"):
        check_group_options(groups, optimizer)


def test_patterns_freeze(model):
    freeze_by_pattern(model, [r"^llm\.", "encoder.*bias"])
    assert [n for n, w in model.named_parameters() if w.requires_grad] == [
        "encoder.weight",
        "head.weight",
        "head.bias",
    ]


def test_patterns_and_prefixes_that_freeze_nothing_are_refused(model):
    with pytest.raises(ValueError, match="freeze_pattern 'decoder' matches no weight"):
        freeze_by_pattern(model, ["decoder"])
    check_freeze_param(model, ["encoder", "llm.bias"])
    with pytest.raises(ValueError, match="freeze_param 'enc' matches no weight"):
        check_freeze_param(model, ["enc"])
