"""The YAML of a corpus: `texts` (stage 1), `speech` (stage 2), `simulation` (stage 3)."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from speech_settings import SpeechSettings, read_speech_settings

from espnet2_duplex.jsonl import read_text
from espnet2_duplex.simulation.settings import SetSettings, read_sets

SECTIONS = ("texts", "speech", "simulation")


@dataclass(frozen=True)
class Corpus:
    """All settings of a corpus.

    Attributes:
        texts: sources of conversations.jsonl, as the YAML has them; none if that file
            is given by the user.
        speech: voices and rates.
        sets: what the simulation draws.
        seed: of the whole corpus.
    """

    texts: list
    speech: SpeechSettings
    sets: SetSettings
    seed: int = 0


def read_sections(path: Path) -> dict:
    """The sections of a corpus YAML, as they stand there.

    Raises:
        ValueError: the file is missing, no YAML, or has other sections.
    """
    try:
        sections = yaml.safe_load(read_text(path))
    except yaml.YAMLError as problem:
        raise ValueError(f"{path} is no valid YAML: {problem}") from problem
    if not isinstance(sections, dict) or not set(sections) <= set(SECTIONS):
        found = sorted(sections) if isinstance(sections, dict) else sections
        raise ValueError(
            f"{path} holds {found!r}; expected the sections {', '.join(SECTIONS)}."
        )
    return sections


def read_corpus(path: Path, seed: int = 0) -> Corpus:
    """Read and check the YAML of a corpus.

    Raises:
        ValueError: an unknown section or name, or a wrong value; names it.
    """
    sections = read_sections(path)
    speech = read_speech_settings(sections.get("speech") or {}, str(path))
    sets = read_sets(sections.get("simulation") or {}, str(path))
    return Corpus(sections.get("texts") or [], speech, sets, seed)
