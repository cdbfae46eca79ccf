"""Attempts, chunks, jobs and taking up again, with a scripted model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llm.parts import Parts, Record
from llm.runner import Item, Job, merge, report_lines, run, write_chunk
from llm.writing import Rejected

from espnet2_duplex.chat.backend import Message, Prompt, Refused

SETTINGS = {"seed": 0}


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


def refusing(*refused):
    """Echoes, but of `refused` it takes none, nor what is put together with it."""

    def answer(prompt):
        if echo(prompt) in refused:
            raise Refused(f"no {echo(prompt)}")
        return echo(prompt)

    return Scripted(answer)


def test_a_refused_prompt_costs_its_own_item_an_attempt_and_the_others_nothing():
    items = {n: counting_item(n, 1) for n in range(3)}
    first, second, third = write_chunk(items, refusing("1-0"), max_attempts=3)
    assert first == Record(0, "item0", 1, {}, {"id": 0, "lines": ["0-0", "0-0"]})
    row = {"id": 1, "lines": ["1-1", "1-1"]}
    refused = {"refused by the model": 1}
    assert second == Record(1, "item1", 2, refused, row, "no 1-0")
    assert third == Record(2, "item2", 1, {}, {"id": 2, "lines": ["2-0", "2-0"]})


def test_an_item_that_is_always_refused_comes_to_an_end():
    items = {n: counting_item(n, 1) for n in range(2)}
    first, second = write_chunk(items, refusing("1-0", "1-1"), max_attempts=2)
    assert first.row is not None
    assert second == Record(1, "item1", 2, {"refused by the model": 2}, None, "no 1-1")


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


def chunk_files(out):
    return sorted(out.with_name("out.parts").glob("chunk*"))


def test_a_killed_job_goes_on_after_its_last_whole_chunk(tmp_path):
    items = [counting_item(n, 1) for n in range(9)]
    out = tmp_path / "out.jsonl"
    expected = written(tmp_path, 1, items)
    _, second, third = chunk_files(out)
    half = second.with_name(f".{second.name}.0.tmp")
    half.write_bytes(second.read_bytes()[:30])
    second.unlink()
    third.unlink()
    backend = Scripted(echo)
    run(items, backend, Parts(out), Job(), 3, 3)
    assert backend.sizes == [3, 3, 3, 3]  # two chunks of two prompts
    merge(Parts(out), 9, out)
    assert out.read_bytes() == expected


def test_jobs_of_a_killed_run_that_live_on_change_nothing(tmp_path):
    items = [counting_item(n, 1) for n in range(9)]
    expected = written(tmp_path / "whole", 1, items)
    out = tmp_path / "out.jsonl"

    def answer(prompt):
        if not chunk_files(out):  # they write all while the new run has nothing yet
            run(items, Scripted(echo), Parts(out), Job(), 3, 3)
        return echo(prompt)

    run(items, Scripted(answer), Parts(out), Job(1, 2), 3, 3)
    run(items, Scripted(echo), Parts(out), Job(2, 2), 3, 3)
    merge(Parts(out), 9, out)
    assert out.read_bytes() == expected


def test_a_larger_number_keeps_whole_chunks_and_fills_up_the_last_one(tmp_path):
    items = [counting_item(n, 1) for n in range(9)]
    expected = written(tmp_path / "nine", 1, items)
    written(tmp_path, 1, items[:5])
    before = chunk_files(tmp_path / "out.jsonl")[0].stat().st_mtime_ns
    backend = Scripted(echo)
    out = tmp_path / "out.jsonl"
    run(items, backend, Parts(out), Job(), 3, 3)
    assert backend.sizes == [3, 3, 3, 3]  # indices 3 to 5, then 6 to 8
    assert chunk_files(out)[0].stat().st_mtime_ns == before
    merge(Parts(out), 9, out)
    assert out.read_bytes() == expected


def test_a_smaller_number_takes_the_first_and_loses_none(tmp_path):
    items = [counting_item(n, 1) for n in range(9)]
    first_five = written(tmp_path / "five", 1, items[:5])
    all_nine = written(tmp_path, 1, items)
    backend = Scripted(echo)
    out = tmp_path / "out.jsonl"
    for num_items, expected in ((5, first_five), (9, all_nine)):
        run(items[:num_items], backend, Parts(out), Job(), 3, 3)
        merge(Parts(out), num_items, out)
        assert out.read_bytes() == expected
    assert backend.sizes == []


def test_a_damaged_chunk_is_named(tmp_path):
    items = [counting_item(n, 1) for n in range(4)]
    written(tmp_path, 1, items)
    _, second = chunk_files(tmp_path / "out.jsonl")
    second.write_text(second.read_text()[:20] + "\n")
    for reading in (
        lambda: run(items, Scripted(echo), Parts(tmp_path / "out.jsonl"), Job(), 3, 3),
        lambda: merge(Parts(tmp_path / "out.jsonl"), 4, tmp_path / "out.jsonl"),
    ):
        with pytest.raises(ValueError, match=f"{second.name}, line 1 is not valid"):
            reading()


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
        Record(3, "d", 1, {"refused by the model": 1}, None, "HTTP 400"),
    ]
    assert list(report_lines(records)) == [
        "accepted: 2 of 4 texts in 7 attempts (29% of the attempts)",
        "rejected, off topic: 5",
        "rejected, too long: 2",
        "rejected, refused by the model: 1",
        "failed: b after 3 attempts (too long 2, off topic 1)",
        "failed: d after 1 attempts (refused by the model 1); HTTP 400",
    ]


def test_nothing_accepted_is_an_error(tmp_path):
    parts = Parts(tmp_path / "out.jsonl")
    parts.check_settings(SETTINGS)
    run([counting_item(0, 9)], Scripted(echo), parts, Job(), 3, 2)
    with pytest.raises(ValueError, match="None of 1 texts"):
        merge(parts, 1, tmp_path / "out.jsonl")
