"""What both sides of the benchmark share: model sizes, the batch, the measurement.

Runs in NeMo's interpreter too, so it imports torch and the standard library only.
"""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

SAMPLES_PER_FRAME = 1280  # 80 ms at 16 kHz
NUM_CODEBOOKS, CODEBOOK_SIZE = 4, 4032
BOS, EOS, PAD = 1, 2, 0
USER_FEATURES = 16  # width of the stand-in for the speech encoder
WORD_SHARE = 0.25  # of the frames, as in speech at three tokens a second
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}

# transformers' Llama configurations; the last is SmolLM2-135M's.
LLMS = {
    "10M": dict(
        hidden_size=256,
        intermediate_size=768,
        num_hidden_layers=7,
        num_attention_heads=4,
        num_key_value_heads=4,
        vocab_size=16000,
    ),
    "60M": dict(
        hidden_size=512,
        intermediate_size=1536,
        num_hidden_layers=14,
        num_attention_heads=8,
        num_key_value_heads=4,
        vocab_size=32000,
    ),
    "135M": dict(
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        vocab_size=49152,
    ),
    # TinyLlama's, the paper's (Sec. 5.1), for GPUs
    "1.1B": dict(
        hidden_size=2048,
        intermediate_size=5632,
        num_hidden_layers=22,
        num_attention_heads=32,
        num_key_value_heads=4,
        vocab_size=32000,
        tie_word_embeddings=False,
    ),
}


@dataclass(frozen=True)
class Case:
    """One measurement.

    Attributes:
        llm: transformers' configuration of a Llama.
        batch_size: conversations.
        num_frames: of the longest conversation.
        padding_share: of the batch; lengths fall evenly from the longest.
        precision: float32; bf16-mixed, float32 weights under bfloat16 autocast; or
            bf16-true, bfloat16 weights (NeMo only, its configuration's).
        num_steps: measured, after one that is not.
        num_threads: of torch.
        device: cpu or cuda.
        clock: wall, or cpu: the processor's time, where others use the cores too.
        variant: `model_conf` and `backbone_conf` of ours, as in a configuration.
    """

    llm: dict
    batch_size: int
    num_frames: int
    padding_share: float
    precision: str
    num_steps: int
    num_threads: int
    device: str
    clock: str
    variant: dict = field(default_factory=dict)

    def lengths(self) -> torch.Tensor:
        """Frames of each conversation, (B,)."""
        shortest = self.num_frames * (1 - 2 * self.padding_share)
        return torch.linspace(self.num_frames, shortest, self.batch_size).long()

    def short(self) -> "Case":
        """A few frames: what libraries load at the first use is not the step's."""
        return replace(self, num_frames=8, padding_share=0.0)


@dataclass(frozen=True)
class Measurement:
    """What one side needs for a case.

    Attributes:
        step_seconds: median over the steps.
        built_mebibytes: in use once model, optimiser and batch are built.
        peak_mebibytes: highest during the steps, all included.
        num_parameters: all are trained.
        loss: of the last step.
    """

    step_seconds: float
    built_mebibytes: float
    peak_mebibytes: float
    num_parameters: int
    loss: float


def make_streams(case: Case) -> dict[str, torch.Tensor]:
    """One batch: speech (B, T * 1280), text (B, T), codes (B, T, K), lengths (B,)."""
    generator = torch.Generator().manual_seed(0)
    shape = (case.batch_size, case.num_frames)
    words = torch.randint(3, case.llm["vocab_size"], shape, generator=generator)
    is_word = torch.rand(shape, generator=generator) < WORD_SHARE
    codes = (*shape, NUM_CODEBOOKS)
    samples = (shape[0], shape[1] * SAMPLES_PER_FRAME)
    streams = {
        "speech": 0.1 * torch.randn(samples, generator=generator),
        "text": torch.where(is_word, words, PAD),
        "codes": torch.randint(CODEBOOK_SIZE, codes, generator=generator),
        "lengths": case.lengths(),
    }
    return {name: value.to(case.device) for name, value in streams.items()}


def measure(
    case: Case, model: torch.nn.Module, step: Callable[[], torch.Tensor]
) -> Measurement:
    """Run a training step, which returns its loss, once and then `num_steps` times."""
    gc.collect()
    built = start_peak(case.device)
    seconds = []
    for _ in range(1 + case.num_steps):
        start = CLOCKS[case.clock]()
        loss = float(step())  # waits for the GPU
        if case.device != "cpu":
            torch.cuda.synchronize()
        seconds.append(CLOCKS[case.clock]() - start)
    return Measurement(
        step_seconds=statistics.median(seconds[1:]),
        built_mebibytes=built,
        peak_mebibytes=read_peak(case.device),
        num_parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
        loss=loss,
    )


def start_peak(device: str) -> float:
    """Forget the highest memory so far; returns what is in use, MiB."""
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated() / 2**20
    Path("/proc/self/clear_refs").write_text("5")  # Linux: resets VmHWM
    return read_status("VmRSS")


def read_peak(device: str) -> float:
    """Highest memory since `start_peak`, MiB."""
    if device != "cpu":
        return torch.cuda.max_memory_allocated() / 2**20
    return read_status("VmHWM")


def read_status(name: str) -> float:
    """An entry of this process's status, MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 2**10
    raise ValueError(f"{name} is not in /proc/self/status; memory needs Linux.")
