#!/usr/bin/env python3
"""Who says what for the encoder to learn from: texts and voices -> lists of clips.

Writes `<local>/clips/<engine>.jsonl`, for `synthesise.py`, and `<local>/sentences.jsonl`
with id, set, kind, voice, text and wav of each. No text comes twice, none is one of
another corpus (`--exclude`), and test voices speak the set test alone.
"""

import argparse
import itertools
import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from casting import Casting, build_engines
from clips import Clip
from corpus_settings import read_speech
from encoder_settings import EncoderSettings, read_settings
from encoder_texts import ASSETS, sentences, will_do
from speech_settings import SpeechSettings
from tts.blends import components

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import read_jsonl, write_jsonl
from espnet2_duplex.perception.ctc import spoken_characters


def heard_elsewhere(corpora: Iterable[Path]) -> set[str]:
    """What is said in conversations, as CTC spells it."""
    spelt = (
        spoken_characters(turn["text"])
        for path in corpora
        for row in read_jsonl(path)
        for turn in row["turns"]
    )
    return {text for text in spelt if text is not None}


def text_stream(
    shares: Mapping[str, float], texts: Mapping[str, Sequence[str]], seed: int
) -> Iterator[tuple[str, str]]:
    """Endless (kind, text), each text once, of the kinds in their shares.

    Args:
        shares: kind -> share.
        texts: kind -> its candidates, in order.
        seed: of the order of the kinds.

    Raises:
        ValueError: there are no more texts of a kind.
    """
    rng = random.Random(f"{seed}/kinds")
    left = {kind: filter(will_do, texts[kind]) for kind in shares}
    given: set[str | None] = set()  # two kinds may have the same sentence
    while True:
        kind = rng.choices([*shares], [*shares.values()])[0]
        fresh = (text for text in left[kind] if spoken_characters(text) not in given)
        text = next(fresh, None)
        if text is None:
            raise ValueError(
                f"there are too few texts of the kind {kind}; lower its share or the "
                "numbers of sentences."
            )
        given.add(spoken_characters(text))
        yield kind, text


def speakers(settings: EncoderSettings, casting: Casting) -> Iterator[tuple]:
    """(set, number of sentences, voices), the judged sets first.

    Raises:
        ValueError: an engine has no voices for a set.
    """

    def of(engine: str, voices: Sequence[str]) -> list[str]:
        return [voice for voice in voices if casting.engine_of(voice) == engine]

    judged, train = settings.judged, casting.train_voices
    single = [voice for voice in train if len(components(voice)) == 1]
    parts = [
        ("test", judged, settings.num_test, of(judged, casting.test_voices)),
        ("valid", judged, settings.num_valid, of(judged, single)),
    ]
    for engine, num in settings.num_train.items():
        parts.append(("train", engine, num, of(engine, train)))
    for name, engine, num, voices in parts:
        if not voices:
            raise ValueError(
                f"the engine {engine} has no voice for the set {name}; name some in the "
                "corpus YAML, under speech.user."
            )
        yield name, num, voices


def plan(
    parts: Iterable[tuple], casting: Casting, stream: Iterator[tuple[str, str]]
) -> Iterator[tuple[dict, Clip]]:
    """(row of sentences.jsonl without its wav, clip).

    Args:
        parts: of `speakers`; the voices of a part take turns.
        casting: gives the clips.
        stream: of `text_stream`.
    """
    for name, num, voices in parts:
        chosen = itertools.islice(stream, num)
        for (kind, text), voice in zip(chosen, itertools.cycle(voices)):
            clip = casting.user_clip(voice, text)
            row = {"set": name, "kind": kind, "voice": voice, "text": text}
            yield {"id": clip.id, **row}, clip


def write_plan(planned: Iterable[tuple[dict, Clip]], local: Path) -> int:
    """Write the lists, remove those of earlier plans; returns the number of sentences."""
    rows, lists = [], {}
    for row, clip in planned:
        rows.append({**row, "wav": str(local / "clips" / clip.path)})
        lists.setdefault(clip.engine, []).append(asdict(clip))
    for path in (local / "clips").glob("*.jsonl"):
        if path.stem not in lists and not path.name.startswith("failed."):
            path.unlink()
    for engine, clips in lists.items():
        write_jsonl(local / "clips" / f"{engine}.jsonl", clips)
    write_jsonl(local / "sentences.jsonl", rows)
    return len(rows)


def check_engines(
    settings: EncoderSettings, speech: SpeechSettings, downloads: Path
) -> None:
    """The engines that speak can be had.

    Raises:
        ValueError: one cannot, as its program is not installed.
    """
    for name in dict.fromkeys([settings.judged, *settings.num_train]):
        try:
            build_engines(speech, [name], downloads)
        except ValueError as problem:
            if name == settings.judged:
                raise
            raise ValueError(
                f"{str(problem).rstrip('.')}; or do without its voices and take {name} "
                "out of encoder.num_train in the corpus YAML."
            ) from problem


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=Path("conf/data_encoder.yaml"))
    parser.add_argument("--local", type=Path, default=Path("data_encoder/local"))
    parser.add_argument("--downloads", type=Path, default=Path("downloads"))
    parser.add_argument(
        "--exclude",
        type=Path,
        nargs="*",
        default=[],
        help="conversations.jsonl or spoken.jsonl of corpora whose texts are left out",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--list_assets", action="store_true", help="print what assets.py must fetch"
    )
    return parser


def main(cmd: Sequence[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    settings = read_settings(args.config)
    if args.list_assets:
        print("\n".join(ASSETS[kind] for kind in settings.kinds if kind in ASSETS))
        return
    speech = read_speech(args.config)
    check_engines(settings, speech, args.downloads)
    casting = Casting(speech, args.seed)
    parts = [*speakers(settings, casting)]
    heard = heard_elsewhere(args.exclude)
    texts = {
        kind: sentences(kind, args.downloads, args.seed, heard)
        for kind in settings.kinds
    }
    stream = text_stream(settings.kinds, texts, args.seed)
    num_sentences = write_plan(plan(parts, casting, stream), args.local)
    print(f"{num_sentences} sentences are in {args.local / 'sentences.jsonl'}")


if __name__ == "__main__":
    sys.exit(run_cli(main))
