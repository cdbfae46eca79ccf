"""Prompt files: texts with placeholders, in named sections.

    # a comment
    [system]
    You write conversations. Every line has at most {max_words} words.
    [request]
    Topic: {topic}
    [example]
    topic: cooking
    User: I have eggs and tomatoes. What can I cook?
    Agent: You could make an omelette.

A section may come several times. In an example, lines like `topic: ...` give the
values of the request's placeholders; from the first line of a speaker on it is the
reply.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from espnet2_duplex.jsonl import read_text

HEADING = re.compile(r"\[([a-z ]+)\]")
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Example:
    """A request, by the values of its placeholders, and the lines of its reply."""

    values: Mapping[str, str]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class PromptFile:
    """The sections of one file: name -> texts in their order."""

    path: Path
    sections: Mapping[str, tuple[str, ...]]

    def text(self, section: str, values: Mapping[str, str]) -> str:
        """The section's text with its placeholders filled.

        Raises:
            ValueError: no such section, or a placeholder without a value.
        """
        if section not in self.sections:
            raise ValueError(f"{self.path} has no section [{section}]; add it.")

        def fill(match: re.Match) -> str:
            if match[1] not in values:
                raise ValueError(
                    f"{self.path} has the placeholder {match[0]} in [{section}]; known "
                    f"are {', '.join(sorted(values))}."
                )
            return values[match[1]]

        return PLACEHOLDER.sub(fill, self.sections[section][0])

    def examples(self, labels: Sequence[str]) -> list[Example]:
        """All examples, whose replies have lines "<label>: <text>" in turn.

        Raises:
            ValueError: a line of another form.
        """
        return [
            _example(text, labels, self.path)
            for text in self.sections.get("example", ())
        ]


def load_prompts(path: Path) -> PromptFile:
    """Read a prompt file.

    Raises:
        ValueError: missing, or text before the first section.
    """
    sections: dict[str, list[list[str]]] = {}
    current: list[str] | None = None
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.startswith("#"):
            continue
        heading = HEADING.fullmatch(line.strip())
        if heading:
            current = []
            sections.setdefault(heading[1], []).append(current)
        elif current is not None:
            current.append(line)
        elif line.strip():
            raise ValueError(
                f"{path}, line {number} stands before the first section; begin with a "
                "line such as [system]."
            )
    texts = {
        name: tuple("\n".join(lines).strip() for lines in blocks)
        for name, blocks in sections.items()
    }
    return PromptFile(path, texts)


def _example(text: str, labels: Sequence[str], path: Path) -> Example:
    values, lines = {}, []
    for line in filter(str.strip, text.split("\n")):
        name, colon, content = line.partition(":")
        expected = labels[len(lines) % len(labels)]
        if colon and name == expected:
            lines.append(content.strip())
        elif colon and name.islower() and not lines:
            values[name] = content.strip()
        else:
            raise ValueError(
                f"{path} has {line!r} in an [example]; expected a line that begins "
                f"with {expected}:."
            )
    return Example(values, tuple(lines))
