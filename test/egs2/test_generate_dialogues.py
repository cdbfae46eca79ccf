"""The command that writes conversations, with a scripted model in the model's place."""

import json

import generate_dialogues
import llm.command
import pytest
from chat_server import Server, completion
from conversation_format import read_conversations
from llm.contexts import read_contexts, read_topics, topic_of

from espnet2_duplex.chat.backend import Message, Prompt

GOOD = [
    "I like {subject}. What should I know?",
    "First of all, {subject} takes some time to learn well.",
    "That sounds good. Where do I begin?",
    "Begin at home, where it is quiet and warm.",
]
TOPICS = ["baking bread", "the moon", "train travel"]


class Model:
    """Writes good lines; every text for a topic in `bad` is too long."""

    name, licence = "scripted", "MIT"

    def __init__(self, bad=()):
        self.bad = bad
        self.num_prompts = 0

    def complete(self, prompts):
        self.num_prompts += len(prompts)
        return [self.write(prompt) for prompt in prompts]

    def write(self, prompt):
        is_first_system = prompt.messages[0].role == "system"
        after_examples = prompt.messages[5:] if is_first_system else prompt.messages
        chat = "\n".join(message.content for message in after_examples)
        subject = next(t for t in [*TOPICS, "Tea"] if t.lower() in chat.lower())
        if subject in self.bad:
            return "word " * 40
        lines = [line.format(subject=subject) for line in GOOD]
        if prompt.stop == ():
            labels = ["User", "Agent"] * 2
            return "\n".join(f"{a}: {b}" for a, b in zip(labels, lines))
        return lines[sum(line.split(".")[0] in chat for line in lines)]


def answered_by(model, refused=(), max_seed=2**31):
    """A server that answers as `model`; of `refused` topics it takes no prompt.

    Args:
        max_seed: prompts with larger seeds are taken all the same.
    """

    def answer(request):
        messages = tuple(Message(**message) for message in request["messages"])
        prompt = Prompt(messages, request["seed"])
        is_refused = any(topic in messages[-1].content for topic in refused)
        if is_refused and prompt.seed <= max_seed:
            return 400, "the content filter objects", {}
        return completion(model.write(prompt))

    return Server(answer)


@pytest.fixture
def topics(tmp_path):
    path = tmp_path / "topics.txt"
    path.write_text("# topics\n" + "\n".join(TOPICS) + "\n")
    return path


@pytest.fixture
def generate(monkeypatch, topics):
    def run(out, *options, model=None):
        model = model or Model()
        monkeypatch.setattr(llm.command, "open_llm", lambda *_, **__: model)
        options = ["--topics", str(topics), *options]
        generate_dialogues.main(
            ["--kind", "topic", "--num", "7", "--out", str(out), *options]
        )
        return model

    return run


@pytest.mark.parametrize("style", ["turns", "whole"])
def test_conversations_have_the_form_of_the_corpus(generate, tmp_path, style):
    out = tmp_path / "topic.jsonl"
    generate(out, "--style", style)
    conversations = read_conversations(out)
    assert [c.id for c in conversations] == [f"topic_{n:06d}" for n in range(7)]
    first = conversations[0]
    assert (first.source, first.licence) == ("topic", "MIT")
    assert [turn.role for turn in first.turns] == ["user", "agent"] * 2
    topic = first.origin.removeprefix("scripted, topic: ")
    assert [turn.text for turn in first.turns] == [
        line.format(subject=topic) for line in GOOD
    ]


def test_jobs_and_merge_give_the_bytes_of_one_job(generate, tmp_path):
    generate(tmp_path / "one.jsonl", "--chunk_size", "2")
    for job in "123":
        generate(
            tmp_path / "three.jsonl",
            *("--job", job, "--num_jobs", "3", "--chunk_size", "2"),
        )
        assert not (tmp_path / "three.jsonl").exists()
    model = generate(tmp_path / "three.jsonl", "--num_jobs", "3", "--merge")
    assert model.num_prompts == 0
    one, three = (tmp_path / f"{name}.jsonl" for name in ("one", "three"))
    assert one.read_bytes() == three.read_bytes()


