"""How a command-line module ends: users' mistakes are one sentence and exit code 1."""

import sys
from typing import Callable

from espnet2_duplex.atomic import DISK_FULL


def run_cli(main: Callable, cmd=None) -> int:
    """Run `main(cmd)`; returns the exit code.

    A ValueError, a missing file or a full disk is the user's to mend, so its sentence
    is printed without a traceback; anything else is our bug and keeps its traceback.
    """
    try:
        main(cmd)
    except (ValueError, FileNotFoundError) as error:
        print(f"error: {sentence_of(error)}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        print(
            f"error: {error.filename or 'a file'} cannot be written "
            f"({error.strerror}); free space and run the same command again: what was "
            "finished is kept.",
            file=sys.stderr,
        )
        return 1
    return 0


def sentence_of(error: Exception) -> str:
    """What the user should read: a sentence, or several that stand in lines.

    A data loader's worker sends its traceback along, which is left out.
    """
    lines = str(error).strip().splitlines() or [repr(error)]
    if any(line.startswith("Original Traceback") for line in lines):
        return lines[-1].removeprefix(f"{type(error).__name__}: ")
    return "\n".join(lines)
