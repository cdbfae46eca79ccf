import pytest
from conftest import TEXTS, save_llm_tokenizer

from espnet2_duplex.bin import duplex_s2s_text_tokens
from espnet2_duplex.conversation import Turn, turns_to_json
from espnet2_duplex.tokenizer import load_tokenizer


def test_sentencepiece_round_trip(tiny_tokenizer):
    for text in TEXTS:
        ids = tiny_tokenizer.encode(text)
        assert tiny_tokenizer.decode(ids) == text
        specials = {
            tiny_tokenizer.ids.bos,
            tiny_tokenizer.ids.eos,
            tiny_tokenizer.ids.pad,
        }
        assert not specials & set(ids)


def test_llm_without_bos_and_with_eos_as_pad_gets_specials(tmp_path):
    size = save_llm_tokenizer(tmp_path, eos_token="<|end|>", pad_token="<|end|>")
    tokenizer = load_tokenizer("hugging_face", tmp_path)
    ids = tokenizer.ids
    assert len({ids.bos, ids.eos, ids.pad}) == 3
    assert tokenizer.size == size + 2
    text = TEXTS[0]
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_llm_with_all_specials_is_left_alone(tmp_path):
    size = save_llm_tokenizer(
        tmp_path, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    assert load_tokenizer("hugging_face", tmp_path / "tokenizer.json").size == size


def test_unknown_type_and_missing_model_are_explained(tmp_path):
    with pytest.raises(ValueError, match="token_type is 'char'"):
        load_tokenizer("char", "x")
    with pytest.raises(ValueError, match="stage 6"):
        load_tokenizer("bpe", tmp_path / "none.model")


def test_stage_6_learns_the_agents_words(tmp_path):
    turns = [Turn("user", 0.0, 1.0, "zebra"), Turn("agent", 1.0, 2.0, TEXTS[0])]
    (tmp_path / "turns").write_text(f"a {turns_to_json(turns)}\n")
    duplex_s2s_text_tokens.main(
        ["--turns", str(tmp_path / "turns"), "--output", str(tmp_path)]
    )
    tokenizer = load_tokenizer("bpe", tmp_path / "bpe.model")
    assert tokenizer.decode(tokenizer.encode(TEXTS[0])) == TEXTS[0]
    assert tokenizer.decode(tokenizer.encode("zebra")) != "zebra"


def test_tokens_that_do_not_fit_their_turn_are_counted(tiny_tokenizer, tmp_path):
    num_tokens = len(tiny_tokenizer.encode(TEXTS[0]))
    room = 4  # frames between <BOS> and <EOS>
    turns = [Turn("agent", 0.0, 0.08 * (room + 1), TEXTS[0])]
    (tmp_path / "turns").write_text(f"a {turns_to_json(turns)}\n")
    counts = duplex_s2s_text_tokens.count_dropped([tmp_path / "turns"], tiny_tokenizer)
    assert counts == (num_tokens - room, num_tokens)


def test_stage_6_saves_an_llms_tokenizer(tmp_path):
    save_llm_tokenizer(tmp_path / "llm", eos_token="</s>")
    duplex_s2s_text_tokens.main(
        [
            *("--token_type", "hugging_face"),
            *("--llm", str(tmp_path / "llm")),
            *("--output", str(tmp_path / "tokens")),
        ]
    )
    assert load_tokenizer("hugging_face", tmp_path / "tokens/tokenizer.json").size > 3


def test_turns_without_agent_text_are_refused(tmp_path):
    (tmp_path / "turns").write_text("a []\n")
    with pytest.raises(ValueError, match="no agent turn"):
        duplex_s2s_text_tokens.main(
            ["--turns", str(tmp_path / "turns"), "--output", str(tmp_path)]
        )
