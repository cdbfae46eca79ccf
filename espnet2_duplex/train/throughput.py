"""Frames per second and the share of the devices' arithmetic that training uses."""

import torch

# Dense bfloat16 (V100: float16) as in the makers' data sheets, TFLOP/s. The first whose
# words are all in the device's name counts.
PEAK_TFLOPS = {
    "B200": 2250.0,
    "H200": 989.0,
    "H100 PCIe": 756.0,
    "H100 NVL": 835.0,
    "H100": 989.0,
    "A100": 312.0,
    "A40": 149.7,
    "A10": 125.0,
    "L40S": 362.0,
    "L40": 181.0,
    "L4": 121.0,
    "V100": 125.0,
    "RTX 4090": 165.2,
    "RTX 3090": 71.0,
}


def peak_tflops_of(device: str) -> float | None:
    """TFLOP/s of the GPU with this name, or None where the table lacks it.

    >>> peak_tflops_of("NVIDIA A100-SXM4-80GB")
    312.0
    >>> peak_tflops_of("NVIDIA RTX A4000") is None
    True
    """
    words = set(device.replace("-", " ").split())
    found = (p for name, p in PEAK_TFLOPS.items() if words.issuperset(name.split()))
    return next(found, None)


def throughput(
    num_frames: float, seconds: float, gflop_per_frame: float, peak_tflops: float | None
) -> dict[str, float]:
    """Figures of one step; they average exactly if weighted by its seconds.

    Args:
        num_frames: Valid frames of the step, over all ranks.
        seconds: Wall time of the step.
        gflop_per_frame: What the model needs, without recomputation and padding.
        peak_tflops: Of one device; None: as the table has it.

    Returns:
        `frames_per_second` and `tflops` of all devices together, and `mfu` where the
        peak is known: model FLOPs utilisation,
        `tflops / (number of ranks * peak_tflops)`.
    """
    frames_per_second = num_frames / seconds
    tflops = gflop_per_frame * frames_per_second / 1000
    found = {"frames_per_second": frames_per_second, "tflops": tflops}
    if peak_tflops is None and torch.cuda.is_available():
        peak_tflops = peak_tflops_of(torch.cuda.get_device_name())
    if peak_tflops:
        found["mfu"] = tflops / (num_ranks() * peak_tflops)
    return found


def num_ranks() -> int:
    """Processes that train together."""
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return 1
    return torch.distributed.get_world_size()
