"""Which weights are trained, and how fast: freezing and learning rates by name."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from espnet2.optimizers.optim_groups import add_optimizer_hooks


def freeze_by_pattern(model: torch.nn.Module, patterns: Sequence[str]) -> None:
    """Freeze the weights in whose name one of the regular expressions is found.

    Raises:
        ValueError: If one is found in no name.
    """
    for pattern in patterns:
        found = [w for name, w in model.named_parameters() if re.search(pattern, name)]
        if not found:
            raise ValueError(_matches_nothing("freeze_pattern", pattern, model))
        for weight in found:
            weight.requires_grad_(False)


def check_freeze_param(model: torch.nn.Module, prefixes: Sequence[str]) -> None:
    """Refuse a prefix of ESPnet's `freeze_param` that freezes nothing.

    Raises:
        ValueError: Naming it.
    """
    names = [name for name, _ in model.named_parameters()]
    for prefix in prefixes:
        if not any(n == prefix or n.startswith(prefix + ".") for n in names):
            raise ValueError(_matches_nothing("freeze_param", prefix, model))


def grouped_parameters(
    model: torch.nn.Module, groups: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Parameter groups of an optimizer, the weights of no group first.

    Args:
        model: Its weights.
        groups: `{match: regular expression, lr: ..., ...}`; a weight belongs to the
            first group whose expression is found in its name. All but `match` are
            options of the optimizer.

    Raises:
        ValueError: If a group has no `match`, or no weight is left for it.
    """
    for group in groups:
        if not isinstance(group, Mapping) or "match" not in group:
            raise ValueError(
                f"optim_groups has the entry {group!r}; each needs `match`, a regular "
                "expression for names of weights, and options such as `lr`"
            )
    members: list[list] = [[] for _ in groups]
    rest = []
    for name, weight in model.named_parameters():
        hits = [n for n, group in enumerate(groups) if re.search(group["match"], name)]
        (members[hits[0]] if hits else rest).append(weight)
    for group, weights in zip(groups, members):
        if not weights:
            raise ValueError(_matches_nothing("optim_groups", group["match"], model))
    options = [{k: v for k, v in g.items() if k != "match"} for g in groups]
    found = [{"params": w, **o} for w, o in zip([rest, *members], [{}, *options])]
    return [group for group in found if group["params"]]


def without_weight_decay(
    model: torch.nn.Module, groups: list[dict[str, Any]], conf: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Each of `groups` in two, as ESPnet's `exclude_weight_decay` would have it."""
    add_optimizer_hooks(model, **conf)
    found = []
    for group in groups:
        decayed = [w for w in group["params"] if not hasattr(w, "_optim")]
        others = [w for w in group["params"] if hasattr(w, "_optim")]
        found.append({**group, "params": decayed})
        found.append({**group, "params": others, "weight_decay": 0.0})
    return [group for group in found if group["params"]]


def check_group_options(
    groups: Sequence[Mapping[str, Any]], optimizer: torch.optim.Optimizer
) -> None:
    """Refuse options that the optimizer does not have; torch would ignore them.

    Raises:
        ValueError: Naming them.
    """
    for group in groups:
        unknown = sorted(set(group) - set(optimizer.defaults) - {"match"})
        if unknown:
            raise ValueError(
                f"optim_groups gives {', '.join(unknown)} for {group['match']!r}, which "
                f"{type(optimizer).__name__} does not have; it has "
                f"{', '.join(sorted(optimizer.defaults))}"
            )


def _matches_nothing(option: str, pattern: str, model: torch.nn.Module) -> str:
    parts = dict.fromkeys(
        ".".join(name.split(".")[:2]) for name, _ in model.named_parameters()
    )
    return (
        f"{option} {pattern!r} matches no weight (or none that earlier entries leave); "
        f"names begin with {', '.join(parts)}"
    )
