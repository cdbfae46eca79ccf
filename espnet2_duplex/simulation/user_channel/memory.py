"""How the C library treats the memory of long streams."""

import numpy as np

# Just below glibc's limit of 32 MB (DEFAULT_MMAP_THRESHOLD_MAX).
_LARGEST_BYTES = 31 * 2**20


def keep_freed_memory() -> None:
    """Let this process use freed memory again instead of giving it back at once.

    A minute of speech is an array of 4 MB, and glibc gives so much back to the system
    when it is freed; to get it anew costs a third of the time of the user's channel.
    glibc stops doing so for all sizes up to that of the largest block that was freed
    (mallopt(3), M_MMAP_THRESHOLD), so freeing one is enough; nothing is written to it.
    Elsewhere this does nothing.
    """
    np.empty(_LARGEST_BYTES, np.uint8)
