"""From the decoder's output to logits of the text channel."""

import torch

# Families that multiply by `logits_scaling`; all others, as Granite, divide by it.
_MULTIPLYING = ("hyperclovax",)


def scaled_logits(logits: torch.Tensor, config) -> torch.Tensor:
    """What some families do behind their head: Cohere, Granite, Gemma 2 and 3."""
    multiplier = getattr(config, "logit_scale", None)
    if multiplier is not None:
        logits = logits * multiplier
    scaling = getattr(config, "logits_scaling", None)
    if scaling is not None:
        multiplies = getattr(config, "model_type", None) in _MULTIPLYING
        logits = logits * scaling if multiplies else logits / scaling
    cap = getattr(config, "final_logit_softcapping", None)
    if cap is not None:
        logits = torch.tanh(logits / cap) * cap
    return logits


def scales_logits(config) -> bool:
    """Whether `scaled_logits` changes anything."""
    return any(
        getattr(config, name, None) is not None
        for name in ("logit_scale", "logits_scaling", "final_logit_softcapping")
    )
