#!/usr/bin/env python3
"""Speak a list of clips into `<out>/<clip id>.wav`, in parallel, resumable.

The list has one JSON object a line: id, role, voice, speed, text. A wav that is there
is kept: its name holds a digest of its text, voice and speed. Bytes do not depend on
`--nj`. A clip that fails is tried once more; if it fails again the others are still
spoken, and the run ends with an error that lists the failed ones.
"""

import argparse
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import soundfile
from tqdm import tqdm
from voices import AGENT_RATE, USER_RATE, Clip, Voices

from espnet2_duplex.atomic import replacing
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import read_jsonl

ATTEMPTS = 2
_voices: Optional[Voices] = None  # one set of models in each worker process


def _load_voices(downloads: Path) -> None:
    global _voices
    _voices = Voices(downloads)


def speak_to_file(voices: Voices, clip: Clip, out: Path) -> None:
    """Write one clip as 16-bit wav; the file appears only when it is complete."""
    speech = voices.speak(clip)
    rate = USER_RATE if clip.role == "user" else AGENT_RATE
    with replacing(out / f"{clip.id}.wav") as temporary:
        soundfile.write(temporary, speech, rate, subtype="PCM_16", format="WAV")


def _try_to_speak(clip: Clip, out: Path) -> Optional[str]:
    """Speak in a worker; returns the reason of the last failure, None on success."""
    if (out / f"{clip.id}.wav").is_file():  # by another run at the same time
        return None
    for _ in range(ATTEMPTS):
        try:
            speak_to_file(_voices, clip, out)
            return None
        except Exception as problem:  # reported with its clip, never dropped
            reason = f"{type(problem).__name__}: {problem}"
    return reason


def synthesise(
    clips: Sequence[Clip], out: Path, downloads: Path, num_jobs: int
) -> None:
    """Speak all clips that have no wav in `out` yet.

    Raises:
        ValueError: names the clips that failed twice, and why.
    """
    out.mkdir(parents=True, exist_ok=True)
    missing = [clip for clip in clips if not (out / f"{clip.id}.wav").is_file()]
    failures: Dict[str, str] = {}
    with ProcessPoolExecutor(
        max_workers=max(1, min(num_jobs, len(missing))),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_load_voices,
        initargs=(downloads,),
    ) as pool:
        running = {pool.submit(_try_to_speak, clip, out): clip for clip in missing}
        progress = tqdm(
            as_completed(running), "speaking", len(clips), initial=_done(clips, missing)
        )
        for future in progress:
            reason = future.result()
            if reason:
                failures[running[future].id] = f"{running[future].text!r} ({reason})"
    if failures:
        listed = "; ".join(f"{id} {what}" for id, what in sorted(failures.items()))
        raise ValueError(
            f"{len(failures)} of {len(clips)} clips could not be spoken, change their "
            f"texts or run again: {listed}"
        )


def _done(clips: Sequence[Clip], missing: Sequence[Clip]) -> int:
    return len(clips) - len(missing)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=Path, required=True, help="the list")
    parser.add_argument("--out", type=Path, required=True, help="folder of the wavs")
    parser.add_argument("--downloads", type=Path, default=Path("downloads"))
    parser.add_argument("--nj", type=int, default=2, help="processes")
    return parser


def main(cmd: Optional[List[str]] = None) -> None:
    args = get_parser().parse_args(cmd)
    clips = [Clip(**row) for row in read_jsonl(args.clips)]
    synthesise(clips, args.out, args.downloads, args.nj)
    print(f"{len(clips)} clips are in {args.out}", flush=True)


if __name__ == "__main__":
    sys.exit(run_cli(main))
