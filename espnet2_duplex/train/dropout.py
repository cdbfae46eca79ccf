"""Which parts of a model drop activations: the only draws that depend on the rank."""

import torch


def dropping_parts(model: torch.nn.Module) -> dict[str, float]:
    """The highest dropout of each part of `model` in which there is any.

    Counted are torch's modules and the numbers that transformers' modules keep under a
    name with "dropout" or "layerdrop".

    Returns:
        By the first two words of the module's name.
    """
    found: dict[str, float] = {}
    for name, module in model.named_modules():
        part = ".".join(name.split(".")[:2])
        for share in _shares(module):
            if share > 0:
                found[part] = max(share, found.get(part, 0.0))
    return found


def _shares(module: torch.nn.Module) -> list[float]:
    if isinstance(module, torch.nn.modules.dropout._DropoutNd):
        return [module.p]
    return [
        float(value)
        for name, value in vars(module).items()
        if isinstance(value, (int, float))
        and not isinstance(value, bool)  # a switch such as use_dropout
        and ("dropout" in name or "layerdrop" in name)
    ]
