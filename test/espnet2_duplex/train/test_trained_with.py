import pytest
from conftest import TEXTS

from espnet2_duplex.bin.duplex_s2s_text_tokens import train_sentencepiece
from espnet2_duplex.tokenizer import SentencePieceTokenizer
from espnet2_duplex.train.trained_with import check, describe


def test_own_tokenizer_and_codec_are_accepted(tiny_tokenizer, tiny_codec):
    found = describe(tiny_tokenizer, tiny_codec)
    check(found, describe(tiny_tokenizer, tiny_codec), "bpe.model", "codec.pth")
    check({}, found, "bpe.model", "codec.pth")  # of an earlier version


def test_another_tokenizer_of_the_same_size_is_refused(
    tiny_tokenizer, tiny_codec, tmp_path
):
    texts = [text.replace("e", "q") for text in TEXTS]
    train_sentencepiece(texts, 60, tmp_path / "other.model")  # as the tiny one
    other = SentencePieceTokenizer(tmp_path / "other.model")
    assert other.size == tiny_tokenizer.size
    trained, found = describe(tiny_tokenizer, tiny_codec), describe(other, tiny_codec)
    with pytest.raises(ValueError, match="but other.model has .* text tokens"):
        check(trained, found, "other.model", "codec.pth")


def test_codec_with_other_codes_is_refused(tiny_tokenizer, tiny_codec):
    trained = describe(tiny_tokenizer, tiny_codec)
    tiny_codec.silence_codes += 1
    found = describe(tiny_tokenizer, tiny_codec)
    with pytest.raises(ValueError, match="trained with 4 codebooks.*but codec.pth has"):
        check(trained, found, "bpe.model", "codec.pth")
