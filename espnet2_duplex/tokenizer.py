"""Text tokenizers behind one small interface: what the duplex streams need of them.

ESPnet's ``--token_type`` chooses: ``bpe`` is a SentencePiece model trained on the
corpus, ``hugging_face`` is the language model's own tokenizer. A tokenizer without
<BOS> or <PAD> gets them added (DESIGN, "Streams"), so that any LLM works.
"""

import hashlib
from pathlib import Path
from typing import Protocol, Sequence

from espnet2_duplex.llm_source import read_llm_tokenizer
from espnet2_duplex.vocabulary import TextIds


class TextTokenizer(Protocol):
    """What a tokenizer offers; ``size`` counts the added special tokens as well."""

    ids: TextIds
    size: int

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`, without specials."""

    def decode(self, token_ids: Sequence[int]) -> str:
        """Text of `token_ids`, which hold no specials."""

    def encode_prompt(self, system_prompt: str) -> list[int]:
        """Token ids of a system prompt in the LLM's own chat template, if it has one."""

    def pieces(self) -> list[str]:
        """The vocabulary in the order of its ids."""


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

    def encode_prompt(self, system_prompt: str) -> list[int]:
        return self.encode(system_prompt)

    def pieces(self) -> list[str]:
        return [self.processor.id_to_piece(i) for i in range(self.size)]


class HuggingFaceTokenizer:
    """The tokenizer of a Hugging Face LLM, completed with the specials it lacks.

    Args:
        name_or_path: Hub name, folder, GGUF file, or the ``tokenizer.json`` inside a
            folder (the form in which a packed model names it).

    Raises:
        ValueError: If there is no such tokenizer.
    """

    def __init__(self, name_or_path: str | Path):
        path = Path(name_or_path)
        folder = path.parent if path.name == "tokenizer.json" else name_or_path
        self.tokenizer = read_llm_tokenizer(str(folder))
        self.ids = _complete_specials(self.tokenizer)
        self.size = len(self.tokenizer)

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)

    def decode(self, token_ids: Sequence[int]) -> str:
        return self.tokenizer.decode(list(token_ids), skip_special_tokens=True)

    def encode_prompt(self, system_prompt: str) -> list[int]:
        """See TextTokenizer.

        Raises:
            ValueError: If the template knows no system prompt of its own.
        """
        from jinja2 import TemplateError

        if self.tokenizer.chat_template is None:
            return self.encode(system_prompt)
        message = {"role": "system", "content": system_prompt}
        try:
            text = self.tokenizer.apply_chat_template([message], tokenize=False)
        except TemplateError as error:
            raise ValueError(
                f"the LLM's chat template takes no system prompt alone ({error}); "
                "leave system_prompt out"
            ) from error
        return self.encode(text)

    def pieces(self) -> list[str]:
        vocabulary = self.tokenizer.get_vocab()
        return sorted(vocabulary, key=vocabulary.__getitem__)


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


def vocabulary_digest(tokenizer: TextTokenizer) -> str:
    """A short name of the vocabulary, which tells two of the same size apart."""
    pieces = "\n".join(tokenizer.pieces()).encode(errors="surrogatepass")
    return hashlib.sha256(pieces).hexdigest()[:16]


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
