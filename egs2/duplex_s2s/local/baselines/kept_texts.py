"""What a language model wrote, kept on disk so that nothing is asked twice."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from baselines.timed import Timed, timed

from espnet2_duplex.chat.backend import Backend, Prompt
from espnet2_duplex.jsonl import read_text, write_text


class KeptTexts:
    """A language model with a memory.

    Args:
        backend: the model.
        cache: folder of its texts, one file each under a digest of the prompt and the
            model's name; several jobs may share it.
    """

    def __init__(self, backend: Backend, cache: Path) -> None:
        self._backend = backend
        self._cache = cache

    def complete(self, prompt: Prompt) -> Timed[str]:
        """The model's text; its time is that of the first writing."""
        request = {"model": self._backend.name, **asdict(prompt)}
        digest = hashlib.sha256(json.dumps(request).encode()).hexdigest()
        kept = self._cache / digest[:2] / f"{digest}.json"
        if not kept.is_file():
            text = timed(lambda: self._backend.complete([prompt])[0])
            row = {"request": request, "text": text.value, "seconds": text.seconds}
            write_text(kept, json.dumps(row, ensure_ascii=False) + "\n")
        row = json.loads(read_text(kept))
        return Timed(row["text"], row["seconds"])
