"""The local backend, with a random model of some ten thousand parameters."""

import pytest
import torch
from conftest import TINY_LLM, save_llm_tokenizer
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig
from transformers import LlamaForCausalLM as Llama

from espnet2_duplex.chat.attention import GROUPED
from espnet2_duplex.chat.backend import Message, Prompt, Unavailable, open_backend
from espnet2_duplex.chat.local_model import (
    LocalModel,
    alike,
    common_prefix_length,
    draw,
)

CHAT_TEMPLATE = (
    "{% for message in messages %}<s>{{ message['role'] }}\n{{ message['content'] }}"
    "</s>{% endfor %}{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("llm")
    size = save_llm_tokenizer(path, eos_token="</s>", bos_token="<s>")
    tokenizer = AutoTokenizer.from_pretrained(path)
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(path)
    torch.manual_seed(3)
    config = LlamaConfig(**{**TINY_LLM, "vocab_size": size})
    model = Llama(config)
    torch.nn.init.normal_(model.lm_head.weight, std=0.5)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def backend(folder):
    return LocalModel(folder, device="cpu")


def prompt(text, seed=0, **changes):
    messages = (Message("system", "Speak."), Message("user", text))
    return Prompt(messages, seed, **{"max_tokens": 12, **changes})


def greedy(folder, text):
    """What transformers itself generates."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer.apply_chat_template(
        prompt(text).chat(), add_generation_prompt=True, return_tensors="pt"
    )["input_ids"]
    output = model.generate(ids, do_sample=False, max_new_tokens=12)
    return tokenizer.decode(output[0, ids.shape[1] :], skip_special_tokens=True).strip()


def test_a_batch_gives_what_transformers_generates_for_each_alone(folder, backend):
    texts = ["The sun is a star.", "Water", "A spider has eight legs. Water boils."]
    prompts = [prompt(text, temperature=0) for text in texts]
    assert backend.complete(prompts) == [greedy(folder, text) for text in texts]


def test_messages_that_the_chat_template_does_not_take_are_told(folder):
    backend = LocalModel(folder, device="cpu")
    backend._tokenizer.chat_template = "{{ raise_exception('System role?') }}"
    with pytest.raises(Unavailable, match="does not take the messages .System role"):
        backend.complete([prompt("Water")])


def test_a_seed_gives_its_text_whatever_is_written_beside_it(backend):
    alone = backend.complete([prompt("Water", seed=5)])
    others = [prompt("The sun is a star.", seed=n) for n in range(3)]
    together = backend.complete([*others, prompt("Water", seed=5)])
    assert together[-1:] == alone
    assert backend.complete([prompt("Water", seed=6)]) != alone


def test_prompts_with_and_without_system_message_keep_their_order(backend):
    plain = Prompt((Message("user", "Water"),), 1, max_tokens=12, temperature=0)
    mixed = [prompt("Water", temperature=0), plain, prompt("Lima", temperature=0)]
    assert backend.complete(mixed) == [backend.complete([one])[0] for one in mixed]


def test_a_text_ends_before_the_stop_string(backend):
    (whole,) = backend.complete([prompt("Water", seed=5)])
    stop = whole[len(whole) // 2]
    (cut,) = backend.complete([prompt("Water", seed=5, stop=(stop,))])
    assert cut == whole[: whole.index(stop)].strip()


def test_an_opened_message_is_continued(folder, backend):
    opened = Prompt((Message("user", "Hi"), Message("assistant", "User:")), 1)
    (ids,) = [backend._token_ids(opened)]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.decode(ids).endswith("<s>assistant\nUser:")


def next_token_shares(folder, text):
    """Probabilities (V,) after a text, from the model as transformers runs it."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        return model(ids).logits[0, -1].softmax(dim=0), tokenizer


def test_probabilities_of_choices_are_those_of_their_tokens(folder, backend):
    prompts = [
        Prompt((Message("user", text), Message("assistant", "Score: ")), 1)
        for text in ("Hi", "The sun is a star.")
    ]
    rows = backend.choice_probabilities(prompts, ["7", "1", "10"])
    for row, prompt in zip(rows, prompts, strict=True):
        opened = f"<s>user\n{prompt.messages[0].content}</s><s>assistant\nScore: "
        shares, tokenizer = next_token_shares(folder, opened)
        after_one, _ = next_token_shares(folder, opened + "1")
        zero, one, seven = (tokenizer.encode(digit)[-1] for digit in "017")
        expected = [
            shares[seven],
            shares[one] * (1 - after_one[zero]),
            shares[one] * after_one[zero],
        ]
        assert row == pytest.approx([float(e) for e in expected], rel=1e-3)


def test_choices_of_one_prompt_do_not_depend_on_the_others(backend):
    prompts = [
        Prompt((Message("user", text), Message("assistant", "Score: ")), 1)
        for text in ("Hi", "Hi", "Water boils.")
    ]
    together = backend.choice_probabilities(prompts, ["1", "10", "3"])
    assert together[0] == pytest.approx(together[1])
    alone = [
        backend.choice_probabilities([prompt], ["1", "10", "3"]) for prompt in prompts
    ]
    for row, (single,) in zip(together, alone, strict=True):
        assert row == pytest.approx(single, rel=1e-3)


def test_grouped_attention_equals_that_of_transformers(folder):
    ids = torch.arange(12).view(3, 4) + 20
    mask = torch.ones(3, 5, dtype=torch.long)
    mask[1, :2] = 0
    logits = []
    for attention in ("sdpa", GROUPED):
        model = AutoModelForCausalLM.from_pretrained(
            folder, attn_implementation=attention
        )
        cache = model(ids, attention_mask=mask[:, :4], use_cache=True).past_key_values
        output = model(ids[:, :1], attention_mask=mask, past_key_values=cache)
        logits.append(output.logits)
    torch.testing.assert_close(*logits)


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(ValueError, match="no model that transformers can load"):
        open_backend(str(tmp_path), cache=tmp_path)


def test_a_model_without_chat_template_is_told(folder, tmp_path):
    AutoModelForCausalLM.from_pretrained(folder).save_pretrained(tmp_path)
    save_llm_tokenizer(tmp_path, eos_token="</s>")
    with pytest.raises(ValueError, match="no chat template"):
        LocalModel(tmp_path)


@pytest.mark.parametrize(
    "number, expected", [(0.0, 0), (0.62, 0), (0.63, 1), (0.999999, 1)]
)
def test_drawing_keeps_to_the_likeliest_tokens(number, expected):
    # 0.5 and 0.3 make up 0.7; the third is never drawn, the first has 5/8.
    assert draw([0.5, 0.3, 0.2], 0.7, number) == expected


@given(
    st.lists(st.floats(0.01, 1), min_size=1, max_size=9),
    st.floats(0, 1),
    st.floats(0, 1, exclude_max=True),
)
def test_some_token_is_always_drawn(weights, top_p, number):
    shares = sorted((w / sum(weights) for w in weights), reverse=True)
    assert 0 <= draw(shares, top_p, number) < len(shares)


def test_the_shared_beginning_leaves_each_row_a_token():
    assert common_prefix_length([[1, 2, 3], [1, 2, 4, 5]]) == 2
    assert common_prefix_length([[1, 2], [1, 2]]) == 1
    assert common_prefix_length([[1], [2]]) == 0


def test_prompts_with_the_same_system_message_go_together():
    user = (Message("user", "Hi"),)
    one, two = Message("system", "one"), Message("system", "two")
    chats = [(one, *user), user, (two, *user), (one, *user), (Message("user", "a"),)]
    prompts = [Prompt(chat, 0) for chat in chats]
    assert alike(prompts) == [[0, 3], [1, 4], [2]]
