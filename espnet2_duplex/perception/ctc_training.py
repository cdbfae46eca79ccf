"""The training loop of an encoder: schedule, checkpoints, progress, error rates, export."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from espnet2_duplex.perception.ctc_checkpoint import (
    export_encoder,
    load_checkpoint,
    save_checkpoint,
)
from espnet2_duplex.perception.ctc_history import History, Meter
from espnet2_duplex.perception.ctc_model import CtcModel, total_errors, transcribe_all
from espnet2_duplex.perception.ctc_objective import CtcObjective
from espnet2_duplex.perception.speech_rows import RowBatch, SpeechRows
from espnet2_duplex.perception.utterances import Utterance

LOG_INTERVAL = 20  # steps


@dataclass(frozen=True)
class TrainSettings:
    """Schedule of the training.

    Attributes:
        num_steps: in all, each of one batch.
        num_warmup_steps: in which the learning rates rise; then they fall linearly.
        pretrained_lr: highest learning rate of the weights that training starts from.
        new_lr: of those that are random at first, the CTC head's among them.
        final_lr_factor: below which the rates do not fall, a share of the highest.
        weight_decay: of AdamW.
        clip_norm: of the gradient.
        checkpoint_interval: steps; then error rates are reported, too.
        bfloat16: whether to compute in it where autocast allows.
        seed: of weights and rows.

    Raises:
        ValueError: a number of steps is no whole number above 0.
    """

    num_steps: int = 1200
    num_warmup_steps: int = 30
    pretrained_lr: float = 5e-4
    new_lr: float = 2e-3
    final_lr_factor: float = 0.02
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    checkpoint_interval: int = 100
    bfloat16: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("num_steps", "num_warmup_steps", "checkpoint_interval"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} is {value!r}; write a whole number from 1 on")

    def lr_factor(self, step: int) -> float:
        """Linear warm-up, then linear decay."""
        warmup = min(1.0, (step + 1) / self.num_warmup_steps)
        left = 1.0 - step / self.num_steps
        return warmup * max(self.final_lr_factor, left)


class Trainer:
    """Trains what an objective says, and leaves its files in a folder.

    checkpoint.pth holds all that resuming needs, encoder.pth the encoder's weights in
    half precision, history.jsonl losses and error rates at each checkpoint.

    Args:
        objective: with the model, on the device to train on.
        settings: the schedule.
        output_dir: an existing folder.
        pretrained: names of the encoder's weights that are not random at first.
        num_workers: processes that make rows beside the training; 0: it does so itself.
    """

    def __init__(
        self,
        objective: CtcObjective,
        settings: TrainSettings,
        output_dir: Path,
        pretrained: Collection[str] = (),
        num_workers: int = 0,
    ):
        self.objective = objective
        self.model = objective.model
        self.settings = settings
        self.output_dir = output_dir
        self.num_workers = num_workers
        self.device = next(self.model.parameters()).device
        self.peak_lrs = (settings.pretrained_lr, settings.new_lr)
        self.optimizer = torch.optim.AdamW(
            parameter_groups(self.model, pretrained), weight_decay=settings.weight_decay
        )

    def run(self, rows: SpeechRows, valid: Sequence[Utterance] = ()) -> None:
        """Train up to `num_steps`; goes on from checkpoint.pth if there is one.

        Args:
            rows: to train on.
            valid: to report error rates on; those without a text are passed over.

        Raises:
            ValueError: a gradient is not finite, or the checkpoint is of another model.
        """
        path, num_steps = self.output_dir / "checkpoint.pth", self.settings.num_steps
        first = load_checkpoint(path, self.model, self.optimizer)
        if first == 0:
            self.objective.begin(rows)
        history = History(self.output_dir / "history.jsonl", first)
        lately, since_checkpoint = Meter(), Meter()
        for step, batch in enumerate(self._batches(rows, first), first):
            losses = self._step(batch.to(self.device), step)
            lately.add(batch, losses)
            since_checkpoint.add(batch, losses)
            done = step + 1
            is_checkpoint = done % self.settings.checkpoint_interval == 0
            is_checkpoint |= done == num_steps
            if not is_checkpoint and done % LOG_INTERVAL:
                continue
            logging.info("step %d/%d: %s", done, num_steps, lately)
            if is_checkpoint:
                save_checkpoint(path, self.model, self.optimizer, done)
                export_encoder(self.model.encoder, self.output_dir / "encoder.pth")
                errors = total_errors(transcribe_all(self.model, valid))
                history.add(done, since_checkpoint, errors)
                since_checkpoint = Meter()
            lately = Meter()

    def _batches(self, rows: SpeechRows, first: int) -> DataLoader:
        steps = range(first, self.settings.num_steps)
        return DataLoader(
            rows, batch_size=None, sampler=steps, num_workers=self.num_workers
        )

    def _step(self, batch: RowBatch, step: int) -> dict[str, float]:
        """One update; returns the losses without their weights."""
        settings = self.settings
        torch.manual_seed(settings.seed + step)  # random positions, dropout
        self.model.train()
        device_type = self.device.type
        with torch.autocast(device_type, torch.bfloat16, enabled=settings.bfloat16):
            losses = self.objective.losses(batch, step)
        self.optimizer.zero_grad()
        sum(weight * loss for weight, loss in losses.values()).backward()
        self._check_gradient(step)
        for group, peak_lr in zip(self.optimizer.param_groups, self.peak_lrs):
            group["lr"] = peak_lr * settings.lr_factor(step)
        self.optimizer.step()
        return {name: loss.item() for name, (_, loss) in losses.items()}

    def _check_gradient(self, step: int) -> None:
        """Clip it; one that is not finite would be zeroed and training stand still."""
        norm = torch.nn.utils.clip_grad_norm_(
            self.model.parameters(), self.settings.clip_norm
        )
        if not norm.isfinite():
            raise ValueError(
                f"step {step + 1}: the gradient is not finite; lower pretrained_lr and "
                "new_lr of train_conf, or set its bfloat16 to false, and run the same "
                "again, which goes on from the last checkpoint."
            )


def parameter_groups(model: CtcModel, pretrained: Collection[str]) -> list[dict]:
    """Parameters that are known at first, and those that are random.

    Args:
        model: to be trained.
        pretrained: names of weights in `model.encoder`.
    """
    named = dict(model.encoder.named_parameters())
    known = [weight for name, weight in named.items() if name in pretrained]
    new = [weight for name, weight in named.items() if name not in pretrained]
    return [{"params": known}, {"params": [*model.head.parameters(), *new]}]
