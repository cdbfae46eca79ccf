"""Published data sets in their own forms -> rows."""

import gzip
import json

import pytest
from sources.registry import parse_entry
from sources.rows import Job, choose


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path / "downloads", tmp_path)


@pytest.fixture
def rows(job, tmp_path):
    """Rows of a source whose file holds `content`; strings are written as they are."""

    def make(content, source, name="data.json", **options):
        text = content if isinstance(content, str) else json.dumps(content)
        data = text.encode()
        (tmp_path / name).write_bytes(
            gzip.compress(data) if name.endswith(".gz") else data
        )
        kind, parsed = parse_entry({"source": source, "path": name, **options}, "entry")
        return list(kind.rows(parsed, job))

    return make


def lines(*items):
    return "\n".join(json.dumps(item) for item in items) + "\n"


def texts(row):
    return [(turn["role"], turn["text"]) for turn in row["turns"]]


PASSAGES = [
    {"is_selected": 0, "passage_text": "Tea is cold.", "url": "a"},
    {"is_selected": 1, "passage_text": "Tea is a hot drink.", "url": "b"},
]
QUERY = {
    "query": "what is tea",
    "query_id": 7,
    "answers": ["a drink"],
    "passages": PASSAGES,
    "wellFormedAnswers": ["Tea is a drink."],
    "query_type": "DESCRIPTION",
}
SAID = [
    ("user", "Tea is a hot drink."),
    ("user", "What is tea?"),
    ("agent", "Tea is a drink."),
]


def columns(*queries):
    return {
        key: {str(number): query[key] for number, query in enumerate(queries)}
        for key in QUERY
    }


HUB_ROW = QUERY | {
    "passages": {key: [p[key] for p in PASSAGES] for key in PASSAGES[0]},
}


@pytest.mark.parametrize(
    "content, name",
    [
        (columns(QUERY), "dev_v2.1.json"),
        (columns(QUERY), "dev_v2.1.json.gz"),
        (lines(QUERY, QUERY | {"query_id": 8}), "marco.jsonl"),
        (lines(QUERY), "one.jsonl"),
        (lines(HUB_ROW, HUB_ROW | {"query_id": 8}), "hub.jsonl"),
        ([HUB_ROW], "hub.json"),
    ],
)
def test_marco_is_read_in_all_its_forms(rows, content, name):
    first = rows(content, "marco", name)[0]
    assert texts(first) == SAID
    assert (first["id"], first["source"]) == ("msmarco_7", "msmarco")
    assert "MS MARCO" in first["origin"] and first["licence"]


def test_marco_without_context_only_asks(rows):
    (row,) = rows(columns(QUERY), "marco", context="none")
    assert texts(row) == SAID[1:]


def test_marco_takes_the_answer_where_none_is_well_formed(rows):
    query = QUERY | {"wellFormedAnswers": "[]", "query": "cost of tea"}
    (row,) = rows(columns(query), "marco")
    assert texts(row)[1:] == [("user", "Cost of tea."), ("agent", "A drink.")]


@pytest.mark.parametrize(
    "typed, said",
    [
        ("was ronald reagan a democrat", "Was ronald reagan a democrat?"),
        ("whats tea", "Whats tea?"),
        ("who's there", "Who's there?"),
        ("isnt tea hot", "Isnt tea hot?"),
        ("can't tea be cold", "Can't tea be cold?"),
        ("tell me about tea", "Tell me about tea."),
        ("cans of tea", "Cans of tea."),
    ],
)
def test_marco_gives_questions_their_mark(rows, typed, said):
    (row,) = rows(columns(QUERY | {"query": typed}), "marco")
    assert row["turns"][1]["text"] == said


def test_marco_limits_passage_and_question_together(rows, job):
    passage = PASSAGES[1] | {"passage_text": "so " * 50 + "it is."}  # 52 words
    query = QUERY | {"query": "what is " + "so " * 5 + "hot", "passages": [passage]}
    limit = 1.17 * 0.36 * 60
    (row,) = rows(columns(query), "marco", max_turn_seconds=limit + 0.01)
    assert sum(len(turn["text"].split()) for turn in row["turns"][:2]) == 60
    assert rows(columns(query), "marco", max_turn_seconds=limit - 0.01) == []
    assert dict(job.refused) == {"a text of the user that is too long": 1}


def test_several_files_share_a_dataset_and_later_ones_number_their_ids(rows, tmp_path):
    for name in ("b.json", "a.json", "c.json"):
        (tmp_path / name).write_text(json.dumps(columns(QUERY)))
    for path in ("?.json", ["a.json", "b.json", "c.json"]):
        kind, options = parse_entry({"source": "marco", "path": path}, "entry")
        found = list(kind.rows(options, Job(tmp_path, tmp_path)))
        ids = [row["id"] for row in found]
        assert ids == ["msmarco_7", "msmarco_1_7", "msmarco_2_7"]