def test_a_finished_run_asks_the_model_nothing(generate, tmp_path):
    out = tmp_path / "topic.jsonl"
    assert generate(out).num_prompts == 28
    assert generate(out).num_prompts == 0


def test_failed_conversations_are_reported_and_left_out(generate, tmp_path, capsys):
    out = tmp_path / "topic.jsonl"
    model = Model(bad=["the moon"])
    generate(out, "--max_attempts", "2", "--style", "whole", model=model)
    report = capsys.readouterr().out
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    failed = report.count("failed: topic_00000")
    assert failed in (2, 3) and len(rows) == 7 - failed
    assert f"accepted: {7 - failed} of 7 texts" in report
    assert f"rejected, not the form: {2 * failed}" in report


@pytest.fixture
def ask(topics, tmp_path):
    """Run the command with an endpoint."""

    def run(server, out, num, *options):
        args = ["--kind", "topic", "--num", str(num), "--out", str(out), *options]
        args += ["--topics", str(topics), "--downloads", str(tmp_path / "downloads")]
        args += ["--llm", server.url, "--llm_model", "llama", "--chunk_size", "4"]
        generate_dialogues.main(args)
        return [json.loads(line) for line in out.read_text().splitlines()]

    return run


def test_what_an_endpoint_refuses_costs_the_other_conversations_nothing(
    ask, tmp_path, capsys
):
    out = tmp_path / "topic.jsonl"
    with answered_by(Model(), refused=["the moon"]) as server:
        rows = ask(server, out, 7, "--max_attempts", "2")
        num_asked = len(server.requests)
        assert ask(server, out, 7, "--max_attempts", "2") == rows
        assert len(server.requests) == num_asked
    report = capsys.readouterr().out.split("the texts are in")[0]
    num_failed = report.count("failed: topic_")
    assert num_failed in (2, 3) and len(rows) == 7 - num_failed
    assert not any("the moon" in row["origin"] for row in rows)
    assert f"rejected, refused by the model: {2 * num_failed}" in report
    assert report.count("HTTP 400 ('the content filter objects')") == num_failed


def test_what_an_endpoint_refuses_once_is_written_at_another_attempt(
    ask, tmp_path, capsys
):
    with answered_by(Model(), ["the moon"], max_seed=2**30) as server:  # every second
        rows = ask(server, tmp_path / "topic.jsonl", 12)
    assert len(rows) == 12
    assert "rejected, refused by the model: " in capsys.readouterr().out


def test_a_larger_number_pays_for_the_new_conversations_only(ask, tmp_path):
    out = tmp_path / "topic.jsonl"
    with answered_by(Model()) as server:
        five = ask(server, out, 5)
        assert len(server.requests) == 5
        eight = ask(server, out, 8)
        assert len(server.requests) == 8
        assert ask(server, out, 3) == five[:3] == eight[:3]
        assert len(server.requests) == 8
    assert eight[:5] == five and len(eight) == 8


def test_another_seed_needs_another_output(generate, tmp_path):
    generate(tmp_path / "topic.jsonl")
    with pytest.raises(ValueError, match=r"other settings \(seed\)"):
        generate(tmp_path / "topic.jsonl", "--seed", "1")


def test_topics_come_all_once_in_an_order_of_the_seed():
    orders = [[topic_of(TOPICS, n, seed) for n in range(6)] for seed in range(5)]
    for order in orders:
        assert sorted(order[:3]) == sorted(order[3:]) == sorted(TOPICS)
    assert len({tuple(order) for order in orders}) > 1


def test_the_recipe_has_63_topics(root):
    topics = read_topics(root / "egs2/duplex_s2s/conf/topics.txt")
    assert len(set(topics)) == len(topics) == 63


