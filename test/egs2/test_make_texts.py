import json

import make_texts
import pytest
from conversation_format import read_conversations, read_unsplit, split_sets
from sources.registry import KINDS, parse_entry
from sources.rows import HELD_OUT_SHARES, Options


def row(id, *said, **fields):
    turns = [
        {"role": ("user", "agent")[number % 2], "text": text}
        for number, text in enumerate(said or (f"Question {id}?", "Yes."))
    ]
    return {"id": id, "turns": turns, **fields}


@pytest.fixture
def run(tmp_path):
    """Run the script on entries of `texts`; returns the conversations by id."""

    def run_script(*entries, **sections):
        config = tmp_path / "corpus.yaml"
        config.write_text(json.dumps({"texts": list(entries), **sections}))
        args = ["--config", str(config), "--downloads", str(tmp_path)]
        make_texts.main([*args, "--out", str(tmp_path / "out")])
        lines = (tmp_path / "out" / "conversations.jsonl").read_text().splitlines()
        return {found["id"]: found for found in map(json.loads, lines)}

    return run_script


@pytest.fixture
def write(tmp_path):
    """Write rows as <out>/<name> and return the entry that reads them."""

    def write_rows(name, *rows):
        path = tmp_path / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(item) + "\n" for item in rows))
        return {"source": "conversations", "path": name}

    return write_rows


@pytest.mark.parametrize(
    "entry, message",
    [
        ("mini", "texts 0 is 'mini'; write for example"),
        ({"source": "squad"}, "texts 0: no source 'squad'; there are marco, alpaca"),
        ({"source": "marco"}, "texts 0: marco lacks path; add it"),
        (
            {"source": "chitchat", "turns": 3},
            "chitchat has the unknown name turns; known",
        ),
        (
            {"source": "chitchat", "num": "3"},
            "chitchat.num is '3'; write a whole number",
        ),
        ({"source": "chitchat", "num": True}, "num is True; write a whole number"),
        ({"source": "chitchat", "num": -1}, "num is -1; expected 0 or more"),
        (
            {"source": "chitchat", "min_turns": 9},
            "texts 0: chitchat: min_turns is 9 and max",
        ),
        ({"source": "questions", "of": "x"}, "of is 'x'; write one of countryinfo"),
        ({"source": "marco", "path": "x", "context": "no"}, "context is 'no'; write"),
        (
            {"source": "chitchat", "held_out": {"test": 2}},
            r"held_out is {'test': 2}; expected shares",
        ),
    ],
)
def test_a_faulty_entry_is_named_in_one_sentence(run, entry, message):
    with pytest.raises(ValueError, match=message) as caught:
        run(entry)
    assert "\n" not in str(caught.value)


def test_a_faulty_entry_is_found_before_any_source_is_read(run, tmp_path):
    with pytest.raises(ValueError, match="texts 1: no source"):
        run({"source": "alpaca", "path": "absent.json"}, {"source": "squad"})


def test_a_corpus_without_texts_is_an_error(run):
    with pytest.raises(ValueError, match="has no list `texts`"):
        run()


def test_whole_numbers_are_seconds_too():
    options = parse_entry({"source": "mini", "codec_train_seconds": 60}, "entry")[1]
    assert options.codec_train_seconds == 60


def test_every_kind_has_a_name_for_its_dataset_or_takes_the_files():
    names = {
        kind: spec.options.__dataclass_fields__["name"].default
        for kind, spec in KINDS.items()
    }
    assert {kind for kind, name in names.items() if not name} == {
        "questions",
        "conversations",
    }


def test_rows_are_split_by_the_shares_of_their_entry(run, write):
    rows = [row(f"c{number}") for number in range(100)]
    entry = write("own.jsonl", *rows)
    sets = [found["set"] for found in run(entry).values()]
    assert (sets.count("valid"), sets.count("test"), len(sets)) == (2, 2, 100)
    shares = {"held_out": {"dev": 0.1}}
    sets = [found["set"] for found in run(entry | shares).values()]
    assert (sets.count("dev"), sets.count("train")) == (10, 90)


