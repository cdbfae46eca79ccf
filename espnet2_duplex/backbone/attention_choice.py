"""Which attention an LLM can train by, so that training and sessions agree.

Sessions attend by sdpa, to the window, alike in all layers. Some families do not let
packed conversations through to their attention, or ask for more than sdpa computes.
"""

import logging

import torch

from espnet2_duplex.backbone.masks import additive_mask, window_mask
from espnet2_duplex.backbone.packed_attention import (
    PACKED_SDPA,
    Conversations,
    NotPackable,
    choose_attention,
)

_LENGTHS = (3, 2)  # frames of the conversations of the probe
_WINDOW_FRAMES = 2  # one of them is longer, one not
# Of the largest output: rounding is some 1e-6, what a conversation sees of another at
# the first weights some 1e-2.
_TOLERANCE = 1e-4


def choose_sdpa(llm: torch.nn.Module) -> str:
    """Let `llm` attend by the best sdpa that it can; returns that one's name.

    That is `PACKED_SDPA` where it gives what plain sdpa gives of each conversation
    alone, else plain sdpa, for padded rows.
    """
    if llm._supports_attention_backend:
        choose_attention(llm, PACKED_SDPA)
        if _keeps_conversations_apart(llm):
            return PACKED_SDPA
    choose_attention(llm, "sdpa")
    logging.info(f"{llm.config.model_type} takes no packed conversations: padded")
    return "sdpa"


def check_agreement(config, window_frames: int, attention: str) -> None:
    """See that training by `attention` computes what a session does.

    Logs a warning where an LLM was pretrained with narrower or softer attention than
    sdpa over `window_frames` frames.

    Raises:
        ValueError: If `attention` computes what sdpa leaves out.
    """
    narrow, soft = _sliding_window(config), _soft_cap(config)
    differences = []
    if narrow is not None and narrow < window_frames:
        differences.append(f"sliding_window {narrow} below window_frames")
    if soft is not None:
        differences.append(f"attn_logit_softcapping {soft}")
    obeyed = differences if attention.startswith("flash") else []
    if attention == "eager" and soft is not None:
        obeyed = differences[-1:]
    if obeyed:
        raise ValueError(
            f"{config.model_type} has {' and '.join(obeyed)}, which attn_implementation "
            f"{attention!r} obeys in training and sessions do not; set "
            "backbone_conf.attn_implementation to sdpa"
        )
    if differences:
        logging.warning(
            f"{config.model_type} has {' and '.join(differences)}: ignored, every layer "
            f"attends to {window_frames} frames by plain sdpa"
        )


def _sliding_window(config) -> int | None:
    kinds = getattr(config, "layer_types", None)
    if kinds is not None and "sliding_attention" not in kinds:
        return None
    return getattr(config, "sliding_window", None)


def _soft_cap(config) -> float | None:
    return getattr(config, "attn_logit_softcapping", None)


@torch.no_grad()
def _keeps_conversations_apart(llm: torch.nn.Module) -> bool:
    """Whether packed conversations give what each of them gives alone."""
    table = llm.get_input_embeddings()
    if table.weight.is_meta:
        return True  # nothing is computed
    generator = torch.Generator().manual_seed(0)
    shape = (sum(_LENGTHS), table.embedding_dim)
    embeds = torch.randn(shape, generator=generator).to(table.weight)
    was_training = llm.training
    llm.eval()
    try:
        alone = torch.cat([_decode_alone(llm, e) for e in embeds.split(_LENGTHS)])
        packed = _decode_packed(llm, embeds)
    except NotPackable:
        return False
    finally:
        llm.train(was_training)
    error = (packed - alone).abs().max()
    return bool(error <= _TOLERANCE * alone.abs().max())


def _decode_alone(llm: torch.nn.Module, embeds: torch.Tensor) -> torch.Tensor:
    """(n, H) -> (n, H); without conversations `PACKED_SDPA` is plain sdpa."""
    visible = window_mask(len(embeds), _WINDOW_FRAMES, embeds.device)
    return llm.get_decoder()(
        inputs_embeds=embeds[None],
        attention_mask=additive_mask(visible, embeds[None]),
        position_ids=torch.arange(len(embeds), device=embeds.device)[None],
        use_cache=False,
    ).last_hidden_state[0]


def _decode_packed(llm: torch.nn.Module, embeds: torch.Tensor) -> torch.Tensor:
    """(N, H) -> (N, H)."""
    positions = torch.cat([torch.arange(n) for n in _LENGTHS])
    return llm.get_decoder()(
        inputs_embeds=embeds[None],
        attention_mask=None,
        position_ids=positions.to(embeds.device)[None],
        use_cache=False,
        conversations=Conversations.of(_LENGTHS, _WINDOW_FRAMES, embeds.device),
    ).last_hidden_state[0]
