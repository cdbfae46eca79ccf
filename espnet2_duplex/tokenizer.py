"""Text tokenizers behind one small interface: what the duplex streams need of them.

ESPnet's ``--token_type`` chooses: ``bpe`` is a SentencePiece model trained on the
corpus, ``hugging_face`` is the language model's own tokenizer. A tokenizer without
<BOS> or <PAD> gets them added (DESIGN, "Streams"), so that any LLM works.
"""

from pathlib import Path
from typing import Protocol, Sequence

from espnet2_duplex.vocabulary import TextIds


class TextTokenizer(Protocol):
    """What a tokenizer offers; ``size`` counts the added special tokens as well."""

    ids: TextIds
    size: int

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`, without specials."""

    def decode(self, token_ids: Sequence[int]) -> str:
        """Text of `token_ids`, which hold no specials."""


class SentencePieceTokenizer:
    """A SentencePiece model whose <s>, </s> and <pad> are the duplex specials.

    Args:
        path: The ``.model`` file, trained by ``duplex_s2s_text_tokens``.

    Raises:
        ValueError: If the file is absent or the model lacks a special token.
    """

    def __init__(self, path: str | Path):
        import sentencepiece

        if not Path(path).is_file():
            raise ValueError(
                f"SentencePiece model {path} does not exist; train it with stage 6"
            )
        self.processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
        bos, eos, pad = (
            self.processor.bos_id(),
            self.processor.eos_id(),
            self.processor.pad_id(),
        )
        if min(bos, eos, pad) < 0:
            raise ValueError(
                f"{path} has no <s>, </s> or <pad> token; train it with stage 6, "
                "which reserves them"
            )
        self.ids = TextIds(bos=bos, eos=eos, pad=pad)
        self.size = self.processor.get_piece_size()

    def encode(self, text: str) -> list[int]:
        return self.processor.encode(text)

    def decode(self, token_ids: Sequence[int]) -> str:
        return self.processor.decode(list(token_ids))


class HuggingFaceTokenizer:
    """The tokenizer of a Hugging Face LLM, completed with the specials it lacks.

    Args:
        name_or_path: Hub name, folder, or the ``tokenizer.json`` inside a folder (the
            form in which a packed model names it).
    """

    def __init__(self, name_or_path: str | Path):
        from transformers import AutoTokenizer

        path = Path(name_or_path)
        folder = path.parent if path.name == "tokenizer.json" else name_or_path
        self.tokenizer = AutoTokenizer.from_pretrained(str(folder))
        self.ids = _complete_specials(self.tokenizer)
        self.size = len(self.tokenizer)

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)

    def decode(self, token_ids: Sequence[int]) -> str:
        return self.tokenizer.decode(list(token_ids), skip_special_tokens=True)


def _complete_specials(tokenizer) -> TextIds:
    """Ids of <BOS>, <EOS>, <PAD>; all differ, added to `tokenizer` where need be.

    Many chat models share one id between two of them (SmolLM2: <EOS> = <PAD>), which
    the text channel could not tell apart.
    """
    bos, eos, pad = (
        tokenizer.bos_token_id,
        tokenizer.eos_token_id,
        tokenizer.pad_token_id,
    )
    added = {}
    if eos is None:
        added["eos_token"] = "<|duplex_eos|>"
    if bos is None or bos == eos:
        added["bos_token"] = "<|duplex_bos|>"
    if pad is None or pad in (bos, eos):
        added["pad_token"] = "<|duplex_pad|>"
    tokenizer.add_special_tokens(added)
    return TextIds(
        bos=tokenizer.bos_token_id,
        eos=tokenizer.eos_token_id,
        pad=tokenizer.pad_token_id,
    )


def load_tokenizer(token_type: str, model: str | Path) -> TextTokenizer:
    """The tokenizer that ``--token_type`` and ``--bpemodel`` name.

    Raises:
        ValueError: If `token_type` is neither ``bpe`` nor ``hugging_face``.
    """
    classes = {"bpe": SentencePieceTokenizer, "hugging_face": HuggingFaceTokenizer}
    if token_type not in classes:
        raise ValueError(
            f"token_type is {token_type!r}; it must be one of {sorted(classes)}"
        )
    return classes[token_type](model)
