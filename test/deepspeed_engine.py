"""Stands for DeepSpeed where it is not installed: data parallelism on CPUs.

What ESPnet's DeepSpeedTrainer asks of an engine, with DeepSpeed's arithmetic: `backward`
takes a loss per rank and the gradient is the mean over ranks.
"""

import os
import sys
import types
from pathlib import Path

import torch
from training_processes import train


class Engine(torch.nn.Module):
    """DeepSpeedEngine in small; the configuration is DeepSpeed's."""

    def __init__(self, module, config):
        super().__init__()
        self.module = module
        options = config["optimizer"]["params"]
        self.optimizer = torch.optim.Adam(module.parameters(), lr=options["lr"])
        self.clip_norm = config["gradient_clipping"]

    def forward(self, **batch):
        return self.module(**batch)

    def backward(self, loss):
        assert loss.numel() == 1
        loss.backward()

    def step(self):
        for weight in self.module.parameters():
            torch.distributed.all_reduce(weight.grad)
            weight.grad /= torch.distributed.get_world_size()
        weights = self.module.parameters()
        self.norm = torch.nn.utils.clip_grad_norm_(weights, self.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()

    def get_global_grad_norm(self):
        return self.norm.item()

    def loss_scale(self):
        return 1.0

    def get_lr(self):
        return [group["lr"] for group in self.optimizer.param_groups]

    def save_checkpoint(self, folder, tag, client_state):
        file = Path(folder) / tag / "mp_rank_00_model_states.pt"
        if torch.distributed.get_rank() == 0:
            file.parent.mkdir(parents=True)
            torch.save({"module": self.module.state_dict(), **client_state}, file)


def initialize(model, model_parameters, config):
    return Engine(model, config), None, None, None


def train_with_engine(args: list[str], path: Path) -> None:
    """`training_processes.train` with ESPnet's DeepSpeedTrainer, whose GPU is the CPU."""
    fake = types.ModuleType("deepspeed")
    fake.DeepSpeedEngine, fake.initialize = Engine, initialize
    fake.init_distributed = lambda: None
    sys.modules["deepspeed"] = fake
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from espnet2.train import deepspeed_trainer

    torch.Tensor.cuda = lambda self: self
    plain = deepspeed_trainer.to_device
    deepspeed_trainer.to_device = lambda batch, _, dtype: plain(batch, "cpu", dtype)
    train(args, path)
