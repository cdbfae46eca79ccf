"""Attempts, chunks, jobs and taking up again, with a scripted model."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llm.prompts import load_prompts
from llm.runner import Item, Job, Parts, Record, merge, report_lines, run, write_chunk
from llm.writing import Rejected, Script, write_turns, write_whole

from espnet2_duplex.chat.backend import Message, Prompt

SETTINGS = {"seed": 0}
PROMPTS = """# about this file
[system]
At most {max_words} words.
[request]
Topic: {topic}
[answer]
{line} Be short.
[example]
topic: tea
User: What is tea?
Agent: A drink.
"""


class Scripted:
    """Gives `answer(prompt)`; keeps the sizes of the batches."""

    name, licence = "scripted", "none"

    def __init__(self, answer):
        self.answer = answer
        self.sizes = []

    def complete(self, prompts):
        self.sizes.append(len(prompts))
        return [self.answer(prompt) for prompt in prompts]


def counting_item(index, needed):
    """An item that takes `needed` attempts of two prompts each."""

    def begin(attempt, rejections):
        message = Message("user", f"{index}")
        first = yield Prompt((message,), seed=attempt)
        if attempt + 1 < needed:
            rejections["too early"] += 1
            raise Rejected
        second = yield Prompt((message,), seed=attempt)
        return [first, second]

    return Item(f"item{index}", begin, lambda lines: {"id": index, "lines": lines})


def echo(prompt):
    return f"{prompt.messages[0].content}-{prompt.seed}"


def test_rejected_texts_get_new_attempts_up_to_the_limit():
    items = {n: counting_item(n, needed) for n, needed in enumerate([1, 3, 4])}
    first, second, third = write_chunk(items, Scripted(echo), max_attempts=3)
    assert first == Record(0, "item0", 1, {}, {"id": 0, "lines": ["0-0", "0-0"]})
    row = {"id": 1, "lines": ["1-2", "1-2"]}
    assert second == Record(1, "item1", 3, {"too early": 2}, row)
    assert third == Record(2, "item2", 3, {"too early": 3}, None)


def test_unfinished_texts_share_each_round():
    backend = Scripted(echo)
    ended = []
    items = {n: counting_item(n, needed) for n, needed in enumerate([1, 3, 4])}
    write_chunk(items, backend, 3, lambda: ended.append(len(backend.sizes)))
    assert backend.sizes == [3, 3, 2, 1]
    assert ended == [2, 3, 4]


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 5))
def test_jobs_share_all_items_in_the_same_chunks(num_items, chunk_size, num_jobs):
    alone = Job().chunks(num_items, chunk_size)
    shared = [
        chunk
        for number in range(1, num_jobs + 1)
        for chunk in Job(number, num_jobs).chunks(num_items, chunk_size)
    ]
    assert sorted(shared, key=lambda chunk: chunk.start) == alone
    assert [n for chunk in alone for n in chunk] == list(range(num_items))


def test_a_job_outside_its_count_is_told():
    with pytest.raises(ValueError, match="--job is 3 of --num_jobs 2"):
        Job(3, 2)


def written(folder, num_jobs, items):
    out = folder / "out.jsonl"
    parts = Parts(out)
    parts.check_settings(SETTINGS)
    for number in range(1, num_jobs + 1):
        run(items, Scripted(echo), parts, Job(number, num_jobs), 3, 3)
    merge(parts, len(items), out)
    return out.read_bytes()


def test_any_number_of_jobs_gives_the_same_file(tmp_path):
    items = [counting_item(n, 1 + n % 3) for n in range(14)]
    assert written(tmp_path / "one", 1, items) == written(tmp_path / "four", 4, items)


def test_a_killed_job_goes_on_after_its_last_whole_chunk(tmp_path):
    items = [counting_item(n, 1) for n in range(9)]
    expected = written(tmp_path / "whole", 1, items)
    written(tmp_path / "torn", 1, items)
    path = tmp_path / "torn" / "out.parts" / "job1of1.jsonl"
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(lines[:4]) + b"\n" + lines[4][:9])  # 1 1/3 chunks
    backend = Scripted(echo)
    parts = Parts(tmp_path / "torn" / "out.jsonl")
    run(items, backend, parts, Job(), 3, 3)
    assert backend.sizes == [3, 3, 3, 3]  # two chunks of two prompts
    merge(parts, 9, tmp_path / "torn" / "out.jsonl")
    assert (tmp_path / "torn" / "out.jsonl").read_bytes() == expected
    assert all(json.loads(line) for line in path.read_bytes().splitlines())


def test_a_finished_run_asks_nothing_more_with_another_number_of_jobs(tmp_path):
    items = [counting_item(n, 1) for n in range(7)]
    written(tmp_path, 3, items)
    backend = Scripted(echo)
    run(items, backend, Parts(tmp_path / "out.jsonl"), Job(2, 2), 3, 3)
    assert backend.sizes == []


def test_parts_of_other_settings_are_not_mixed(tmp_path):
    Parts(tmp_path / "out.jsonl").check_settings({"seed": 0, "llm": "a"})
    with pytest.raises(ValueError, match=r"other settings \(seed\)"):
        Parts(tmp_path / "out.jsonl").check_settings({"seed": 1, "llm": "a"})


def test_merging_before_all_is_written_is_told(tmp_path):
    parts = Parts(tmp_path / "out.jsonl")
    items = [counting_item(n, 1) for n in range(7)]
    parts.check_settings(SETTINGS)
    run(items, Scripted(echo), parts, Job(1, 2), 3, 3)
    with pytest.raises(ValueError, match="4 of 7 texts"):
        merge(parts, 7, tmp_path / "out.jsonl")


def test_the_report_counts_rejections_and_names_what_failed():
    records = [
        Record(0, "a", 1, {}, {"id": "a"}),
        Record(1, "b", 3, {"too long": 2, "off topic": 1}, None),
        Record(2, "c", 2, {"off topic": 4}, {"id": "c"}),
    ]
    assert list(report_lines(records)) == [
        "accepted: 2 of 3 texts in 6 attempts (33% of the attempts)",
        "rejected, off topic: 5",
        "rejected, too long: 2",
        "failed: b after 3 attempts (too long 2, off topic 1)",
    ]


def test_nothing_accepted_is_an_error(tmp_path):
    parts = Parts(tmp_path / "out.jsonl")
    parts.check_settings(SETTINGS)
    run([counting_item(0, 9)], Scripted(echo), parts, Job(), 3, 2)
    with pytest.raises(ValueError, match="None of 1 texts"):
        merge(parts, 1, tmp_path / "out.jsonl")


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "topic.txt"
    path.write_text(PROMPTS)

    def make(objection=lambda text, earlier: None):
        values = {"topic": "snow", "max_words": "6"}
        prompts = load_prompts(path)
        return Script("0/x", prompts, ("User", "Agent"), 2, values, 6, objection)

    return make


def drive(writing, texts):
    """Send the texts one by one; returns (prompts, lines or None)."""
    prompts = [next(writing)]
    for text in texts:
        try:
            prompts.append(writing.send(text))
        except StopIteration as end:
            return prompts, end.value
        except Rejected:
            return prompts, None
    return prompts, None


def test_whole_texts_are_asked_for_after_the_examples(script):
    prompts, lines = drive(
        write_whole(script(), 0, Counter()), ["User: Is it cold?\nAgent: It is."]
    )
    assert lines == ["Is it cold?", "It is."]
    assert [(m.role, m.content) for m in prompts[0].messages] == [
        ("system", "At most 6 words."),
        ("user", "Topic: tea"),
        ("assistant", "User: What is tea?\nAgent: A drink."),
        ("user", "Topic: snow"),
    ]


def test_a_whole_text_is_rejected_by_form_or_by_a_line(script):
    rejections = Counter()
    no_snow = script(lambda text, earlier: "too long" if "snow" in text else None)
    for text in ("User: Is it?", "User: Is it snow?\nAgent: It is."):
        assert drive(write_whole(no_snow, 0, rejections), [text])[1] is None
    assert rejections == {"not the form": 1, "too long": 1}


def test_turns_go_on_with_the_transcript_and_answer_in_a_chat(script):
    prompts, lines = drive(write_turns(script(), 0, Counter()), ["Is it?", "It is."])
    assert lines == ["Is it?", "It is."]
    user, agent = prompts
    assert user.messages[-1] == Message("assistant", "User:")
    assert agent.messages == (Message("user", "Is it? Be short."),)
    assert user.stop == agent.stop == ("\n",)
    assert user.seed != agent.seed


def test_a_rejected_turn_is_tried_again_with_another_seed(script):
    def objection(text, earlier):
        return "bad" if text == "No." else None

    rejections = Counter()
    texts = ["No.", "Is it?", "No.", "It is."]
    prompts, lines = drive(write_turns(script(objection), 0, rejections), texts)
    assert lines == ["Is it?", "It is."]
    assert rejections == {"bad": 2}
    assert len({prompt.seed for prompt in prompts}) == 4
    assert prompts[3].temperature > prompts[2].temperature
    _, lines = drive(write_turns(script(objection), 0, Counter()), ["No."] * 4)
    assert lines is None


def test_an_attempt_has_its_own_seeds(script):
    (first, *_), _ = drive(write_turns(script(), 0, Counter()), [])
    (second, *_), _ = drive(write_turns(script(), 1, Counter()), [])
    assert first.seed != second.seed


@pytest.mark.parametrize(
    "text, message",
    [
        ("hello\n[system]\nx", "line 1 stands before"),
        ("[request]\nx", r"no section \[system\]"),
        ("[system]\n{place}", r"placeholder \{place\}"),
        ("[system]\nx\n[request]\nx\n[example]\nAgent: Hi.", "begins with User:"),
    ],
)
def test_a_faulty_prompt_file_is_told(tmp_path, text, message):
    path = tmp_path / "prompts.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        values = {"topic": "snow", "max_words": "6"}
        prompts = load_prompts(path)
        Script(
            "0", prompts, ("User", "Agent"), 2, values, 6, lambda *_: None
        ).introduction()