@pytest.mark.parametrize("source", ["alpaca", "dialogues"])
def test_items_of_several_files_have_different_ids(source, tmp_path):
    item = {"alpaca": ALPACA[0], "dialogues": {"messages": OPENAI}}[source]
    for name in ("one.json", "two.json"):
        (tmp_path / name).write_text(json.dumps([item]))
    entry = {"source": source, "path": ["one.json", "two.json"], "name": "n"}
    kind, options = parse_entry(entry, "entry")
    one, two = kind.rows(options, Job(tmp_path, tmp_path))
    assert (one["id"], two["id"]) == ("n_000000", "n_1_000000")
    assert "one.json" in one["origin"] and "two.json" in two["origin"]


def test_a_pattern_that_matches_nothing_is_an_error(job):
    kind, options = parse_entry({"source": "alpaca", "path": "no*.json"}, "entry")
    with pytest.raises(ValueError, match=r"no\*.json does not exist, nor does"):
        list(kind.rows(options, job))


def test_marco_leaves_out_what_has_no_answer_or_passage(rows, job):
    queries = [
        QUERY | {"answers": ["No Answer Present."], "wellFormedAnswers": "[]"},
        QUERY | {"passages": PASSAGES[:1]},
        QUERY | {"passages": [PASSAGES[1] | {"passage_text": "so " * 100}]},
    ]
    assert rows(columns(*queries), "marco") == []
    assert dict(job.refused) == {
        "no answer": 1,
        "no passage is selected": 1,
        "a text of the user that is too long": 1,
    }


@pytest.mark.parametrize(
    "content, message",
    [
        ("{oops", "is neither JSON nor JSON lines"),
        ("7", "holds a int; expected a list"),
        ([{"query": 7}], "item 0: query is 7; expected a text"),
        ([QUERY | {"passages": "b"}], "item 0: passages without is_selected"),
        (lines(QUERY) + "{oops\n", "line 2 is not valid JSON"),
        ("{oops\n" + lines(QUERY), "line 1 is not valid JSON"),
        ('{"query": "tea\n' + lines(QUERY), "line 1 is not valid JSON"),
        (
            "PAR1\x15\x04",
            r"is Parquet; make JSON lines of it: python -c .*read_parquet",
        ),
        (lines(QUERY) + "7\n", "line 2 holds a int"),
    ],
)
def test_a_file_of_another_form_is_one_sentence(rows, content, message):
    with pytest.raises(ValueError, match=message) as caught:
        rows(content, "marco")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + lines(QUERY, QUERY),
        "\n\n" + lines(QUERY, QUERY),
        "\ufeff" + json.dumps([QUERY, QUERY]),
        json.dumps([QUERY, QUERY], indent=2),
        lines(QUERY | {"url": "x" * 200_000}, QUERY),
        lines(QUERY, QUERY).rstrip(),
    ],
    ids=["mark", "blank lines", "mark, list", "indented", "long line", "no end"],
)
def test_json_and_json_lines_are_told_apart(rows, content):
    assert len(rows(content, "marco")) == 2


@pytest.mark.parametrize("content", [columns(QUERY, QUERY | {"query_id": 8}), QUERY])
def test_one_object_may_be_indented_or_one_line(rows, content):
    indented = rows(json.dumps(content, indent=1), "marco")
    assert indented == rows(json.dumps(content) + "\n\n", "marco") != []


def test_a_long_line_is_parsed_once(rows, monkeypatch):
    text = json.dumps(columns(QUERY | {"url": "x" * 100_000}))
    num_characters = []
    decode = json.JSONDecoder.decode

    def counted(decoder, read):
        num_characters.append(len(read))
        return decode(decoder, read)

    monkeypatch.setattr(json.JSONDecoder, "decode", counted)
    assert len(rows(text, "marco")) == 1
    assert num_characters == [len(text)]


@pytest.mark.parametrize("kept", [30, -4])
def test_a_gzip_file_that_is_cut_short_is_one_sentence(tmp_path, job, kept):
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(lines(*ALPACA).encode())[:kept])
    kind, options = parse_entry({"source": "alpaca", "path": "a.json.gz"}, "entry")
    with pytest.raises(ValueError, match="gz is a gzip file that is cut short or dam"):
        list(kind.rows(options, job))


def test_a_damaged_gzip_file_is_one_sentence(tmp_path, job):
    data = bytearray(gzip.compress(lines(*ALPACA).encode()))
    data[20:40] = bytes(20)
    (tmp_path / "a.json.gz").write_bytes(data)
    kind, options = parse_entry({"source": "alpaca", "path": "a.json.gz"}, "entry")
    with pytest.raises(ValueError, match="cut short or damaged .*; fetch it again"):
        list(kind.rows(options, job))


def test_a_file_is_gzipped_if_its_content_is(tmp_path, job):
    (tmp_path / "false.json.gz").write_text(json.dumps(ALPACA))
    (tmp_path / "true.json").write_bytes(gzip.compress(json.dumps(ALPACA).encode()))
    entry = {"source": "alpaca", "path": ["false.json.gz", "true.json"]}
    kind, options = parse_entry(entry, "entry")
    assert len(list(kind.rows(options, job))) == 4


def test_a_folder_is_no_published_file(job, tmp_path):
    (tmp_path / "folder").mkdir()
    kind, options = parse_entry({"source": "alpaca", "path": "folder"}, "entry")
    with pytest.raises(ValueError, match="folder is a folder; name a file in it"):
        list(kind.rows(options, job))


