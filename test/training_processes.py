"""Trainings in processes of their own, with the loss of each step written down.

A fork server imports the package once and forks a process for each training.
"""

import json
import multiprocessing
import os
import socket
from pathlib import Path

import torch

_PORT = "MASTER_PORT"


def curve(path: Path) -> list[float]:
    """The losses that `train` wrote so far."""
    return [json.loads(line)["loss"] for line in path.read_text().splitlines()]


def train(args: list[str], path: Path) -> None:
    """Train as the command line says; the first rank adds a line to `path` per step."""
    from espnet2.train.reporter import SubReporter

    from espnet2_duplex.bin import duplex_s2s_train

    torch.set_num_threads(1)
    plain = SubReporter.register
    with path.open("a", buffering=1) as file:

        def register(self, stats, weight=None):
            if self.key == "train" and "loss" in stats and weight is not None:
                if os.environ.get("RANK", "0") == "0":
                    line = {"epoch": self.epoch, "loss": float(stats["loss"])}
                    file.write(json.dumps(line) + "\n")
            plain(self, stats, weight)

        SubReporter.register = register
        try:
            duplex_s2s_train.main(args)
        finally:
            SubReporter.register = plain


def start(target, *args, ranks: int = 1) -> list:
    """Start `target(*args)` in as many processes as there are ranks, as torchrun does."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["espnet2_duplex.tasks.duplex_s2s"])
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    processes = [
        context.Process(target=_as_rank, args=(rank, ranks, port, target, args))
        for rank in range(ranks)
    ]
    for process in processes:
        process.start()
    return processes


def finish(processes: list) -> None:
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(processes)


def _as_rank(rank, ranks, port, target, args) -> None:
    if ranks > 1:
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        os.environ |= {"WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1"}
        os.environ[_PORT] = str(port)
    target(*args)
