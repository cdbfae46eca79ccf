"""The duplex language model: channel fusion by sum, text head, K speech heads (Sec. 3).

Step t hears user frame t and the agent's channels of frame t, and predicts the
channels of frame t + 1. With the speech delayed by one frame that is text of frame
t + 1 and speech of frame t.
"""

from typing import NamedTuple

import torch

from espnet2_duplex.backbone import Backbone, BackboneState
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
        """user (B, T, H), text (B, T), speech (B, T, K) -> (B, T, H).

        The one place that adds: the order of additions changes bfloat16 results.
        """
        speech_embeds = self.speech_embedding(speech + self.channel_offsets)
        return user + self.backbone.embed_text(text) + speech_embeds.sum(dim=-2)

    def logits(self, hidden: torch.Tensor) -> DuplexLogits:
        """(B, T, H) -> DuplexLogits."""
        speech = self.speech_head(hidden)
        speech = speech.unflatten(-1, (self.num_codebooks, self.speech_ids.size))
        return DuplexLogits(self.backbone.text_logits(hidden), speech)

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