def test_a_published_file_that_is_not_utf8_is_an_error(rows, tmp_path, job):
    (tmp_path / "latin.json").write_bytes(b'[{"instruction": "caf\xe9"}]')
    kind, options = parse_entry({"source": "alpaca", "path": "latin.json"}, "entry")
    with pytest.raises(ValueError, match="latin.json is not UTF-8"):
        list(kind.rows(options, job))


def test_a_file_that_is_nowhere_is_an_error(job):
    kind, options = parse_entry({"source": "alpaca", "path": "no.json"}, "entry")
    with pytest.raises(ValueError, match="no.json does not exist, nor does"):
        list(kind.rows(options, job))


ALPACA = [
    {"instruction": "Name a drink.", "input": "", "output": "Tea is one."},
    {"instruction": "Translate this.", "input": "Le thé.", "output": "The tea."},
    {"instruction": "Write code.", "input": "", "output": "```x = 1```"},
    {"instruction": "Say nothing.", "input": "<noinput>", "output": " "},
]


@pytest.mark.parametrize("content", [ALPACA, lines(*ALPACA)])
def test_alpaca_reads_the_input_after_the_instruction(rows, job, content):
    first, second = rows(content, "alpaca")
    assert texts(first) == [("user", "Name a drink."), ("agent", "Tea is one.")]
    assert texts(second) == [
        ("user", "Translate this."),
        ("user", "Le thé."),
        ("agent", "The tea."),
    ]
    assert [row["id"] for row in (first, second)] == ["alpaca_000000", "alpaca_000001"]
    assert dict(job.refused) == {"code in a turn": 1, "no answer": 1}


def test_alpaca_limits_instruction_and_input_together(rows, job):
    item = {"instruction": "One two.", "input": "Three four.", "output": "Yes."}
    limit = 1.17 * 0.36 * 4
    assert len(rows([item], "alpaca", max_turn_seconds=limit + 0.01)) == 1
    assert rows([item], "alpaca", max_turn_seconds=limit - 0.01) == []
    assert dict(job.refused) == {"a text of the user that is too long": 1}


def test_alpaca_answers_are_cut_at_a_sentence(rows):
    item = {"instruction": "Go.", "input": "", "output": "One two three. Four five."}
    (row,) = rows([item], "alpaca", max_turn_seconds=1.5)
    assert row["turns"][-1]["text"] == "One two three."


OPENAI = [
    {"role": "system", "content": "Be nice."},
    {"role": "user", "content": "Hello."},
    {"role": "assistant", "content": "**Hi**, you."},
    {"role": "user", "content": "And now?"},
]
SHAREGPT = [
    {"from": "gpt", "value": "I begin."},
    {"from": "human", "value": "Hello."},
    {"from": "gpt", "value": "Hi, you."},
]
DIALOGUE = [("user", "Hello."), ("agent", "Hi, you.")]


@pytest.mark.parametrize(
    "item",
    [
        {"messages": OPENAI},
        {"conversations": SHAREGPT},
        {"id": "0", "data": ["Hello.", "Hi, you."]},
    ],
)
def test_dialogues_are_read_in_all_forms_from_user_to_agent(rows, item):
    (row,) = rows([item], "dialogues", licence="MIT")
    assert texts(row) == DIALOGUE
    assert (row["source"], row["licence"]) == ("sft", "MIT")


def test_dialogues_keep_turns_within_their_limits(rows, job):
    long = {"data": ["Hello.", "One two three. Four five six seven.", "And?", "Yes."]}
    too_long = {"data": ["Hello.", "One two three four five six seven."]}
    (row,) = rows([long, too_long], "dialogues", max_turn_seconds=1.5, max_turns=2)
    assert texts(row) == [("user", "Hello."), ("agent", "One two three.")]
    assert dict(job.refused) == {"a first sentence that is too long": 1}


def test_dialogues_of_others_are_refused_with_the_reason(rows, job):
    tool = {"messages": [{"role": "tool", "content": "7"}]}
    image = {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}
    alone = {"messages": [{"role": "user", "content": "Hello?"}]}
    assert rows([tool, image, alone], "dialogues") == []
    assert dict(job.refused) == {
        "a message of tool": 1,
        "a message that is no text": 1,
        "no exchange": 1,
    }


def test_an_unknown_form_of_dialogue_is_an_error(rows):
    with pytest.raises(ValueError, match=r"item 0 has the keys \['turns'\]"):
        rows([{"turns": []}], "dialogues")


def test_the_choice_depends_on_ids_and_seed_only():
    rows = [{"id": f"a_{number}"} for number in range(30)]
    chosen = choose(rows, 5, 0)
    assert choose(rows[::-1], 5, 0) == chosen == sorted(chosen, key=lambda r: r["id"])
    assert choose(rows, 5, 1) != chosen
    left = [row for row in rows if row != chosen[0]]
    assert set(r["id"] for r in chosen[1:]) < set(r["id"] for r in choose(left, 5, 0))
    assert choose(rows, None, 0) == rows
