#!/usr/bin/env python3
"""Lists what is installed, and for what is missing the command that installs it."""

import argparse
import importlib.util
import sys
from importlib import metadata

# Module -> (distribution, extra of setup.py that brings it, what needs it).
MODULES = {
    "espnet2": ("espnet", "", "tasks and training"),
    "torch": ("torch", "", "everything"),
    "torchaudio": ("torchaudio", "", "espnet"),
    "transformers": ("transformers", "", "the LLM"),
    "numba": ("numba", "", "alignment"),
    "sentencepiece": ("sentencepiece", "", "text tokens"),
    "soundfile": ("soundfile", "", "reading and writing wav"),
    "kaldiio": ("kaldiio", "kaldiio", "arks (omniio serves where it is absent)"),
    "omniio": ("omniio", "", "arks where kaldiio is absent"),
    "tensorboard": ("tensorboard", "train", "training"),
    "onnxruntime": ("onnxruntime", "data", "user voices of the mini corpus"),
    "hibari": ("hibari-tts", "data", "agent voice of the mini corpus"),
    "pyroomacoustics": ("pyroomacoustics", "data", "rooms of the user's channel"),
    "gguf": ("gguf", "data", "the packaged LLM that writes dialogues"),
    "lhotse": ("lhotse", "formats", "NeMo's Shar"),
    "faster_whisper": ("faster-whisper", "score", "scoring: speech to text"),
    "sacrebleu": ("sacrebleu", "score", "scoring: BLEU"),
    "jiwer": ("jiwer", "score", "scoring: word error rate"),
    "silero_vad": ("silero-vad", "score", "scoring: speech intervals"),
    "speechmos": ("speechmos", "score", "codec scores: DNSMOS"),
    "resemblyzer": ("Resemblyzer", "score", "codec scores: speaker similarity"),
    "pesq": ("pesq", "score", "codec scores: PESQ"),
    "pystoi": ("pystoi", "score", "codec scores: STOI"),
    "pytest": ("pytest", "test", "tools/run_tests.sh"),
}


def get_parser() -> argparse.ArgumentParser:
    """Command line without options."""
    return argparse.ArgumentParser(description=__doc__)


def main(cmd: list[str] | None = None) -> int:
    """Prints one line per module; returns 1 if something is missing, else 0."""
    get_parser().parse_args(cmd)
    missing = 0
    print(f"python {sys.version.split()[0]}")
    for module, (distribution, extra, purpose) in MODULES.items():
        if importlib.util.find_spec(module) is not None:
            print(f"[ok]      {module} {metadata.version(distribution)}")
            continue
        missing += 1
        remedy = f'pip install -e ".[{extra}]"' if extra else "pip install -e ."
        print(f"[missing] {module}: {purpose}; {remedy}")
    return min(missing, 1)


if __name__ == "__main__":
    sys.exit(main())
