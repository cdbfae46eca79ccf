"""Texts and JSON lines: whole or absent, and read with clear errors."""

import pytest

from espnet2_duplex.jsonl import read_jsonl, read_text, write_jsonl


def test_rows_come_back_whatever_they_hold(tmp_path):
    rows = [{"text": "größer\u2028als\nzwei"}, {"number": 1.5, "list": [None]}]
    write_jsonl(tmp_path / "new" / "a.jsonl", rows)
    assert read_jsonl(tmp_path / "new" / "a.jsonl") == rows


def test_empty_lines_are_passed_over(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n{"a": 2}\n\n')
    assert read_jsonl(tmp_path / "a.jsonl") == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    "content, message",
    [
        (b'{"a": 1}\n{"a": \n', "a.jsonl, line 2 is not valid JSON .*column"),
        (b'{"a": 1}\n[2]\n', "a.jsonl, line 2 holds a list; write one JSON object"),
        (b'{"a": 1}\n{"a": "\xe4"}', "a.jsonl, line 2 has the byte 0xe4, .*not UTF-8"),
    ],
)
def test_a_faulty_line_is_named(tmp_path, content, message):
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_jsonl(tmp_path / "a.jsonl")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="gone.txt does not exist; run the stage"):
        read_text(tmp_path / "gone.txt")
