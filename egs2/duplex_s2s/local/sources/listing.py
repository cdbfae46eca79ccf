"""What `make_texts.py` tells of sources: the files they read, and their options."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from inspect import cleandoc
from pathlib import Path

from sources.asr_manifest import manifest_files
from sources.files import find_files, listed_paths
from sources.registry import KINDS, Kind
from sources.rows import Job, Options

# Of the folder of conversations.jsonl: what an earlier step of the stage writes there.
MADE = ("generated", "asr_manifest.jsonl")
WIDTH = 88
ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.M)


def input_files(kind: Kind, options: Options, job: Job) -> Iterator[Path]:
    """Files that a source reads and no earlier step of the stage writes.

    Of a Kaldi data folder they are its tables. What an earlier step writes beside
    `generated` is told if it is there.

    Raises:
        ValueError: one does not exist, or is a folder of another kind.
    """
    for name in kind.files:
        for path in listed_paths(getattr(options, name)):
            yield from _input_files(path, job)


def _input_files(path: str, job: Job) -> Iterator[Path]:
    made = [(job.out / name).resolve() for name in MADE]
    places = [(folder / path).resolve() for folder in (job.out, Path())]
    is_made = any(place.is_relative_to(one) for place in places for one in made)
    if is_made and not any(place.exists() for place in places):
        return
    for found in find_files(path, job):
        if found.resolve().is_relative_to(made[0]):
            continue
        for file in manifest_files(found):
            if not file.is_file():
                raise ValueError(
                    f"{file} is no file; name a file, or a Kaldi data folder with "
                    "wav.scp and text, in the texts of the corpus YAML."
                )
            yield file


def options_help() -> str:
    """All kinds of sources and their options, for `--help`."""
    title = "Options of every source. What has no value here or below must be given:"
    parts = [f"{title}\n\n{_listed(Options, {})}"]
    shared = _descriptions(Options)
    for name, kind in KINDS.items():
        about = cleandoc(kind.rows.__doc__).split("\n")[0]
        title = textwrap.fill(f"{name}: {about}", WIDTH)
        parts.append(f"{title}\n\n{_listed(kind.options, shared)}")
    return "\n\n".join(parts)


def _listed(options: type[Options], known: Mapping[str, str]) -> str:
    """Lines of the options that are not told in `known`, or have a value of their own."""
    told = _descriptions(options)
    lines = []
    for field in fields(options):
        text = told.get(field.name, "")
        is_known = text != "" and known.get(field.name) == text
        if not is_known:
            lines.append(f"{_with_default(field)}  {text}".strip())
        elif field.default not in (None, MISSING, ""):
            lines.append(_with_default(field))
    return "\n".join(
        textwrap.fill(line, WIDTH, initial_indent="  ", subsequent_indent="      ")
        for line in lines
    )


def _with_default(field: Field) -> str:
    if field.default is not MISSING:
        return f"{field.name} = {field.default!r}"
    if field.default_factory is not MISSING:
        return f"{field.name} = {field.default_factory()!r}"
    return field.name


def _descriptions(options: type[Options]) -> Mapping[str, str]:
    """Field -> its line of `Attributes` in the docstring of its class or a base."""
    told: dict[str, str] = {}
    for owner in reversed(options.__mro__):
        for name, text in ATTRIBUTE.findall(cleandoc(owner.__doc__ or "")):
            told[name] = " ".join(text.split())
    return told
