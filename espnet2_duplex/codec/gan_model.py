"""A codec as ESPnet's GANTrainer trains it: losses, discriminator, averaging."""

import copy
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from espnet2.gan_codec.abs_gan_codec import AbsGANCodec
from espnet2.gan_tts.hifigan.loss import (
    DiscriminatorAdversarialLoss,
    FeatureMatchLoss,
    GeneratorAdversarialLoss,
)
from espnet2.torch_utils.device_funcs import force_gatherable
from torch import Tensor, nn

from espnet2_duplex.codec.abs_codec import AbsCodec, CodecOutput
from espnet2_duplex.codec.fsq import CodebookUsage
from espnet2_duplex.codec.spectral_loss import MultiResolutionSpectralLoss
from espnet2_duplex.precision import fast_bfloat16


class GanCodec(AbsGANCodec):
    """Generator (any AbsCodec), discriminator, and the average of the generator.

    Attributes:
        generator: The codec in training.
        discriminator: Maps speech (B, 1, S) to a list of lists: for each scale the
            feature maps and, last, the logits (ESPnet's form).
        ema_generator: Exponential moving average of the generator's weights; what
            is validated and exported.

    Args:
        mel_weight: Weight of the log-mel distance.
        magnitude_weight: Weight of the log-magnitude distance.
        aux_weights: Weights of the codec's own auxiliary losses by name; 1 for the
            others.
        adversarial_weight: Weight of the adversarial loss once it has begun.
        feature_match_weight: Weight of the feature matching loss, likewise.
        adversarial_start: The generator's update from which on, counted from 1, the
            discriminator takes part; -1 for never.
        adversarial_crops: Crops of each batch that the discriminator sees, from the
            first on; 0 for all. On a CPU it is the dearest part of an update.
        ema_decay: Decay of the average per update. It follows the weights before the
            update, so that it lacks the last one.
        bfloat16: Whether to compute in bfloat16 where that is faster. Weights, spectra,
            losses and the quantizer stay float32. ESPnet's `use_amp` would take float16
            here.
    """

    def __init__(
        self,
        generator: AbsCodec,
        discriminator: nn.Module,
        mel_weight: float = 15.0,
        magnitude_weight: float = 7.5,
        aux_weights: Mapping[str, float] = MappingProxyType({}),
        adversarial_weight: float = 1.0,
        feature_match_weight: float = 2.0,
        adversarial_start: int = -1,
        adversarial_crops: int = 0,
        ema_decay: float = 0.99,
        bfloat16: bool = False,
    ):
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.ema_generator = copy.deepcopy(generator).requires_grad_(False)
        self.mel_weight = mel_weight
        self.magnitude_weight = magnitude_weight
        self.aux_weights = dict(aux_weights)
        self.adversarial_weight = adversarial_weight
        self.feature_match_weight = feature_match_weight
        self.adversarial_start = adversarial_start
        self.adversarial_crops = adversarial_crops or None
        self.ema_decay = ema_decay
        self.bfloat16 = bfloat16
        self.spectral_loss = MultiResolutionSpectralLoss(generator.sample_rate)
        self.generator_loss = GeneratorAdversarialLoss()
        self.discriminator_loss = DiscriminatorAdversarialLoss()
        self.feature_match_loss = FeatureMatchLoss()
        self.register_buffer("num_updates", torch.zeros((), dtype=torch.int64))

    def meta_info(self) -> dict[str, Any]:
        """Describe the codec as ESPnet's codecs do."""
        codec = self.generator
        return {
            "fs": codec.sample_rate,
            "num_streams": codec.num_codebooks,
            "frame_shift": codec.samples_per_frame,
            "code_size_per_stream": [codec.codebook_size] * codec.num_codebooks,
        }

    def encode(self, x: Tensor) -> Tensor:
        """Turn speech (B, 1, S) into codes (K, B, T), the averaged weights' ones."""
        return self.ema_generator.encode(x.squeeze(1)).permute(2, 0, 1)

    def decode(self, codes: Tensor) -> Tensor:
        """Turn codes (K, B, T) into speech (B, 1, S)."""
        return self.ema_generator.decode(codes.permute(1, 2, 0))[:, None]

    def forward(self, audio: Tensor, forward_generator: bool = True) -> dict[str, Any]:
        """Compute one player's loss.

        Args:
            audio: Speech (B, S).
            forward_generator: The generator's turn, else the discriminator's.

        Returns:
            `loss`, `stats`, `weight` and `optim_idx` for GANTrainer.
        """
        missing = -audio.size(1) % self.generator.samples_per_frame
        audio = F.pad(audio, (0, missing))
        turn = self._generator_turn if forward_generator else self._discriminator_turn
        device_type = audio.device.type
        in_bfloat16 = self.bfloat16 and fast_bfloat16(device_type)
        with torch.autocast(device_type, torch.bfloat16, enabled=in_bfloat16):
            loss, stats = turn(audio)
        # Data-parallel averaging needs tensors of one dimension.
        loss, stats, weight = force_gatherable(
            (loss, stats, audio.size(0)), audio.device
        )
        return {
            "loss": loss,
            "stats": stats,
            "weight": weight,
            "optim_idx": 0 if forward_generator else 1,
        }

    def _generator_turn(self, audio: Tensor) -> tuple[Tensor, dict]:
        output = self._reconstruct(audio)
        if self.training:
            self._update_average()
        mel_loss, magnitude_loss = self.spectral_loss(output.speech, audio)
        loss = self.mel_weight * mel_loss + self.magnitude_weight * magnitude_loss
        loss = loss + self._weighted_aux_loss(output.aux_losses)
        stats = {
            "mel_loss": mel_loss.detach(),
            "magnitude_loss": magnitude_loss.detach(),
            **{f"aux_{name}": x.detach() for name, x in output.aux_losses.items()},
            **self._usage_stats(output.codes),
        }
        if self._adversarial:
            adversarial_loss, match_loss = self._adversarial_losses(
                output.speech, audio
            )
            loss = loss + self.adversarial_weight * adversarial_loss
            loss = loss + self.feature_match_weight * match_loss
            stats["adversarial_loss"] = adversarial_loss.detach()
            stats["feature_match_loss"] = match_loss.detach()
        stats["generator_loss"] = loss.detach()
        return loss, stats

    def _weighted_aux_loss(self, aux_losses: dict[str, Tensor]) -> Tensor | float:
        unknown = self.aux_weights.keys() - aux_losses.keys()
        if unknown:
            raise ValueError(
                f"aux_weights names {', '.join(sorted(unknown))}, but the codec has "
                f"{', '.join(aux_losses) or 'no auxiliary losses'}; correct model_conf."
            )
        return sum(self.aux_weights.get(n, 1.0) * x for n, x in aux_losses.items())

    def _discriminator_turn(self, audio: Tensor) -> tuple[Tensor, dict]:
        if not self._adversarial:
            # GANTrainer calls backward: a zero that depends on the parameters.
            loss = sum(p.sum() for p in self.discriminator.parameters()) * 0.0
            return loss, {"discriminator_loss": loss.detach()}
        audio = audio[: self.adversarial_crops]
        with torch.no_grad():
            speech = self._reconstruct(audio).speech
        fake = self.discriminator(speech[:, None])
        real = self.discriminator(audio[:, None])
        real_loss, fake_loss = self.discriminator_loss(fake, real)
        loss = real_loss + fake_loss
        return loss, {
            "discriminator_loss": loss.detach(),
            "discriminator_real_loss": real_loss.detach(),
            "discriminator_fake_loss": fake_loss.detach(),
        }

    def _adversarial_losses(
        self, speech: Tensor, audio: Tensor
    ) -> tuple[Tensor, Tensor]:
        seen = slice(self.adversarial_crops)
        fake = self.discriminator(speech[seen, None])
        with torch.no_grad():
            real = self.discriminator(audio[seen, None])
        return self.generator_loss(fake), self.feature_match_loss(fake, real)

    def _reconstruct(self, audio: Tensor) -> CodecOutput:
        generator = self.generator if self.training else self.ema_generator
        return generator(audio)

    @property
    def _adversarial(self) -> bool:
        start = self.adversarial_start
        return 0 <= start <= int(self.num_updates)

    @torch.no_grad()
    def _update_average(self) -> None:
        """Follow the generator, faster at first so that the start is forgotten."""
        num_updates = int(self.num_updates)
        decay = min(self.ema_decay, (1.0 + num_updates) / (10.0 + num_updates))
        average = list(self.ema_generator.parameters())
        torch._foreach_lerp_(average, list(self.generator.parameters()), 1.0 - decay)
        self.num_updates += 1

    @torch.no_grad()
    def _usage_stats(self, codes: Tensor) -> dict[str, float]:
        """Usage within a batch: bounded by its frames, log2 of them for a codebook."""
        usage = CodebookUsage.measure(codes, self.generator.codebook_size)
        num_codebooks = self.generator.num_codebooks
        return {
            "codes_used": sum(usage.num_used) / num_codebooks,
            "code_entropy_bits": sum(usage.entropy_bits),
        }
