"""What an LLM writes: the `generate` section of a corpus YAML.

generate:
  topic: {kind: topic, num: 20}            # dialogues; or ultrachat
  chats: {kind: ultrachat, num: 20, context: chats.jsonl}
  asr_qa: {kind: questions, manifest: m.json}  # one for each of its utterances
"""

from dataclasses import dataclass

from espnet2_duplex.simulation.yaml_fields import checked, section

KINDS = ("topic", "ultrachat", "questions")


@dataclass(frozen=True)
class GeneratedTexts:
    """One entry: the texts of one file.

    Attributes:
        name: of the file and the dataset.
        kind: one of `KINDS`.
        num: of the dialogues; None of questions.
        manifest: of the recordings that questions are about; "" of dialogues.
        context: file of chats that ultrachat goes on with; "" for none.
    """

    name: str
    kind: str
    num: int | None
    manifest: str
    context: str


def parse_generate(generate: object, where: str) -> list[GeneratedTexts]:
    """Entries of the section, in its order.

    Args:
        generate: as YAML gives it.
        where: names it in errors.

    Raises:
        ValueError: an entry has other fields, or values that are no such words.
    """
    return [
        _entry(_word(name, where), entry, f"{where}.{name}")
        for name, entry in section(generate, where).items()
    ]


def shell_words(texts: GeneratedTexts) -> str:
    """A line "name kind number-or-manifest context", with - for no context."""
    what = texts.manifest or texts.num
    return f"{texts.name} {texts.kind} {what} {texts.context or '-'}"


def _entry(name: str, entry: object, where: str) -> GeneratedTexts:
    kind = entry.get("kind") if isinstance(entry, dict) else None
    what = "manifest" if kind == "questions" else "num"
    fields = {"kind", what} | ({"context"} if kind == "ultrachat" else set())
    if kind not in KINDS or not {"kind", what} <= set(entry) <= fields:
        raise ValueError(
            f"{where} is {entry!r}; expected kind (one of {', '.join(KINDS)}) and num, "
            "of questions manifest, and perhaps, of ultrachat, context."
        )
    num, manifest, context = None, "", ""
    if what == "num":
        num = checked(entry["num"], int, f"{where}.num")
        if num < 1:
            raise ValueError(f"{where}.num is {num}; write a whole number from 1 on.")
    else:
        manifest = _word(entry["manifest"], f"{where}.manifest")
    if entry.get("context") is not None:
        context = _word(entry["context"], f"{where}.context")
    return GeneratedTexts(name, kind, num, manifest, context)


def _word(value: object, where: str) -> str:
    """A name or path that stays one word in the shell."""
    if not isinstance(value, str) or len(value.split()) != 1 or value != value.strip():
        raise ValueError(
            f"{where} has {value!r}; write a name or path without white space."
        )
    return value
