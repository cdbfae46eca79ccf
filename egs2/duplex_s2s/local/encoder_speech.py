#!/usr/bin/env python3
"""List the recipe's speech for the distillation of the encoder.

Writes `wav.scp` and `text` of the user clips that belong to the training set and of the
codec's training clips (some hundred), which are resampled to 16 kHz into `wav/`. No test voice and no
clip of the valid set is among them.
"""

import argparse
import os
from pathlib import Path

import soundfile
from scipy.signal import resample_poly

from espnet2_duplex.jsonl import read_jsonl, write_text

SAMPLE_RATE = 16000
MAX_AGENT_CLIPS = 400  # about half an hour: one voice shall not drown the users'


def training_clips(clips: Path) -> list[tuple[Path, str]]:
    """Wav and text of every clip to learn from."""
    parts: dict[str, set[str]] = {}
    for use in read_jsonl(clips / "uses.jsonl"):
        parts.setdefault(use["clip"], set()).add(use["part"])
    users = [c for c in read_jsonl(clips / "user.jsonl") if parts[c["id"]] == {"train"}]
    codec = [
        clip
        for clip in read_jsonl(clips / "codec.jsonl")
        if clip["id"].startswith("codec_train")
    ]
    codec = codec[:: -(-len(codec) // MAX_AGENT_CLIPS) or 1]
    listed = [("user", clip) for clip in users] + [("codec", clip) for clip in codec]
    return [
        (clips / folder / f"{clip['id']}.wav", clip["text"]) for folder, clip in listed
    ]


def at_16_khz(wav: Path, folder: Path) -> Path:
    """The clip itself, or a copy at 16 kHz in the folder."""
    rate = soundfile.info(wav).samplerate
    if rate == SAMPLE_RATE:
        return wav
    copy = folder / wav.name
    if not copy.exists():
        speech, _ = soundfile.read(wav, dtype="float32")
        resampled = resample_poly(speech, SAMPLE_RATE, rate)
        temporary = copy.with_suffix(".tmp.wav")
        soundfile.write(temporary, resampled, SAMPLE_RATE, subtype="PCM_16")
        os.replace(temporary, copy)
    return copy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, default=Path("data/local/clips"))
    parser.add_argument("--out", type=Path, default=Path("data/encoder_train"))
    args = parser.parse_args()
    (args.out / "wav").mkdir(parents=True, exist_ok=True)
    clips = sorted(training_clips(args.clips))
    paths = [at_16_khz(wav, args.out / "wav") for wav, _ in clips]
    wav_lines = [f"{path.stem} {path}\n" for path in paths]
    text_lines = [f"{wav.stem} {text}\n" for wav, text in clips]
    write_text(args.out / "wav.scp", "".join(wav_lines))
    write_text(args.out / "text", "".join(text_lines))


if __name__ == "__main__":
    main()
