"""The duplex language model: channel fusion by sum, text head, K speech heads (Sec. 3).

Step t hears user frame t and the agent's channels of frame t, and predicts the
channels of frame t + 1. With the speech delayed by one frame that is text of frame
t + 1 and speech of frame t.
"""

from typing import Collection, NamedTuple

import torch

from espnet2_duplex.backbone import Backbone, BackboneState
from espnet2_duplex.heads import Head
from espnet2_duplex.packing import Packing
from espnet2_duplex.vocabulary import SpeechIds


class DuplexLogits(NamedTuple):
    """What one forward pass predicts."""

    text: torch.Tensor  # (B, T, V)
    speech: torch.Tensor  # (B, T, K, S)


class DuplexLM(torch.nn.Module):
    """Sum of user, text and speech embeddings -> causal LLM -> one head per channel.

    Args:
        backbone: The causal LLM.
        num_codebooks: K.
        speech_ids: Vocabulary of a speech channel.
    """

    def __init__(self, backbone: Backbone, num_codebooks: int, speech_ids: SpeechIds):
        super().__init__()
        self.backbone = backbone
        self.num_codebooks = num_codebooks
        self.speech_ids = speech_ids
        rows = num_codebooks * speech_ids.size
        self.speech_embedding = torch.nn.Embedding(rows, backbone.hidden_size)
        self.speech_head = torch.nn.Linear(backbone.hidden_size, rows, bias=False)
        # Sec. 3: the new rows start at zero, so that the LLM starts undisturbed.
        torch.nn.init.zeros_(self.speech_embedding.weight)
        torch.nn.init.zeros_(self.speech_head.weight)
        offsets = torch.arange(num_codebooks) * speech_ids.size
        self.register_buffer("channel_offsets", offsets, persistent=False)

    def fuse(
        self, user: torch.Tensor, text: torch.Tensor, speech: torch.Tensor
    ) -> torch.Tensor:
        """user (..., H), text (...), speech (..., K) -> (..., H).

        The one place that adds: the order of additions changes bfloat16 results.
        """
        speech_embeds = self.speech_embedding(speech + self.channel_offsets)
        return user + self.backbone.embed_text(text) + speech_embeds.sum(dim=-2)

    def logits(self, hidden: torch.Tensor) -> DuplexLogits:
        """(..., H) -> DuplexLogits (..., V) and (..., K, S)."""
        text, speech = self.heads
        return DuplexLogits(text.logits(hidden).squeeze(-2), speech.logits(hidden))

    @property
    def heads(self) -> tuple[Head, Head]:
        """Of the text channel and of the K speech channels."""
        speech = Head(self.speech_head, self.num_codebooks, self.speech_ids.size)
        return self.backbone.text_head, speech

    def hidden(
        self,
        user: torch.Tensor,
        text: torch.Tensor,
        speech: torch.Tensor,
        packing: Packing,
    ) -> torch.Tensor:
        """What the heads see of conversations of unequal length, packed: (N, H).

        Padding frames of user (B, T, H), text (B, T) and speech (B, T, K) are left out
        before anything is computed.
        """
        embeds = self.fuse(*(packing.pack(stream) for stream in (user, text, speech)))
        return self.backbone.packed(embeds, packing.lengths)

    def forward(
        self, user: torch.Tensor, text: torch.Tensor, speech: torch.Tensor
    ) -> DuplexLogits:
        """Whole conversations; user (B, T, H), text (B, T), speech (B, T, K)."""
        return self.logits(self.backbone(self.fuse(user, text, speech)))

    def init_state(self, batch_size: int = 1) -> BackboneState:
        return self.backbone.init_state(batch_size)

    def step(
        self,
        user: torch.Tensor,
        text: torch.Tensor,
        speech: torch.Tensor,
        state: BackboneState,
    ) -> tuple[DuplexLogits, BackboneState]:
        """The next frame; user (B, 1, H), text (B, 1), speech (B, 1, K)."""
        hidden, state = self.backbone.step(self.fuse(user, text, speech), state)
        return self.logits(hidden), state

    def training_flops(self, num_keys: torch.Tensor) -> torch.Tensor:
        """FLOPs of one frame, forward and backward.

        As PaLM counts them (arXiv 2204.02311, appendix B)::

            6 N + 4 F + 12 * layers * width * keys

        N are the trained and F the frozen weights of matrices (a frozen one passes the
        gradient on but needs none of its own), the heads among them, embedding tables
        not; width is that of the attention, heads times their size; keys is the number
        of frames a frame attends to. Recomputation counts as overhead, so nothing.

        Args:
            num_keys: () mean over the frames of the batch.
        """
        llm = self.backbone.llm
        head = llm.get_output_embeddings().weight
        tables = {llm.get_input_embeddings().weight, self.speech_embedding.weight}
        config = llm.config.get_text_config()
        heads = config.num_attention_heads
        width = heads * (
            getattr(config, "head_dim", None) or config.hidden_size // heads
        )
        attention = 12 * config.num_hidden_layers * width * num_keys
        return weight_flops(self, 4, without=tables - {head}) + attention


def weight_flops(
    module: torch.nn.Module,
    frozen_flops: int,
    without: Collection[torch.nn.Parameter] = (),
) -> int:
    """FLOPs per frame of the weights of `module`: 6 of a trained one.

    Args:
        module: Its layers run once per frame.
        frozen_flops: Of a frozen weight: 2 for the forward pass, and 2 more where the
            gradient passes through.
        without: Weights that are looked up, not multiplied.
    """
    return sum(
        # DeepSpeed leaves a parameter empty that another rank holds.
        getattr(weight, "ds_numel", weight.numel())
        * (6 if weight.requires_grad else frozen_flops)
        for weight in module.parameters()
        if weight not in without
    )


def attended_pairs(num_frames: torch.Tensor, window_frames: int) -> torch.Tensor:
    """Pairs of a frame and one it attends to, in sequences of `num_frames` (...)."""
    first = num_frames.clamp(max=window_frames)  # these attend to all before them
    return first * (first + 1) // 2 + (num_frames - first) * window_frames
