"""What an encoder learns from: the `encoder` section of a corpus YAML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from corpus_settings import read_sections
from encoder_texts import KINDS

from espnet2_duplex.simulation.yaml_fields import changed, section


@dataclass(frozen=True)
class EncoderSettings:
    """How many sentences of what kind, and who says them.

    Attributes:
        num_train: engine -> sentences of the set train, shared by its voices.
        num_valid: sentences, said by the training voices of `judged`, without blends.
        num_test: sentences, said by the test voices of `judged`.
        judged: engine of the sets valid and test.
        kinds: kind of text -> its share.

    Raises:
        ValueError: a number is below 1, or a kind does not exist.
    """

    num_train: Mapping[str, int] = field(default_factory=dict)
    num_valid: int = 60
    num_test: int = 150
    judged: str = "kokoro"
    kinds: Mapping[str, float] = field(
        default_factory=lambda: dict.fromkeys(KINDS, 1.0)
    )

    def __post_init__(self) -> None:
        numbers = {f"num_train.{name}": num for name, num in self.num_train.items()}
        numbers |= {"num_valid": self.num_valid, "num_test": self.num_test}
        for name, num in numbers.items():
            if num < 1:
                raise ValueError(f"{name} is {num!r}; write a whole number from 1 on")
        if not self.num_train:
            raise ValueError("num_train is empty; name an engine and how much it says")
        unknown = sorted(set(self.kinds) - set(KINDS))
        if unknown or not self.kinds:
            raise ValueError(
                f"kinds has {', '.join(unknown) or 'nothing'}; write some of "
                f"{', '.join(KINDS)}"
            )
        for kind, share in self.kinds.items():
            if share <= 0:
                raise ValueError(f"kinds.{kind} is {share:g}; write a share above 0")


def read_settings(path: Path) -> EncoderSettings:
    """The section `encoder` of a corpus YAML.

    Raises:
        ValueError: it is missing, or has an unknown name or a wrong value.
    """
    sections = read_sections(path)
    if "encoder" not in sections:
        raise ValueError(
            f"{path} has no section encoder; write one as in conf/data_encoder.yaml."
        )
    # A section without num_train is told so, not that of an example.
    example = EncoderSettings(num_train={"kokoro": 1})
    given = section(sections["encoder"], f"{path}: encoder")
    return changed(example, {"num_train": {}, **given}, f"{path}: encoder")