def test_the_set_of_an_entry_or_a_row_stands(run, write):
    one = write("one.jsonl", row("a", set="valid"), row("b", set="open"))
    two = write("two.jsonl", row("c"), row("d", set="valid"))
    found = run(one, two | {"set": "test"})
    assert {id: c["set"] for id, c in found.items()} == {
        "a": "valid",
        "b": "open",
        "c": "test",
        "d": "test",
    }


def test_rows_with_the_same_user_texts_are_in_one_set(run, write):
    rows = [row(f"c{n}", "What is tea?", f"Answer {n}.") for n in range(50)]
    rows += [row(f"d{n}", f"What is {n}?", "A number.") for n in range(50)]
    found = run(write("own.jsonl", *rows))
    assert len({found[f"c{n}"]["set"] for n in range(50)}) == 1
    split = split_sets(["c0", *(f"d{n}" for n in range(50))], HELD_OUT_SHARES)
    assert {id: found[id]["set"] for id in split} == split


def test_twins_are_never_in_two_held_out_sets(run, write):
    shares = {"held_out": {"valid": 0.4, "test": 0.4}}
    texts = [f"What is {n}?" for n in range(20)]
    one = write("one.jsonl", *(row(f"a{n}", t, "Yes.") for n, t in enumerate(texts)))
    two = write("two.jsonl", *(row(f"b{n}", t, "No.") for n, t in enumerate(texts)))
    found = run(one | shares, two | shares)
    sets = [found[f"a{n}"]["set"] for n in range(20)]
    assert sets == [found[f"b{n}"]["set"] for n in range(20)]
    assert (sets.count("valid"), sets.count("test")) == (8, 8)


def test_texts_of_a_named_test_set_are_left_out_of_training(run, write, capsys):
    held_out = write("open.jsonl", row("t", "What is tea?", "A drink.", set="open"))
    others = write(
        "own.jsonl", row("same", "what is TEA", "Hot."), *[row(f"c{n}") for n in "123"]
    )
    found = run(held_out, others)
    assert "same" not in found and found["t"]["set"] == "open"
    assert "left out: 1, the same user texts or recording are in a held-out set" in (
        capsys.readouterr().out
    )


def test_questions_about_one_recording_are_in_one_set(run, tmp_path, make_wav):
    manifest, questions = [], []
    for number in range(20):
        wav = make_wav(tmp_path / f"u{number}.wav", 0.1, 16000)
        manifest.append({"audio_filepath": str(wav), "text": f"word {number}"})
        questions += [
            {"id": wav.stem, "question": f"What is {n}?", "answer": "A number."}
            for n in range(4)
        ]
    for name, rows in (("m.jsonl", manifest), ("q.jsonl", questions)):
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)))
    shares = {"held_out": {"valid": 0.25, "test": 0.25}}
    paths = {n: str(tmp_path / f"{n[0]}.jsonl") for n in ("manifest", "questions")}
    found = run({"source": "asr_qa", **paths, **shares}).values()
    sets = {(c["turns"][0]["wav"], c["set"]) for c in found}
    assert len(found) == 80 and len(sets) == 20
    counts = [sum(name == one for _, name in sets) for one in ("valid", "test")]
    assert counts == [5, 5]


def test_queries_about_one_passage_are_in_one_set(run, tmp_path):
    queries = [
        {
            "query": f"what is {n}",
            "query_id": n,
            "answers": ["a number"],
            "passages": [{"is_selected": 1, "passage_text": f"Passage {n % 10}."}],
        }
        for n in range(40)
    ]
    (tmp_path / "marco.json").write_text(json.dumps(queries))
    entry = {"source": "marco", "path": str(tmp_path / "marco.json")}
    found = run(entry | {"held_out": {"test": 0.3}}).values()
    sets = {(c["turns"][0]["text"], c["set"]) for c in found}
    assert len(found) == 40 and len(sets) == 10
    assert sum(name == "test" for _, name in sets) == 3


def test_named_sets_may_repeat_each_other(run, write):
    said = ("What is tea?", "A drink.")
    rows = [row(f"known-{name}", *said, set=name) for name in ("train", "test")]
    found = run(write("mini.jsonl", *rows, row("other", *said)))
    assert {id: c["set"] for id, c in found.items()} == {
        "known-train": "train",
        "known-test": "test",
        "other": "train",
    }


