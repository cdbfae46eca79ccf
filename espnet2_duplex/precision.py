"""Which number format is fast on a device of this machine."""

import torch


def fast_bfloat16(device_type: str) -> bool:
    """Whether training in bfloat16 is faster than in float32 there.

    It is on GPUs that compute in it and on processors with AMX. With AVX-512's bfloat16
    instructions alone the conversions cost more than they save: steps of the recipe's
    models took 1.2 to 1.7 times as long as in float32.

    Args:
        device_type: Of the device that trains, "cuda" or "cpu"; no other is fast.
    """
    if device_type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device_type == "cpu" and torch.cpu.get_capabilities().get("amx_bf16", False)
