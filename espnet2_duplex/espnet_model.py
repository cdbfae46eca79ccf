"""The model that ESPnet's trainer sees: a batch in; loss, stats and weight out."""

import torch
from espnet2.torch_utils.device_funcs import force_gatherable
from espnet2.train.abs_espnet_model import AbsESPnetModel

from espnet2_duplex.duplex_lm import DuplexLM
from espnet2_duplex.loss import ChannelLoss, LossWeights, duplex_loss
from espnet2_duplex.perception.abs_encoder import AbsStreamingEncoder
from espnet2_duplex.perception.adapter import Adapter
from espnet2_duplex.precision import fast_bfloat16
from espnet2_duplex.vocabulary import TextIds


class ESPnetDuplexS2SModel(AbsESPnetModel):
    """Perception and duplex language model, trained by next-frame prediction.

    Args:
        encoder: Streaming encoder of the user's speech.
        adapter: From the encoder's to the LLM's width.
        duplex_lm: The language model over the fused channels.
        text_ids: Special ids of the text channel.
        loss_weights: Weights of channels and text classes (`LossWeights`).
        code_noise: Share of the agent's input frames whose codes are replaced by random
            ones in training, so that the model does not lean on its own past speech
            (0 in the paper).
        bfloat16: Whether to compute in bfloat16 (weights and loss stay float32) where
            the processor can; ESPnet's `--use_amp` does that on CUDA only.
        extract_feats_in_collect_stats: ESPnet's switch; there are no features to
            collect, so that stage 7 need not build the LLM.
    """

    def __init__(
        self,
        encoder: AbsStreamingEncoder,
        adapter: Adapter,
        duplex_lm: DuplexLM,
        text_ids: TextIds,
        loss_weights: dict = {},
        code_noise: float = 0.0,
        bfloat16: bool = False,
        extract_feats_in_collect_stats: bool = False,
    ):
        super().__init__()
        self.encoder = encoder
        self.adapter = adapter
        self.duplex_lm = duplex_lm
        self.text_ids = text_ids
        self.loss_weights = LossWeights(**loss_weights)
        self.code_noise = code_noise
        self.bfloat16 = bfloat16 and fast_bfloat16()
        self.extract_feats_in_collect_stats = extract_feats_in_collect_stats

    def forward(
        self,
        user_speech: torch.Tensor,
        user_speech_lengths: torch.Tensor,
        text: torch.Tensor,
        text_lengths: torch.Tensor,
        codes: torch.Tensor,
        codes_lengths: torch.Tensor,
        **kwargs,
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor]:
        """Loss of one batch.

        The weight returned is the number of predicted frames, so that the trainer's
        average over ranks is the mean over all frames of all ranks.

        Args:
            user_speech: (B, S) float, padded to whole frames.
            user_speech_lengths: (B,) samples.
            text: (B, T) int64, delayed channel.
            text_lengths: (B,) frames.
            codes: (B, T, K) int64, delayed channels.
            codes_lengths: (B,) frames.
            kwargs: What the trainer adds (`utt_id`).
        """
        inputs = self.corrupt_codes(codes[:, :-1]) if self.training else codes[:, :-1]
        with torch.autocast(
            user_speech.device.type, torch.bfloat16, enabled=self.bfloat16
        ):
            user = self.encode_user(user_speech, user_speech_lengths)  # (B, T, H)
            assert user.shape[1] == text.shape[1], (user.shape, text.shape)
            logits = self.duplex_lm(user[:, :-1], text[:, :-1], inputs)
        steps = torch.arange(1, text.shape[1], device=text.device)
        valid = steps[None] < text_lengths[:, None]  # label of step t is frame t + 1
        sums = duplex_loss(
            logits, text[:, 1:], codes[:, 1:], valid, self.text_ids, self.loss_weights
        )
        loss = sums.mean(self.loss_weights)
        stats = channel_stats(sums, loss)
        return force_gatherable((loss, stats, sums.num_frames), loss.device)

    def encode_user(self, speech: torch.Tensor, num_samples: torch.Tensor):
        """(B, S) samples -> (B, T, H) embeddings."""
        embeds, _ = self.encoder(speech, num_samples)
        return self.adapter(embeds)

    def corrupt_codes(self, codes: torch.Tensor) -> torch.Tensor:
        """Replace all K codes of a share `code_noise` of the frames (B, T, K)."""
        if not self.code_noise:
            return codes
        hit = torch.rand(codes.shape[:2], device=codes.device) < self.code_noise
        size = self.duplex_lm.speech_ids.codebook_size
        # Specials stay: they carry the turn taking.
        hit = hit[..., None] & ~self.duplex_lm.speech_ids.is_special(codes)
        return torch.where(hit, torch.randint_like(codes, size), codes)

    def collect_feats(self, **batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Nothing: the encoder normalises by itself."""
        return {}


def channel_stats(sums: ChannelLoss, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    """Per-frame means for ESPnet's log: losses and accuracies by channel."""
    return {
        "loss": loss.detach(),
        "loss_text": sums.text.detach() / sums.num_frames,
        "loss_speech": sums.speech.detach().mean() / sums.num_frames,
        "acc_text": sums.text_correct / sums.num_frames,
        "acc_speech": sums.speech_correct.float().mean() / sums.num_frames,
    }
