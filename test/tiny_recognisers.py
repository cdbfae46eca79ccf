"""Recognisers with random weights and a handful of tokens, made in a folder."""

import json
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GenerationConfig,
    ParakeetCTCConfig,
    ParakeetEncoderConfig,
    ParakeetFeatureExtractor,
    ParakeetForCTC,
    ParakeetForTDT,
    ParakeetProcessor,
    ParakeetTDTConfig,
    ParakeetTokenizer,
    Wav2Vec2Config,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizer,
)

SIZES = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}


def make_wav2vec2(folder: Path) -> Path:
    """A CTC model with two letters; 20 ms frames."""
    tokens = ["<pad>", "<s>", "</s>", "<unk>", "|", "A", "B"]
    folder.mkdir()
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({token: n for n, token in enumerate(tokens)}))
    Wav2Vec2CTCTokenizer(str(vocabulary)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    torch.manual_seed(0)
    config = Wav2Vec2Config(
        vocab_size=len(tokens),
        hidden_size=16,
        conv_dim=(8, 8),
        conv_kernel=(10, 8),
        conv_stride=(20, 16),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        **SIZES,
    )
    Wav2Vec2ForCTC(config).save_pretrained(folder)
    return folder


def _parakeet_processor(folder: Path, tokens: list[str]) -> None:
    vocabulary = {token: n for n, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.decoder = decoders.Metaspace()
    tokenizer = ParakeetTokenizer(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>"
    )
    features = ParakeetFeatureExtractor(feature_size=16)
    ParakeetProcessor(features, tokenizer).save_pretrained(folder)


def _parakeet_encoder() -> dict:
    torch.manual_seed(0)
    return ParakeetEncoderConfig(
        hidden_size=16,
        num_mel_bins=16,
        subsampling_conv_channels=4,
        conv_kernel_size=3,
        **SIZES,
    ).to_dict()


def make_parakeet_ctc(folder: Path) -> Path:
    """A CTC model with three pieces of words; 80 ms frames."""
    tokens = ["<unk>", "\u2581a", "b", "\u2581c", "<pad>"]
    _parakeet_processor(folder, tokens)
    config = ParakeetCTCConfig(
        vocab_size=len(tokens), encoder_config=_parakeet_encoder(), pad_token_id=4
    )
    ParakeetForCTC(config).save_pretrained(folder)
    return folder


def make_parakeet_tdt(folder: Path) -> Path:
    """The same with durations of tokens."""
    tokens = ["<unk>", "\u2581a", "b", "\u2581c", "<pad>", "<blank>"]
    _parakeet_processor(folder, tokens)
    config = ParakeetTDTConfig(
        vocab_size=len(tokens),
        encoder_config=_parakeet_encoder(),
        decoder_hidden_size=8,
        blank_token_id=5,
        pad_token_id=4,
    )
    model = ParakeetForTDT(config)
    model.generation_config.decoder_start_token_id = 5
    model.save_pretrained(folder)
    return folder


def make_whisper(folder: Path) -> Path:
    """An English Whisper whose words are single letters."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: n for n, letter in enumerate(alphabet)}
    specials = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>"]
    specials += ["<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
    specials += ["<|notimestamps|>"]
    times = [f"<|{n * 0.02:.2f}|>" for n in range(1501)]
    tokenizer = WhisperTokenizer(vocab=vocabulary, merges=[], pad_token="<|endoftext|>")
    tokenizer.add_tokens([AddedToken(name, special=True) for name in specials])
    tokenizer.add_tokens([AddedToken(name, special=False) for name in times])
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in specials}
    torch.manual_seed(0)
    end = ids["<|endoftext|>"]
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        decoder_start_token_id=ids["<|startoftranscript|>"],
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
    )
    model = WhisperForConditionalGeneration(config)
    letters = {vocabulary[letter] for letter in "\u0120abc"}  # the first is a blank
    model.generation_config = GenerationConfig(
        decoder_start_token_id=config.decoder_start_token_id,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        is_multilingual=False,
        alignment_heads=[[0, 0]],
        no_timestamps_token_id=ids["<|notimestamps|>"],
        max_new_tokens=12,
        suppress_tokens=[n for n in range(len(tokenizer)) if n not in letters],
    )
    model.save_pretrained(folder)
    return folder
