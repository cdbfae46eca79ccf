"""Auxiliary CTC on the user's words: a reason for the encoder to keep them."""

import torch
import torch.nn.functional as F

from espnet2_duplex.loss.chunks import in_chunks

BLANK = 0  # among the classes that are kept


class UserTextCTC(torch.nn.Module):
    """A linear head on the encoder's frames over the text tokens and a blank.

    Only training uses it; a session never computes it.

    Args:
        input_size: D of the encoder.
        num_tokens: V; the blank is class V.
    """

    def __init__(self, input_size: int, num_tokens: int):
        super().__init__()
        self.num_tokens = num_tokens
        self.linear = torch.nn.Linear(input_size, num_tokens + 1)

    def forward(
        self,
        heard: torch.Tensor,
        num_frames: torch.Tensor,
        user_text: torch.Tensor,
        user_text_lengths: torch.Tensor,
        chunk_frames: int = 256,
    ) -> torch.Tensor:
        """Sum of the CTC losses of a batch (Graves et al., 2006), in nats.

        A text that its frames cannot hold (fewer frames than tokens and repetitions)
        costs nothing.

        Args:
            heard: (B, T, D) of the encoder.
            num_frames: (B,) valid ones.
            user_text: (B, U) tokens of the user's turns in time order, padded.
            user_text_lengths: (B,); 0 where the user says nothing.
            chunk_frames: Frames whose logits exist at once.
        """
        kept, targets = self._compact(user_text, user_text_lengths)
        flat = heard.flatten(0, 1)
        scores = in_chunks(
            lambda chunk: (self._scores(chunk, kept),),
            (flat,),
            chunk_frames,
        )[0]
        log_probs = scores.unflatten(0, heard.shape[:2]).log_softmax(-1)
        return F.ctc_loss(
            log_probs.transpose(0, 1),
            targets,
            num_frames,
            user_text_lengths,
            blank=BLANK,
            reduction="sum",
            zero_infinity=True,
        )

    def _compact(
        self, user_text: torch.Tensor, lengths: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Classes that the batch needs, blank first, and its targets among them."""
        steps = torch.arange(user_text.shape[1], device=user_text.device)
        spoken = steps < lengths[:, None]
        classes, ranks = user_text[spoken].unique(return_inverse=True)
        targets = torch.zeros_like(user_text)
        targets[spoken] = ranks + 1
        return torch.cat([classes.new_tensor([self.num_tokens]), classes]), targets

    def _scores(self, heard: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        """Logits (N, len(kept) + 1) of the kept classes and of all others together.

        CTC needs the probabilities of the labels in the batch alone; the last column
        makes them sum to one without the logits of V classes for every frame.
        """
        logits = self.linear(heard).float()
        lowest = torch.finfo(logits.dtype).min  # not -inf: there may be no others
        others = logits.index_fill(1, kept, lowest).logsumexp(1, keepdim=True)
        return torch.cat([logits.index_select(1, kept), others], dim=1)
