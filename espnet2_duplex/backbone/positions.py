"""Positions of frames in conversations that have no end.

Rotary attention depends on distances only: frame t has position t. A table of learned
positions has an end, so there positions count modulo its size. Within the window all
positions differ, and a whole conversation and a session count alike. Where the count
begins anew, the past has the higher positions, which a pretrained LLM never saw: so in
training conversations begin anywhere in the table, and the model learns that too.
"""

from collections.abc import Sequence

import torch

from espnet2_duplex import row_draws

# Families whose learned positions are added to the input by `position_ids`.
LEARNED_POSITIONS = ("biogpt", "gpt2", "gpt_bigcode", "opt")
# These rescale themselves with the length of the sequence, which a session lacks.
_GROWING_ROTARY = ("dynamic", "longrope")


class Positions:
    """How the frames of an LLM are numbered.

    Args:
        config: The LLM's transformers configuration.
        window_frames: How far back attention reaches.

    Raises:
        ValueError: If the LLM has neither rotary nor learned positions, or if they do
            not suit sessions without end.
    """

    def __init__(self, config, window_frames: int):
        self.table_size = None  # of learned positions
        if config.model_type in LEARNED_POSITIONS:
            self.table_size = config.max_position_embeddings
            _check_table(config, window_frames)
        else:
            _check_rotary(config)

    def of_frames(
        self, num_frames: int, device: torch.device, first: int = 0
    ) -> torch.Tensor:
        """Positions (1, num_frames) of the frames from `first` on."""
        frames = torch.arange(first, first + num_frames, device=device)[None]
        return frames if self.table_size is None else frames % self.table_size

    def of_conversations(
        self, lengths: Sequence[int], device: torch.device
    ) -> torch.Tensor:
        """Positions (1, N) of conversations behind one another, each from 0 on."""
        frames = torch.cat([torch.arange(n, device=device) for n in lengths])[None]
        return frames if self.table_size is None else frames % self.table_size

    def of_training(self, lengths: Sequence[int], device: torch.device) -> torch.Tensor:
        """As `of_conversations`; in a table each from a random beginning on."""
        positions = self.of_conversations(lengths, device)
        if self.table_size is None:
            return positions
        first = row_draws.integers(
            self.table_size, (len(lengths),), device, "position in the LLM"
        )
        counts = torch.tensor(lengths, device=device)
        return (positions + first.repeat_interleave(counts)) % self.table_size


def _check_table(config, window_frames: int) -> None:
    size = config.max_position_embeddings
    if window_frames > size:
        raise ValueError(
            f"this {config.model_type} has {size} learned positions but the window has "
            f"{window_frames} frames, which must differ in position; set "
            f"backbone_conf.window_frames to at most {size}"
        )


def _check_rotary(config) -> None:
    rope = getattr(config, "rope_parameters", None)
    if rope is None:
        raise ValueError(
            f"{config.model_type} has neither rotary positions nor one of the tables "
            f"of learned positions known here ({', '.join(LEARNED_POSITIONS)}), on which "
            "sessions without end rely; choose an LLM such as Llama, Qwen, SmolLM or "
            "GPT-2"
        )
    # One dictionary, or one by kind of layer.
    kinds = rope.values() if "rope_type" not in rope else [rope]
    for kind in kinds:
        if isinstance(kind, dict) and kind.get("rope_type") in _GROWING_ROTARY:
            raise ValueError(
                f"rope_type {kind['rope_type']!r} rescales positions with the length "
                "of the sequence, which a session does not have; set rope_parameters "
                "in llm_conf to rope_type default"
            )
