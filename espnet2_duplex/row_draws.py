"""Random draws of training that follow the conversation and not the process.

ESPnet gives every process the same seed at the start of an epoch. What a conversation
then draws from torch's generator depends on what was drawn before, and so on the number
of processes. Here it depends on that seed, the conversation's id and the purpose alone:
however a batch is dealt out, and after a resume, it is the same.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch

_conversations: ContextVar[Sequence[str] | None] = ContextVar("ids", default=None)
_INCREMENT = -0x61C8864680B583EB  # of splitmix64 (Steele et al., OOPSLA 2014), as int64
_FACTORS = (-0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15)


@contextmanager
def drawing_for(ids: Sequence[str] | None) -> Iterator[None]:
    """Let `uniform` and `integers` draw for these conversations; None: for nobody."""
    token = _conversations.set(ids)
    try:
        yield
    finally:
        _conversations.reset(token)


def follow_utterances(model: torch.nn.Module) -> None:
    """Let `model` in training draw for the conversations that `utt_id` names.

    ESPnet's trainers add `utt_id` to the keyword arguments of a batch.
    """
    model.register_forward_pre_hook(_begin, with_kwargs=True)
    model.register_forward_hook(_end, always_call=True)


def _begin(module, args, kwargs) -> None:
    ids = kwargs.get("utt_id")
    # torch's DataParallel gives all ids to each part of the batch.
    fits = ids is not None and len(ids) == len(kwargs.get("text_lengths", ()))
    _conversations.set(ids if module.training and fits else None)


def _end(module, args, output) -> None:
    _conversations.set(None)


def uniform(shape: Sequence[int], device: torch.device, purpose: str) -> torch.Tensor:
    """Float32 in [0, 1).

    Args:
        shape: (B, T, ...); a row's first values do not depend on T, which may hold
            padding. B is the number of conversations.
        purpose: Draws for different purposes are independent.
    """
    if _conversations.get() is None:
        return torch.rand(shape, device=device)
    return _shift(_bits(shape, device, purpose), 40) / 2.0**24


def integers(
    high: int, shape: Sequence[int], device: torch.device, purpose: str
) -> torch.Tensor:
    """Int64 in [0, high), high at most 2^31; otherwise as `uniform`."""
    if _conversations.get() is None:
        return torch.randint(high, tuple(shape), device=device)
    return _shift(_shift(_bits(shape, device, purpose), 32) * high, 32)


def _bits(shape: Sequence[int], device: torch.device, purpose: str) -> torch.Tensor:
    """64 random bits each: splitmix64 from a start that names row and purpose."""
    ids = _conversations.get()
    assert len(ids) == shape[0], (len(ids), shape)
    starts = [_start(f"{torch.initial_seed()} {purpose} {uid}") for uid in ids]
    per_row = torch.Size(shape[1:]).numel()
    counts = torch.arange(1, per_row + 1, device=device)
    bits = torch.tensor(starts, device=device)[:, None] + counts * _INCREMENT
    for shift, factor in zip((30, 27), _FACTORS):
        bits = (bits ^ _shift(bits, shift)) * factor
    return (bits ^ _shift(bits, 31)).reshape(shape)


def _start(name: str) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _shift(bits: torch.Tensor, count: int) -> torch.Tensor:
    """To the right, zeros coming in; torch's own >> repeats the sign."""
    return (bits >> count) & ((1 << (64 - count)) - 1)
