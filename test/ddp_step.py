"""One data-parallel training step, in a module that spawned processes can import."""

import os

import torch
from espnet2.torch_utils.recursive_op import recursive_average


def rows(batch, indices):
    longest = int(batch["text_lengths"][indices].max())
    batch = {name: tensor[indices] for name, tensor in batch.items()}
    batch["user_speech"] = batch["user_speech"][:, : longest * 1280]
    batch["text"] = batch["text"][:, :longest]
    batch["codes"] = batch["codes"][:, :longest]
    return batch


def rank_gradients(rank, model, batch, port, path):
    """One rank of a data-parallel step, with the trainer's averaging."""
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.distributed.init_process_group("gloo", rank=rank, world_size=2)
    parallel = torch.nn.parallel.DistributedDataParallel(model)
    own = [[0], [1, 2]][rank]  # unequal numbers of conversations and frames
    loss, stats, weight = parallel(**rows(batch, own))
    loss = (loss * weight.type(loss.dtype)).sum()
    _, weight = recursive_average(stats, weight, distributed=True)
    (loss / weight * torch.distributed.get_world_size()).backward()
    if rank == 0:
        grads = {name: p.grad for name, p in model.named_parameters()}
        torch.save(grads, path)
    torch.distributed.destroy_process_group()