def test_a_file_without_topics_is_told(tmp_path):
    (tmp_path / "topics.txt").write_text("# none\n\n")
    with pytest.raises(ValueError, match="has no topic"):
        read_topics(tmp_path / "topics.txt")


def write_chats(path, chats):
    path.write_text("".join(json.dumps(chat) + "\n" for chat in chats))


def test_chats_of_both_forms_give_their_first_exchange(tmp_path):
    path = tmp_path / "chats.jsonl"
    write_chats(
        path,
        [
            {"data": ["What is tea?", "Tea is a drink.", "Thanks.", "Bye."]},
            {
                "messages": [
                    {"role": "system", "content": "Be kind."},
                    {"role": "user", "content": "Is it late?"},
                    {"role": "assistant", "content": "Yes."},
                ]
            },
        ],
    )
    rows = read_contexts(path, tmp_path, num=5, seed=0)
    assert {row["context"]: row["origin"] for row in rows} == {
        "What is tea? Tea is a drink.": "chats.jsonl, chat 0",
        "Is it late? Yes.": "chats.jsonl, chat 1",
    }


def test_long_contexts_are_cut(tmp_path):
    path = tmp_path / "chats.jsonl"
    write_chats(path, [{"data": ["What is tea?", "Tea. " + "word " * 200]}] * 2)
    row, _ = read_contexts(path, tmp_path, num=2, seed=0)
    assert len(row["context"].split()) <= 60


def test_contexts_are_chosen_by_the_seed(tmp_path):
    path = tmp_path / "chats.jsonl"
    write_chats(path, [{"data": [f"Question {n}?", "Yes."]} for n in range(30)])
    chosen = [
        {row["context"] for row in read_contexts(path, tmp_path, num=5, seed=seed)}
        for seed in (0, 0, 1)
    ]
    assert chosen[0] == chosen[1] != chosen[2]
    assert len(chosen[0]) == 5


def test_of_more_contexts_the_first_ones_are_the_same(tmp_path):
    path = tmp_path / "chats.jsonl"
    write_chats(path, [{"data": [f"Question {n}?", "Yes."]} for n in range(30)])
    all_contexts = read_contexts(path, tmp_path, num=99, seed=0)
    assert len(all_contexts) == 30
    for num in range(1, 31):
        assert read_contexts(path, tmp_path, num=num, seed=0) == all_contexts[:num]


def test_a_larger_number_keeps_the_conversations_in_a_context(generate, tmp_path):
    chats = tmp_path / "chats.jsonl"
    write_chats(chats, [{"data": [f"What is tea {n}?", "A drink."]} for n in range(7)])
    out = tmp_path / "ultrachat.jsonl"
    found = []
    for num in ("5", "9"):
        generate(out, "--kind", "ultrachat", "--context", str(chats), "--num", num)
        found.append(out.read_text().splitlines())
    assert found[1][:5] == found[0] and len(found[1]) == 9


def test_conversations_in_a_context(generate, tmp_path):
    chats = tmp_path / "chats.jsonl"
    write_chats(chats, [{"data": ["What is tea?", "A drink of tea leaves."]}] * 2)
    out = tmp_path / "ultrachat.jsonl"
    generate(out, "--kind", "ultrachat", "--context", str(chats), "--num", "3")
    conversations = read_conversations(out)
    assert [c.source for c in conversations] == ["ultrachat"] * 3
    assert conversations[0].turns[0].text == "I like Tea. What should I know?"
    origins = [conversation.origin for conversation in conversations]
    assert sorted(origins[:2]) == [f"scripted, chats.jsonl, chat {n}" for n in (0, 1)]
    assert origins[2] == origins[0]


def test_endpoints_write_whole_texts_by_default():
    parse = generate_dialogues.get_parser().parse_args
    needed = ["--kind", "topic", "--num", "1", "--out", "x"]
    assert llm.command.style_of(parse(needed)) == "turns"
    assert llm.command.style_of(parse([*needed, "--llm", "http://h/v1"])) == "whole"
