"""Which number format is fast on this machine."""

import torch


def fast_bfloat16() -> bool:
    """Whether training in bfloat16 is faster than in float32 here.

    It is on GPUs that compute in it and on processors with AMX. With AVX-512's bfloat16
    instructions alone the conversions cost more than they save: steps of the recipe's
    models took 1.2 to 1.7 times as long as in float32.
    """
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu.get_capabilities().get("amx_bf16", False)
