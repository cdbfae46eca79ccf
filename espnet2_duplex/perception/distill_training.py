"""The training loop of the distillation: schedule, checkpoints, progress, export."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from espnet2_duplex.atomic import replacing
from espnet2_duplex.perception.distillation import Distillation
from espnet2_duplex.perception.speech_rows import SAMPLE_RATE, SpeechRows
from espnet2_duplex.perception.whisper_causal import WhisperCausalEncoder
from espnet2_duplex.perception.whisper_teacher import WhisperTeacher

LOG_INTERVAL = 20  # steps


@dataclass(frozen=True)
class DistillSettings:
    """Schedule of the distillation."""

    num_steps: int = 1200
    num_distill_steps: int = 150  # before CTC moves the encoder
    num_warmup_steps: int = 30
    encoder_lr: float = 5e-4
    head_lr: float = 2e-3
    final_lr_factor: float = 0.02
    distill_weight: float = 0.3  # beside CTC
    clip_norm: float = 1.0
    checkpoint_interval: int = 100  # steps
    bfloat16: bool = False  # twice as fast where the CPU computes in it
    seed: int = 0

    def is_joint(self, step: int) -> bool:
        """Whether CTC moves the encoder by now."""
        return step >= self.num_distill_steps

    def lr_factor(self, step: int) -> float:
        """Linear warm-up, then linear decay."""
        warmup = min(1.0, (step + 1) / self.num_warmup_steps)
        left = 1.0 - step / self.num_steps
        return warmup * max(self.final_lr_factor, left)


def train(
    model: Distillation,
    teacher: WhisperTeacher,
    rows: SpeechRows,
    settings: DistillSettings,
    output_dir: Path,
) -> None:
    """Train up to ``num_steps``; goes on from ``output_dir/checkpoint.pth`` if any.

    Leaves ``checkpoint.pth`` (everything) and ``encoder.pth`` (half precision).

    Raises:
        RuntimeError: when a gradient is not finite.
    """
    optimizer = torch.optim.AdamW(_parameter_groups(model, settings), weight_decay=0.01)
    checkpoint = output_dir / "checkpoint.pth"
    first = _resume(model, optimizer, checkpoint)
    if first == 0:
        model.measure_teacher(teacher, rows)
    meter = _Meter()
    for step in range(first, settings.num_steps):
        speech, texts = rows.batch(step)
        torch.manual_seed(settings.seed + step)  # the encoder's random positions
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.bfloat16):
            losses = _losses(model, teacher, speech, texts, settings.is_joint(step))
        _update(model, optimizer, losses, settings, step)
        meter.add(speech, *(loss.item() for loss in losses))
        done = step + 1
        if done % LOG_INTERVAL == 0 or done == settings.num_steps:
            meter.report(done, settings.num_steps)
        if done % settings.checkpoint_interval == 0 or done == settings.num_steps:
            save_atomically(_everything(model, optimizer, done), checkpoint)
            export_encoder(model.encoder, output_dir / "encoder.pth")


def export_encoder(encoder: WhisperCausalEncoder, path: Path) -> None:
    """Write the encoder's weights in half precision, for ESPnet's ``--init_param``."""
    weights = {name: w.detach().half() for name, w in encoder.state_dict().items()}
    save_atomically(weights, path)


def save_atomically(state: dict, path: Path) -> None:
    """torch.save through a temporary file, so that no half-written file is left."""
    with replacing(path) as temporary:
        torch.save(state, temporary)


def _parameter_groups(model: Distillation, settings: DistillSettings) -> list[dict]:
    fresh = [*model.head.parameters(), *model.encoder.proj.parameters()]
    known = {id(p) for p in fresh}
    pretrained = [p for p in model.parameters() if id(p) not in known]
    return [
        {"params": pretrained, "peak_lr": settings.encoder_lr},
        {"params": fresh, "peak_lr": settings.head_lr},
    ]


def _losses(model, teacher, speech, texts, is_joint: bool):
    with torch.no_grad():
        wanted = teacher(speech)
    model.train()
    return model.losses(speech, texts, wanted, ctc_moves_encoder=is_joint)


def _update(model, optimizer, losses, settings: DistillSettings, step: int) -> None:
    distill, ctc = losses
    distill_weight = settings.distill_weight if settings.is_joint(step) else 1.0
    for group in optimizer.param_groups:
        group["lr"] = group["peak_lr"] * settings.lr_factor(step)
    optimizer.zero_grad()
    (distill_weight * distill + ctc).backward()
    torch.nn.utils.clip_grad_norm_(
        model.parameters(), settings.clip_norm, error_if_nonfinite=True
    )
    optimizer.step()


def _everything(model, optimizer, num_done: int) -> dict:
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "num_done": num_done,
    }


def _resume(model, optimizer, checkpoint: Path) -> int:
    """Load the checkpoint, if there is one; returns the number of steps done."""
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    logging.info("resumed after step %d from %s", state["num_done"], checkpoint)
    return state["num_done"]


class _Meter:
    """Mean losses and speed since the last report."""

    def __init__(self):
        self._reset()

    def _reset(self) -> None:
        self.began, self.num_samples, self.losses = time.monotonic(), 0, []

    def add(self, speech: torch.Tensor, distill: float, ctc: float) -> None:
        self.num_samples += speech.numel()
        self.losses.append((distill, ctc))

    def report(self, done: int, num_steps: int) -> None:
        distill, ctc = (sum(x) / len(x) for x in zip(*self.losses))
        speed = self.num_samples / SAMPLE_RATE / (time.monotonic() - self.began)
        message = "step %d/%d: distillation %.4f, CTC %.4f, %.1f s of speech a second"
        logging.info(message, done, num_steps, distill, ctc, speed)
        self._reset()
