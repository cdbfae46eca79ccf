"""What a model was trained with, so that nobody runs it with something else."""

from typing import Any

from espnet2_duplex.codec.abs_codec import AbsCodec
from espnet2_duplex.tokenizer import TextTokenizer, vocabulary_digest


def describe(tokenizer: TextTokenizer, codec: AbsCodec) -> dict[str, dict[str, Any]]:
    """What identifies a tokenizer and the codes of a codec, as values for YAML.

    Two codecs are the same if their codes are: a decoder that was adapted to a voice
    may take the place of another. The codes of silence stand for the encoder.
    """
    ids = tokenizer.ids
    return {
        "text_tokens": {
            "num_tokens": tokenizer.size,
            "specials": [ids.bos, ids.eos, ids.pad],
            "digest": vocabulary_digest(tokenizer),
        },
        "codec": {
            "num_codebooks": codec.num_codebooks,
            "codebook_size": codec.codebook_size,
            "silence_codes": codec.silence_codes.tolist(),
        },
    }


def check(
    trained: dict[str, dict[str, Any]],
    found: dict[str, dict[str, Any]],
    tokenizer_path: str,
    codec_path: str,
) -> None:
    """Refuse another tokenizer or codec than the one of the training.

    Args:
        trained: What `describe` gave in training; empty if nobody knows.
        found: What it gives now.
        tokenizer_path: Where the tokenizer was found.
        codec_path: Where the codec was found.

    Raises:
        ValueError: If they differ.
    """
    if trained and trained["text_tokens"] != found["text_tokens"]:
        raise ValueError(
            f"the checkpoint was trained with {_tokens(trained)}, but {tokenizer_path} "
            f"has {_tokens(found)}; give the tokenizer of the training, or train anew in "
            "another folder"
        )
    if trained and trained["codec"] != found["codec"]:
        raise ValueError(
            f"the checkpoint was trained with {_codec(trained)}, but {codec_path} has "
            f"{_codec(found)}; give the codec of the training, or tokenize and train "
            "anew in another folder"
        )


def _tokens(description: dict) -> str:
    tokens = description["text_tokens"]
    return f"{tokens['num_tokens']} text tokens ({tokens['digest']})"


def _codec(description: dict) -> str:
    codec = description["codec"]
    return (
        f"{codec['num_codebooks']} codebooks of {codec['codebook_size']} codes with "
        f"silence {codec['silence_codes']}"
    )