def test_two_entries_of_one_name_are_an_error(run, tmp_path):
    for name in ("one", "two"):
        items = [
            {"instruction": f"{name} {n}", "input": "", "output": "Yes."}
            for n in range(5)
        ]
        (tmp_path / f"{name}.json").write_text(json.dumps(items))
    entries = [
        {"source": "alpaca", "path": str(tmp_path / f"{name}.json")}
        for name in ("one", "two")
    ]
    with pytest.raises(
        ValueError, match="texts 0 and .*texts 1 both have the id alpaca_000000; give"
    ):
        run(*entries)
    assert len(run(entries[0], entries[1] | {"name": "two"})) == 10
    assert len(run(entries[0] | {"path": [one["path"] for one in entries]})) == 10


def test_an_id_twice_in_an_entry_is_an_error(run, write):
    one, two = write("one.jsonl", row("1_a")), write("two.jsonl", row("a"))
    assert set(run(one | {"path": ["two.jsonl", "one.jsonl"]})) == {"a", "1_1_a"}
    write("one.jsonl", row("1_a"), row("b"))
    with pytest.raises(ValueError, match="texts 0 has the id 1_a twice; give each"):
        run(two | {"path": ["one.jsonl", "two.jsonl"]})


def test_wavs_are_found_where_the_data_folder_is_a_link(run, tmp_path, make_wav):
    (tmp_path / "far" / "away" / "disk").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "far" / "away" / "disk")
    make_wav(tmp_path / "own" / "u.wav", 1.0, 16000)
    said = row("a", set="train")
    said["turns"][0]["wav"] = "u.wav"
    (tmp_path / "own" / "own.jsonl").write_text(json.dumps(said))
    run({"source": "conversations", "path": str(tmp_path / "own" / "own.jsonl")})
    (found,) = read_unsplit(tmp_path / "out" / "conversations.jsonl")
    assert found.turns[0].wav.resolve() == tmp_path / "own" / "u.wav"


def test_wavs_are_named_from_the_new_file(run, tmp_path, make_wav):
    make_wav(tmp_path / "own" / "u.wav", 1.0, 16000)
    rows = [row(f"c{number}", set="train") for number in range(2)]
    rows[0]["turns"][0] |= {"wav": "u.wav", "start": 0.5, "end": 1.5}
    rows[1]["set"] = "valid"
    lines = "\n".join(map(json.dumps, rows))
    (tmp_path / "own" / "own.jsonl").write_text(lines)
    run({"source": "conversations", "path": str(tmp_path / "own" / "own.jsonl")})
    found, _ = read_conversations(tmp_path / "out" / "conversations.jsonl")
    assert found.turns[0].wav.resolve() == tmp_path / "own" / "u.wav"
    assert (found.turns[0].start, found.turns[0].end) == (0.5, 1.5)


def test_the_same_seed_gives_the_same_bytes(run, tmp_path):
    entries = [
        {"source": "questions", "of": "countryinfo", "num": 20},
        {"source": "country_dialogues", "num": 10},
    ]
    written = [run(*entries) for _ in range(2)]
    assert written[0] == written[1] and len(written[0]) == 30


def test_numbers_and_lengths_are_told(run, write, capsys):
    rows = [row(f"c{n}", "one two " * 50, "yes") for n in range(2)]
    run(write("own.jsonl", *rows) | {"set": "train", "name": "tea", "num": 3})
    told = capsys.readouterr().out
    assert "3 are wanted, there are 2" in told
    assert "tea, train: 2 conversations, about 1.2 min of users, 0.0 min" in told


def test_a_corpus_tells_the_assets_it_needs(tmp_path, capsys):
    config = tmp_path / "corpus.yaml"
    config.write_text("texts: [{source: chitchat}, {source: mini}]")
    make_texts.main(["--config", str(config), "--list_assets"])
    assert capsys.readouterr().out.split() == ["chitchat-dataset"]


