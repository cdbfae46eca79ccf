"""Low-rank adapters (LoRA, arXiv 2106.09685) in an LLM, by the package peft.

ESPnet's own `--use_adapter` is not used: its loralib knows no Conv1D (GPT-2), puts
adapters wherever a name ends alike, in the encoder too, and writes them into the frozen
weights at every evaluation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers.pytorch_utils import Conv1D  # GPT-2's linear layer


@dataclass(frozen=True)
class LoraConf:
    """Adapters of an LLM.

    Attributes:
        r: Rank of the adapters.
        alpha: Their outputs are scaled by `alpha / r`.
        dropout: On the adapters' inputs.
        target_modules: Which linear layers get one: names, a regular expression, or
            "all-linear" for all of the decoder.
    """

    r: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    target_modules: str | list[str] = "all-linear"


def add_lora(llm: torch.nn.Module, conf: LoraConf) -> None:
    """Put adapters into `llm` and freeze its other weights.

    The token embedding and the text head stay trainable: the text channel has tokens
    and statistics (mostly <PAD>) that no LLM has seen.

    Raises:
        ValueError: If peft is missing or finds no layer of that name, or if head and
            token embedding are one matrix and an adapter is wanted on either.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise ValueError(
            "lora_conf needs the package peft; install it (tools/requirements.txt)"
        ) from error
    peft_conf = LoraConfig(
        r=conf.r,
        lora_alpha=conf.alpha,
        lora_dropout=conf.dropout,
        target_modules=conf.target_modules,
        fan_in_fan_out=any(isinstance(part, Conv1D) for part in llm.modules()),
    )
    try:
        inject_adapter_in_model(peft_conf, llm)
    except ValueError as error:
        kinds = (torch.nn.Linear, Conv1D)
        layers = [name for name, m in llm.named_modules() if isinstance(m, kinds)]
        names = sorted({name.rpartition(".")[2] for name in layers})
        raise ValueError(
            f"lora_conf.target_modules {conf.target_modules!r} names no layer that can "
            f"have an adapter; the LLM has {', '.join(names)}"
        ) from error
    tables = llm.get_input_embeddings(), llm.get_output_embeddings()
    _check_tied(tables, conf)
    for table in tables:
        table.requires_grad_(True)


def _check_tied(tables: Sequence[torch.nn.Module], conf: LoraConf) -> None:
    """Refuse adapters on a matrix that another table reads without them."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    is_tied = tables[0].weight is tables[1].weight
    if is_tied and any(isinstance(table, BaseTunerLayer) for table in tables):
        raise ValueError(
            f"lora_conf.target_modules {conf.target_modules!r} puts an adapter on the "
            "text head or the token embedding, which this LLM has as one matrix; leave "
            "them out (they are trained whole) or set tie_word_embeddings: false in "
            "llm_conf"
        )


def merge_lora(llm: torch.nn.Module) -> None:
    """Add the adapters to the weights they adapt, and take them out of `llm`."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    adapted = [
        (name, module)
        for name, module in llm.named_modules()
        if isinstance(module, BaseTunerLayer)
    ]
    for name, module in adapted:
        module.merge()
        parent, _, child = name.rpartition(".")
        setattr(llm.get_submodule(parent), child, module.get_base_layer())
