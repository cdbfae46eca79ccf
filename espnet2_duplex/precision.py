"""Which number format is fast on this machine."""

import torch


def fast_bfloat16() -> bool:
    """Whether bfloat16 is faster than float32 here: on GPUs and AVX-512 processors."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    return torch.backends.cpu.get_cpu_capability().startswith("AVX512")
