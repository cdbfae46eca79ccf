"""Pretrained weights of an LLM."""

import torch

from espnet2_duplex.llm_source import read_llm_weights


@torch.no_grad()
def copy_pretrained(llm: torch.nn.Module, source: str) -> None:
    """Copy pretrained weights into `llm`; rows of added tokens keep their value.

    Args:
        llm: A model of transformers.
        source: Hub name, folder or GGUF file; layers that `llm` lacks are left out.

    Raises:
        ValueError: If a weight is missing or its shape differs beyond the number of
            token rows.
    """
    weights = read_llm_weights(source)
    for name, own in llm.state_dict().items():
        given = weights.get(name)
        if given is None:
            raise ValueError(
                f"{source} has no {name}, which llm_conf asks for; leave llm_conf empty"
            )
        if given.shape[1:] != own.shape[1:] or given.shape[0] > own.shape[0]:
            raise ValueError(
                f"{source}: {name} has shape {tuple(given.shape)}, but "
                f"llm_conf makes it {tuple(own.shape)}; leave llm_conf empty"
            )
        own[: given.shape[0]] = given
