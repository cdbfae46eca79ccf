#!/usr/bin/env python3
"""Speak a list of clips into `<out>/<role>/<xx>/<clip id>.wav`: one of several jobs.

    run.pl JOB=1:4 speak.JOB.log python local/synthesise.py --clips clips/user.jsonl \\
        --out clips --job JOB --num_jobs 4

Each job is one process with one thread. A wav that is there is kept, so a run that was
stopped goes on where it was. A clip that fails is tried once more; if it fails again it
is listed with the reason in `<out>/failed.<list>.<job>.jsonl`, and the others go on.
The job ends with exit code 1 only if the machine is at fault, as with a full disk, or if
nothing at all can be spoken: the first twenty clips fail. Too many failures are a matter
of the whole list. Around its jobs belong

    python local/synthesise.py --clips clips/user.jsonl --out clips --begin
    python local/synthesise.py --clips clips/user.jsonl --out clips --check

The one removes the lists of failures of earlier runs, which may have had more jobs. The
other reads those of this run, and ends with exit code 1 if more than five and more than
`--max_failed_share` of the list's clips failed, or all of them.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from casting import build_engines
from clip_failures import (
    MIN_FAILURES,
    Failure,
    check_list,
    forget_failures,
    warn,
    write_failures,
)
from clips import AGENT_LEAD_SECONDS, OWN_WAV, Clip, missing_clips
from corpus_settings import read_speech
from progress import progress
from shares import add_share_options, check_share
from tts.engine import Engine
from tts.loudness import trim_and_level

from espnet2_duplex.atomic import DISK_FULL
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.dataset_checks import load_speech
from espnet2_duplex.jsonl import read_jsonl
from espnet2_duplex.sound_files import resample, write_wav
from espnet2_duplex.timing import nearest_sample

ATTEMPTS = 2
NUM_FIRST_CLIPS = 20  # when all of them fail, the others would


def speak(clip: Clip, engines: Mapping[str, Engine], attempt: int = 0) -> np.ndarray:
    """Samples of a clip, (N,) float32 at `clip.rate`.

    Synthesised speech is trimmed and levelled; the agent's begins with
    `AGENT_LEAD_SECONDS` of silence.

    Raises:
        ValueError: the engine cannot speak it, or its source is no such sound.
    """
    if clip.engine == OWN_WAV:
        speech = load_speech(Path(clip.source), clip.rate)
    else:
        engine = engines[clip.engine]
        raw = engine.speak(clip.text, clip.voice, clip.speed, clip.seed(attempt))
        raw = resample(raw, engine.sample_rate, clip.rate)
        speech = trim_and_level(raw, clip.rate)
    lead = nearest_sample(AGENT_LEAD_SECONDS, clip.rate) if clip.role == "agent" else 0
    return np.concatenate([np.zeros(lead, np.float32), speech])


def speak_to_file(clip: Clip, out: Path, engines: Mapping[str, Engine]) -> str:
    """Write one clip; returns why its last attempt failed, "" if none did.

    Raises:
        ValueError: the machine is at fault, not the clip; nothing is left of its file.
    """
    path = out / clip.path
    for attempt in range(ATTEMPTS):
        try:
            write_wav(path, speak(clip, engines, attempt), clip.rate)
            return ""
        except OSError as problem:
            raise ValueError(machine_fault(problem, path)) from problem
        except Exception as problem:  # engines fail in many ways; all are reported
            reason = f"{type(problem).__name__}: {problem}"
    return reason


def machine_fault(problem: OSError, path: Path) -> str:
    """A sentence for an error that would meet all clips that follow, too."""
    remedy = "mend that"
    if problem.errno in DISK_FULL:
        remedy = "the disk is full: free some space"
    return (
        f"{path} cannot be made ({problem.strerror or problem}); {remedy} and run the "
        "same again, which keeps all clips that are there."
    )


def synthesise(
    clips: Sequence[Clip], out: Path, engines: Mapping[str, Engine]
) -> Iterator[Failure]:
    """Speak the clips that have no wav in `out` yet; yields those that fail.

    Raises:
        ValueError: an engine cannot be loaded, the machine is at fault, or the first
            `NUM_FIRST_CLIPS` of all clips fail.
    """
    missing = missing_clips(clips, out)
    for name, engine in engines.items():
        voices = sorted({clip.voice for clip in missing if clip.engine == name})
        if voices:
            try:
                engine.prepare(voices)
            except ValueError as problem:
                raise ValueError(f"engine {name}: {problem}.") from problem
    num_done = len(clips) - len(missing)
    num_failed = 0
    for clip in progress(missing, "speaking", len(clips), num_done):
        reason = speak_to_file(clip, out, engines)
        if not reason:
            num_done += 1
            continue
        yield Failure(clip, reason)
        num_failed += 1
        if num_failed == NUM_FIRST_CLIPS and not num_done:
            raise ValueError(
                f"the first {num_failed} clips failed, the last is {clip.voice} "
                f"{clip.text!r} ({reason}); mend the engine {clip.engine} or its "
                "settings."
            )


def engines_of(
    clips: Sequence[Clip], config: Path | None, downloads: Path
) -> dict[str, Engine]:
    """Engines that speak the clips, not yet prepared.

    Raises:
        ValueError: as `read_speech` and `build_engines`.
    """
    names = {clip.engine for clip in clips} - {OWN_WAV}
    return build_engines(read_speech(config), names, downloads)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=Path, required=True, help="list of plan_clips")
    parser.add_argument("--out", type=Path, required=True, help="folder of all clips")
    parser.add_argument("--downloads", type=Path, default=Path("downloads"))
    parser.add_argument("--config", type=Path, help="corpus YAML; its section `speech`")
    add_share_options(parser)
    parser.add_argument(
        "--max_failed_share",
        type=float,
        default=0.02,
        help=f"of the list, with --check; {MIN_FAILURES} clips may fail in any case",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--count_missing",
        action="store_true",
        help="only print how many of the job's clips have no wav yet",
    )
    instead.add_argument(
        "--begin",
        action="store_true",
        help="only remove the lists of failures of earlier runs, before the jobs",
    )
    instead.add_argument(
        "--check",
        action="store_true",
        help="only judge what has failed of the whole list, after the jobs",
    )
    return parser


def main(cmd: Sequence[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    check_share(args)
    rows = read_jsonl(args.clips)[args.job - 1 :: args.num_jobs]
    clips = [Clip(**row) for row in rows]
    name = args.clips.stem
    if args.count_missing:
        print(len(missing_clips(clips, args.out)))
    elif args.begin:
        forget_failures(args.out, name)
    elif args.check:
        check_list(clips, args.out, name, args.max_failed_share)
    else:
        engines = engines_of(clips, args.config, args.downloads)
        failures = list(synthesise(clips, args.out, engines))
        listed = write_failures(failures, args.out, name, args.job)
        print(f"{len(clips) - len(failures)} clips are in {args.out}", flush=True)
        warn(failures, len(clips), listed)


if __name__ == "__main__":
    sys.exit(run_cli(main))