@pytest.fixture
def list_inputs(tmp_path, monkeypatch, capsys):
    """Paths that `--list_inputs` prints for the entries of `texts`."""
    monkeypatch.chdir(tmp_path)

    def run_script(*entries):
        (tmp_path / "corpus.yaml").write_text(json.dumps({"texts": entries}))
        make_texts.main(["--config", "corpus.yaml", "--list_inputs", "--out", "out"])
        return capsys.readouterr().out.splitlines()

    return run_script


def test_a_corpus_tells_the_files_that_it_reads(list_inputs, tmp_path):
    for name in ("kaldi/wav.scp", "kaldi/text", "q.jsonl", "a 1.json", "a 2.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    asr = {"source": "asr_qa", "manifest": "kaldi", "questions": "q.jsonl"}
    alpaca = {"source": "alpaca", "path": "a ?.json"}
    mini = {"source": "mini"}
    files = ["kaldi/wav.scp", "kaldi/text", "q.jsonl", "a 1.json", "a 2.json"]
    assert list_inputs(asr, alpaca, mini) == files
    (tmp_path / "kaldi" / "segments").write_text("")
    assert list_inputs(asr)[2] == "kaldi/segments"
    assert list_inputs(mini) == []


def test_what_the_stage_makes_is_no_input_that_must_be_there(list_inputs, tmp_path):
    entries = [
        {
            "source": "asr_qa",
            "manifest": "asr_manifest.jsonl",
            "questions": "generated/asr_qa.jsonl",
        },
        {"source": "conversations", "path": "generated/topic.jsonl"},
        {"source": "conversations", "path": "out/generated/*.jsonl"},
    ]
    assert list_inputs(*entries) == []
    (tmp_path / "out" / "generated").mkdir(parents=True)
    for name in (
        "asr_manifest.jsonl",
        "generated/asr_qa.jsonl",
        "generated/topic.jsonl",
    ):
        (tmp_path / "out" / name).write_text("")
    assert list_inputs(*entries) == ["out/asr_manifest.jsonl"]


@pytest.mark.parametrize(
    "entry, message",
    [
        ({"source": "alpaca", "path": "gone.json"}, "gone.json does not exist, nor"),
        ({"source": "alpaca", "path": "gone*"}, r"gone\* does not exist, nor does"),
        ({"source": "alpaca", "path": []}, "list of paths .* is empty; name a file"),
        (
            {"source": "alpaca", "path": "out"},
            "out/wav.scp is no file; name a file, or",
        ),
    ],
)
def test_an_input_that_is_not_there_is_an_error(list_inputs, tmp_path, entry, message):
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match=message):
        list_inputs(entry)


def test_help_lists_all_sources_with_their_options():
    told = make_texts.get_parser().format_help()
    for name, kind in KINDS.items():
        section = told.split(f"\n{name}: ")[1].split("\n\n")[1]
        own = set(kind.options.__dataclass_fields__) - set(Options.__dataclass_fields__)
        assert all(f"\n  {option}" in f"\n{section}" for option in own)
    assert "\n  context = 'spoken'  \"spoken\" has the user read" in told


def test_voices_of_the_corpus_say_the_mini_questions(tmp_path):
    config = tmp_path / "corpus.yaml"
    users = {"train_voices": ["af_bella", "am_adam"], "test_voices": ["bf_emma"]}
    sections = {"texts": [{"source": "mini"}], "speech": {"user": users}}
    config.write_text(json.dumps(sections))
    _, speech = make_texts.read_entries(config)
    assert speech == {
        "train_voices": ("af_bella", "am_adam"),
        "test_voices": ("bf_emma",),
        "user_rate": 16000,
        "agent_rate": 22050,
    }


def test_wavs_of_a_source_have_the_rates_of_the_corpus(run, tmp_path, make_wav):
    make_wav(tmp_path / "out" / "u.wav", 1.0, 8000)
    said = row("a")
    said["turns"][0]["wav"] = "u.wav"
    (tmp_path / "out" / "own.jsonl").write_text(json.dumps(said))
    entry = {"source": "conversations", "path": "own.jsonl", "set": "train"}
    with pytest.raises(ValueError, match="8000 Hz, but 16000 Hz are expected"):
        run(entry)
    assert set(run(entry, speech={"user_rate": 8000})) == {"a"}
