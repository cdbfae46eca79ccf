"""The model that ESPnet's trainer sees: a batch in; loss, stats and weight out."""

import contextlib

import torch
from espnet2.torch_utils.device_funcs import force_gatherable
from espnet2.train.abs_espnet_model import AbsESPnetModel

from espnet2_duplex import row_draws
from espnet2_duplex.duplex_lm import DuplexLM, attended_pairs, weight_flops
from espnet2_duplex.loss import (
    Labels,
    LossWeights,
    Ratio,
    UserTextCTC,
    channel_loss,
    channel_stats,
    frame_losses,
    learning_curves,
    per_frame,
    text_class_weights,
)
from espnet2_duplex.packing import Packing
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
        logits_chunk_frames: Frames whose logits exist at once; fewer save memory, more
            suit a GPU. The loss is the same to rounding.
        ctc_weight: Weight of the auxiliary CTC loss on the user's text, summed and
            divided by the number of frames as the channels are (0 in the paper: none).
            Batches then need `user_text`.
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
        logits_chunk_frames: int = 256,
        ctc_weight: float = 0.0,
        extract_feats_in_collect_stats: bool = False,
    ):
        super().__init__()
        self.encoder = encoder
        self.adapter = adapter
        self.duplex_lm = duplex_lm
        self.text_ids = text_ids
        self.loss_weights = LossWeights(**loss_weights)
        self.code_noise = code_noise
        self.bfloat16 = bfloat16
        self.logits_chunk_frames = logits_chunk_frames
        self.ctc_weight = ctc_weight
        if ctc_weight:
            num_tokens = duplex_lm.backbone.num_tokens
            self.user_ctc = UserTextCTC(encoder.output_size, num_tokens)
        self.extract_feats_in_collect_stats = extract_feats_in_collect_stats

    def forward(
        self,
        user_speech: torch.Tensor,
        user_speech_lengths: torch.Tensor,
        text: torch.Tensor,
        text_lengths: torch.Tensor,
        codes: torch.Tensor,
        codes_lengths: torch.Tensor,
        user_text: torch.Tensor | None = None,
        user_text_lengths: torch.Tensor | None = None,
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
            user_text: (B, U) int64 tokens of the user's turns; for the CTC loss.
            user_text_lengths: (B,) tokens.
            kwargs: What the trainer adds (`utt_id`).

        Raises:
            ValueError: If there is a `ctc_weight` but no `user_text`.
        """
        inputs = self.corrupt_codes(codes[:, :-1]) if self.training else codes[:, :-1]
        packing = Packing.of(text_lengths - 1, text.shape[1] - 1)
        labels = labels_of(text, text_lengths, codes)
        text_weights = text_class_weights(labels.text, self.text_ids, self.loss_weights)
        with self.autocast(user_speech.device.type):
            heard, _ = self.encoder(user_speech, user_speech_lengths)  # (B, T, D)
            user = self.adapter(heard)  # (B, T, H)
            assert user.shape[1] == text.shape[1], (user.shape, text.shape)
            hidden = self.duplex_lm.hidden(user[:, :-1], text[:, :-1], inputs, packing)
            frames = frame_losses(
                self.duplex_lm.heads,
                hidden,
                labels,
                text_weights,
                packing,
                self.logits_chunk_frames,
            )
            ratios = self.auxiliary(heard, text_lengths, user_text, user_text_lengths)
        sums = channel_loss(frames, labels)
        loss = sums.mean(self.loss_weights)
        if self.ctc_weight:
            loss = loss + self.ctc_weight * ratios["loss_ctc"].total / sums.num_frames
        ratios |= learning_curves(
            frames, labels, self.text_ids, self.duplex_lm.speech_ids
        )
        stats = channel_stats(sums, loss) | per_frame(ratios, sums.num_frames)
        stats["gflop_per_frame"] = self.training_flops(text_lengths - 1) / 1e9
        return force_gatherable((loss, stats, sums.num_frames), loss.device)

    def autocast(self, device_type: str):
        """bfloat16 if the model asks for it; else what the trainer has opened stays."""
        if not (self.bfloat16 and fast_bfloat16(device_type)):
            return contextlib.nullcontext()
        return torch.autocast(device_type, torch.bfloat16)

    def encode_user(
        self, speech: torch.Tensor, num_samples: torch.Tensor
    ) -> torch.Tensor:
        """(B, S) samples -> (B, T, H) embeddings, as `forward` makes them."""
        heard, _ = self.encoder(speech, num_samples)
        return self.adapter(heard)

    def auxiliary(
        self,
        heard: torch.Tensor,
        num_frames: torch.Tensor,
        user_text: torch.Tensor | None,
        user_text_lengths: torch.Tensor | None,
    ) -> dict[str, Ratio]:
        """`loss_ctc`, nats per token of the user; nothing without a `ctc_weight`."""
        if not self.ctc_weight:
            return {}
        if user_text is None:
            raise ValueError(
                f"ctc_weight is {self.ctc_weight} but the batch has no user_text; "
                "build the preprocessor with user_text=True"
            )
        loss = self.user_ctc(
            heard, num_frames, user_text, user_text_lengths, self.logits_chunk_frames
        )
        return {"loss_ctc": Ratio(loss, user_text_lengths.sum())}

    def training_flops(self, num_frames: torch.Tensor) -> torch.Tensor:
        """FLOPs per frame of a training step on conversations of `num_frames` (B,).

        The language model's (`DuplexLM.training_flops`) and those of the weights of
        encoder and adapter. Layers of an encoder that run more often than once per
        frame, and its attention, are not counted: a lower bound.
        """
        pairs = attended_pairs(num_frames, self.duplex_lm.backbone.window_frames)
        language = self.duplex_lm.training_flops(pairs.sum() / num_frames.sum())
        flops, has_gradient = language, False
        for module in (self.encoder, self.adapter):
            # Without a trained weight in or below it there is no backward pass.
            has_gradient |= any(p.requires_grad for p in module.parameters())
            flops = flops + weight_flops(module, 4 if has_gradient else 2)
        return flops

    def corrupt_codes(self, codes: torch.Tensor) -> torch.Tensor:
        """Replace all K codes of a share `code_noise` of the frames (B, T, K)."""
        if not self.code_noise:
            return codes
        device = codes.device
        draws = row_draws.uniform(codes.shape[:2], device, "frames with other codes")
        hit = draws < self.code_noise
        size = self.duplex_lm.speech_ids.codebook_size
        others = row_draws.integers(size, codes.shape, device, "other codes")
        # Specials stay: they carry the turn taking.
        hit = hit[..., None] & ~self.duplex_lm.speech_ids.is_special(codes)
        return torch.where(hit, others, codes)

    def collect_feats(self, **batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Nothing: the encoder normalises by itself."""
        return {}


def labels_of(
    text: torch.Tensor, num_frames: torch.Tensor, codes: torch.Tensor
) -> Labels:
    """Labels of step t are frame t + 1 of text (B, T) and codes (B, T, K)."""
    steps = torch.arange(1, text.shape[1], device=text.device)
    return Labels(text[:, 1:], codes[:, 1:], steps < num_frames[:, None])
