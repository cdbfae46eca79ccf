import pytest
from conftest import TEXTS, save_llm_tokenizer
from tiny_llms import write_gguf

from espnet2_duplex.bin import duplex_s2s_text_tokens
from espnet2_duplex.conversation import Turn, turns_to_json
from espnet2_duplex.tokenizer import load_tokenizer, vocabulary_digest

CHAT_TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}{{ 'Be kind.' }}{% endif %}"
    "{% for m in messages %}<|im|>{{ m['role'] }}: {{ m['content'] }}<|end|>{% endfor %}"
)
NO_SYSTEM_ROLE = "{{ raise_exception('System role not supported') }}"


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


def load_chat_tokenizer(folder, chat_template=None):
    save_llm_tokenizer(folder, eos_token="<|end|>", bos_token="<|im|>")
    if chat_template is not None:
        (folder / "chat_template.jinja").write_text(chat_template)
    return load_tokenizer("hugging_face", folder)


def test_chat_model_keeps_its_template_for_a_system_prompt(tmp_path):
    tokenizer = load_chat_tokenizer(tmp_path, CHAT_TEMPLATE)
    ids = tokenizer.encode_prompt("Be brief.")
    assert tokenizer.tokenizer.decode(ids) == "<|im|>system: Be brief.<|end|>"
    assert (ids[0], ids[-1]) == (tokenizer.ids.bos, tokenizer.ids.eos)


def test_prompt_of_a_model_without_template_is_plain_text(tmp_path, tiny_tokenizer):
    tokenizer = load_chat_tokenizer(tmp_path)
    assert tokenizer.encode_prompt("Be brief.") == tokenizer.encode("Be brief.")
    text = TEXTS[0]
    assert tiny_tokenizer.decode(tiny_tokenizer.encode_prompt(text)) == text


def test_template_that_takes_no_system_prompt_is_explained(tmp_path):
    tokenizer = load_chat_tokenizer(tmp_path, NO_SYSTEM_ROLE)
    with pytest.raises(ValueError, match="no system prompt alone .System role not"):
        tokenizer.encode_prompt("Be brief.")


def test_digest_tells_vocabularies_apart(tmp_path, tiny_tokenizer):
    one = load_chat_tokenizer(tmp_path / "one")
    save_llm_tokenizer(tmp_path / "two", eos_token="<|end|>", bos_token="<|mi|>")
    two = load_tokenizer("hugging_face", tmp_path / "two")
    again = load_tokenizer("hugging_face", tmp_path / "one/tokenizer.json")
    assert one.size == two.size == len(one.pieces())
    assert vocabulary_digest(one) == vocabulary_digest(again)
    digests = {vocabulary_digest(t) for t in (one, two, tiny_tokenizer)}
    assert len(digests) == 3


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


def test_stage_6_saves_the_tokenizer_of_a_gguf_file(tmp_path):
    write_gguf(tmp_path / "llm.gguf", ["<begin>", "<end>", "a", "b", "ab", "c", "bc"])
    duplex_s2s_text_tokens.main(
        [
            *("--token_type", "hugging_face"),
            *("--llm", str(tmp_path / "llm.gguf")),
            *("--output", str(tmp_path / "tokens.gguf")),  # named after the file
        ]
    )
    path = tmp_path / "tokens.gguf" / "tokenizer.json"
    tokenizer = load_tokenizer("hugging_face", path)
    assert (tokenizer.ids.bos, tokenizer.ids.eos) == (0, 1)
    assert tokenizer.encode("abc") == [4, 5]


def test_turns_without_agent_text_are_refused(tmp_path):
    (tmp_path / "turns").write_text("a []\n")
    with pytest.raises(ValueError, match="no agent turn"):
        duplex_s2s_text_tokens.main(
            ["--turns", str(tmp_path / "turns"), "--output", str(tmp_path)]
        )
