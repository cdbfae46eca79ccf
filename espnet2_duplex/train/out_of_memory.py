"""A step that does not fit into memory ends training with what to do about it."""

import argparse
import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType

from espnet2.torch_utils.device_funcs import is_out_of_memory_error

# Of torch's allocator on CPUs and of cuBLAS, in a plain RuntimeError.
_OTHER_WORDS = ("can't allocate memory", "not enough memory", "ALLOC_FAILED")
_NO_STEP = (
    "outside of a step; model and optimizer do not fit: freeze a part (freeze_param), "
    "train adapters (lora_conf) or spread them over GPUs (use_deepspeed)"
)
_SMALL_CHUNK_FRAMES = 256  # below it, logits are not what fills a memory
# Methods of ESPnet's two trainers, and what sizes the batches in them.
_LOOPS = {
    "train_one_epoch": "batch",
    "validate_one_epoch": "valid_batch",
    "valid_one_epoch": "valid_batch",
}


@dataclass(frozen=True)
class StepBatch:
    """The batch of a step: what decides its memory, and the option for its size."""

    num_conversations: int
    longest_seconds: float
    padding_share: float
    size_option: str  # batch or valid_batch

    def __str__(self) -> str:
        rows = f"{self.num_conversations} conversation"
        rows += "s" if self.num_conversations > 1 else ""
        return (
            f"in a batch of {rows}, the longest of {self.longest_seconds:.1f} s, "
            f"{self.padding_share:.0%} padding"
        )


@contextlib.contextmanager
def out_of_memory_explained(
    args: argparse.Namespace, frame_rate: Fraction, checkpointable: Collection[str]
) -> Iterator[None]:
    """Turn a failed allocation inside into a sentence for the user.

    Args:
        args: Of the training.
        frame_rate: Frames of the batch's channels per second.
        checkpointable: The options among whose values is `gradient_checkpointing`,
            such as backbone_conf.

    Raises:
        ValueError: Naming the batch, and the options that would make it fit.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        batch = batch_of(error.__traceback__, frame_rate)
        if batch is None:
            advice = _NO_STEP
        else:
            unused = [c for c in checkpointable if not _checkpoints(args, c)]
            advice = f"{batch}; {remedies(batch, args, unused)}"
        raise ValueError(f"out of memory ({_reason(error)}) {advice}") from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed, on whatever device."""
    if isinstance(error, MemoryError) or is_out_of_memory_error(error):
        return True
    return any(words in str(error) for words in _OTHER_WORDS)


def batch_of(traceback: TracebackType | None, frame_rate: Fraction) -> StepBatch | None:
    """The batch that a trainer was at; None if it was at none.

    Read off the traceback: nobody but the trainer's own loop knows the batch in whose
    backward pass or update memory ran out.
    """
    while traceback is not None:
        frame = traceback.tb_frame
        option, batch = _LOOPS.get(frame.f_code.co_name), frame.f_locals.get("batch")
        if option and isinstance(batch, dict) and "text_lengths" in batch:
            num_frames = batch["text_lengths"]
            share = num_frames.sum().item() / batch["text"].numel()
            seconds = float(num_frames.max().item() / frame_rate)
            return StepBatch(len(num_frames), seconds, 1 - share, option)
        traceback = traceback.tb_next
    return None


def remedies(batch: StepBatch, args: argparse.Namespace, unused: Sequence[str]) -> str:
    """What to do, the cheapest first.

    Args:
        batch: What did not fit.
        args: Of the training.
        unused: Options whose gradient_checkpointing is off.
    """
    found = []
    if batch.size_option == "batch":  # validation keeps no activations
        found = [f"set {option}.gradient_checkpointing to true" for option in unused]
    if (args.model_conf.get("logits_chunk_frames") or 0) > _SMALL_CHUNK_FRAMES:
        found.append(f"set model_conf.logits_chunk_frames to {_SMALL_CHUNK_FRAMES}")
    found.append(_smaller_batches(batch, args))
    return ", or ".join(found)


def _smaller_batches(batch: StepBatch, args: argparse.Namespace) -> str:
    if batch.num_conversations == 1:
        return "leave out conversations this long"
    unit = "bins" if args.batch_type in ("numel", "length") else "size"
    option = f"{batch.size_option}_{unit}"
    lower = f"lower {option} (now {getattr(args, option)})"
    if batch.size_option == "valid_batch":
        return lower
    if args.use_deepspeed:
        steps = f"gradient_accumulation_steps of {args.deepspeed_config}"
        return f"{lower} and raise {steps} by as much"
    return f"{lower} and raise accum_grad (now {args.accum_grad}) by as much"


def _checkpoints(args: argparse.Namespace, option: str) -> bool:
    return bool(getattr(args, option).get("gradient_checkpointing"))


def _reason(error: BaseException) -> str:
    """The allocator's first sentence."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].split("DefaultCPUAllocator: ")[-1].split(". ")[0]
