#!/usr/bin/env python3
"""Decide what must be spoken: conversations -> lists of clips, before any is spoken.

Writes into `--local`:

    clips/user.jsonl        what `synthesise.py` speaks: one clip a line, each once
    clips/agent.jsonl
    clips/codec.jsonl       with --codec_texts: the sentences that the codec learns from
    clips/failed.plan.jsonl clips whose text cannot be pronounced, with the reason
    spoken.jsonl            each conversation with its speaker and a wav for every turn
    backchannels.jsonl      {"speaker", "text", "wav"}: what each user voice in use says
    codec_sentences.jsonl   {"id", "set", "text", "wav"}, with --codec_texts

A turn's own wav is named as it is, but for the agent's: these get a copy with the
agent's lead in front. Starts of agent turns are those of the wav with its lead.

Clips are named by their content. If the code or the weights of an engine change, give it
another revision in the corpus YAML, and all of its clips are planned under new names:

    speech: {engines: {mine: {kind: my_tts.MyEngine, revision: 2}}}
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from casting import Casting, build_engines
from clip_failures import MIN_FAILURES, too_many
from clip_plan import ClipPlan
from clips import OWN_WAV, Clip, failures_file
from conversation_format import read_conversations
from corpus_settings import read_speech
from progress import progress
from tts.engine import Engine

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import write_jsonl


def check_texts(clips: Iterable[Clip], engines: dict[str, Engine]) -> dict[str, str]:
    """Why clips cannot be spoken: id -> reason. Each text is checked once an engine."""
    clips = [clip for clip in clips if clip.engine != OWN_WAV]
    wanted = dict.fromkeys((clip.engine, clip.text) for clip in clips)
    reasons: dict[tuple[str, str], str] = {}
    for engine, text in progress(wanted, "checking texts"):
        try:
            engines[engine].check_text(text)
        except ValueError as problem:
            reasons[engine, text] = str(problem)
    faulty = [clip for clip in clips if (clip.engine, clip.text) in reasons]
    return {clip.id: reasons[clip.engine, clip.text] for clip in faulty}


def write_lists(plan: ClipPlan, reasons: dict[str, str]) -> None:
    """The lists of clips that can be spoken, and the list of the others."""
    for name, clips in plan.lists.items():
        rows = [asdict(clip) for clip in clips.values() if clip.id not in reasons]
        write_jsonl(plan.folder / f"{name}.jsonl", rows)
        print(f"{name}: {len(rows)} clips planned", flush=True)
    faulty = {clip.id: clip for clip in plan.clips() if clip.id in reasons}
    write_jsonl(
        failures_file(plan.folder, "plan"),
        [
            {**asdict(clip), "reason": reasons[id], "where": plan.where[id]}
            for id, clip in faulty.items()
        ],
    )


def report_failures(plan: ClipPlan, reasons: dict[str, str], max_share: float) -> None:
    """Tell of texts that cannot be pronounced.

    Raises:
        ValueError: too many clips have one, see `clip_failures.too_many`.
    """
    if not reasons:
        return
    total = len({clip.id for clip in plan.clips()})
    first = next(iter(reasons))
    sentence = (
        f"{len(reasons)} of {total} clips cannot be spoken and are listed in "
        f"{failures_file(plan.folder, 'plan')}, the first of {plan.where[first]}: "
        f"{reasons[first]}"
    )
    if too_many(len(reasons), total, max_share):
        raise ValueError(f"{sentence}; or give the turn a wav.")
    print(f"warning: {sentence}; they are left out.", file=sys.stderr, flush=True)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--conversations", type=Path, required=True, help="JSONL")
    parser.add_argument("--local", type=Path, default=Path("data/local"))
    parser.add_argument("--config", type=Path, help="corpus YAML; its section `speech`")
    parser.add_argument("--seed", type=int, default=0, help="of voices and speeds")
    parser.add_argument("--downloads", type=Path, default=Path("downloads"))
    parser.add_argument("--codec_texts", type=Path, help="folder of codec_*.jsonl")
    parser.add_argument(
        "--max_failed_share",
        type=float,
        default=0.02,
        help="of clips that may be left out as they cannot be pronounced; "
        f"{MIN_FAILURES} may in any case",
    )
    return parser


def main(cmd: Sequence[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    settings = read_speech(args.config)
    casting = Casting(settings, args.seed)
    names = [settings.agent.engine, *(users.engine for users in settings.user)]
    engines = build_engines(settings, names, args.downloads)
    casting.check_voices(engines)
    plan = ClipPlan(casting, args.local / "clips")
    conversations = read_conversations(
        args.conversations, settings.user_rate, settings.agent_rate
    )
    spoken = [plan.conversation(conversation) for conversation in conversations]
    backchannels = plan.backchannels()
    sentences = plan.codec_sentences(args.codec_texts) if args.codec_texts else []
    reasons = check_texts(plan.clips(), engines)
    write_lists(plan, reasons)
    write_jsonl(args.local / "spoken.jsonl", spoken)
    write_jsonl(args.local / "backchannels.jsonl", backchannels)
    write_jsonl(args.local / "codec_sentences.jsonl", sentences)
    report_failures(plan, reasons, args.max_failed_share)


if __name__ == "__main__":
    sys.exit(run_cli(main))
