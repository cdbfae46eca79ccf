"""The endpoint, against a server that this test runs."""

import json

import pytest
from chat_server import Server, completion

from espnet2_duplex.chat.backend import (
    Message,
    Prompt,
    Refused,
    Unavailable,
    open_backend,
)
from espnet2_duplex.chat.endpoint import Endpoint, Patience

PROMPT = Prompt((Message("user", "Say hello."),), seed=7, stop=("\n",))


def endpoint(server, tmp_path, pauses=None, **patience):
    pauses = [] if pauses is None else pauses
    return Endpoint(
        server.url,
        "llama",
        cache=tmp_path / "cache",
        patience=Patience(**patience),
        sleep=pauses.append,
    )


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_a_request_has_all_that_the_text_depends_on(tmp_path):
    with Server(completion(" Hello. ")) as server:
        assert endpoint(server, tmp_path).complete([PROMPT]) == ["Hello."]
    assert server.requests == [
        (
            "/v1/chat/completions",
            {
                "model": "llama",
                "messages": [{"role": "user", "content": "Say hello."}],
                "seed": 7,
                "max_tokens": 64,
                "temperature": 0.8,
                "top_p": 0.95,
                "stop": ["\n"],
            },
        )
    ]
    assert "Authorization" not in server.headers[0]


def test_the_key_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    with Server(completion("Hello.")) as server:
        endpoint(server, tmp_path).complete([PROMPT])
    assert server.headers[0]["Authorization"] == "Bearer secret"
    kept = "".join(path.read_text() for path in (tmp_path / "cache").iterdir())
    assert "secret" not in kept


def test_an_opened_message_is_to_be_continued(tmp_path):
    opened = Prompt((Message("user", "Go."), Message("assistant", "User:")), seed=1)
    with Server(completion("Hi.")) as server:
        endpoint(server, tmp_path).complete([opened])
    assert server.requests[0][1]["continue_final_message"] is True
    assert server.requests[0][1]["add_generation_prompt"] is False


def test_a_busy_server_is_asked_again_after_growing_pauses(tmp_path):
    busy = (429, "slow down", {})
    pauses = []
    with Server(busy, (503, "", {}), busy, completion("Hello.")) as server:
        backend = endpoint(server, tmp_path, pauses, longest_pause_seconds=3)
        assert backend.complete([PROMPT]) == ["Hello."]
    assert pauses == [1, 2, 3]


def test_the_server_may_ask_for_a_longer_pause(tmp_path):
    pauses = []
    with Server((429, "", {"Retry-After": "20"}), completion("Hello.")) as server:
        endpoint(server, tmp_path, pauses).complete([PROMPT])
    assert pauses == [20]


def content(value):
    return json.dumps({"choices": [{"message": {"content": value}}]})


@pytest.mark.parametrize(
    "rubbish",
    [
        "<html>",
        "[]",
        '{"choices": []}',
        '{"choices": {"a": 1}}',
        "3",
        "[" * 100_000,
        content([{"type": "text", "text": "Hello."}]),
        content({"text": "Hello."}),
        content(3),
        content(False),
    ],
)
def test_rubbish_is_asked_again_and_told_in_the_end(tmp_path, rubbish):
    with Server((200, rubbish, {})) as server:
        with pytest.raises(ValueError, match="no answer in 2 tries.*no .*chat complet"):
            endpoint(server, tmp_path, tries=2).complete([PROMPT])
    assert len(server.requests) == 2


def test_a_silent_server_is_given_up_in_time(tmp_path):
    with Server("silence") as server:
        backend = endpoint(server, tmp_path, tries=2, timeout_seconds=0.1)
        with pytest.raises(ValueError, match="ReadTimeout"):
            backend.complete([PROMPT])


def test_a_server_that_is_not_there_is_told(tmp_path):
    with Server(completion("")) as server:
        url = server.url
    backend = Endpoint(
        url,
        "llama",
        cache=tmp_path,
        patience=Patience(tries=2),
        sleep=lambda seconds: None,
    )
    with pytest.raises(Unavailable, match="no answer in 2 tries.*ConnectionError"):
        backend.complete([PROMPT])


@pytest.mark.parametrize(
    "headers", [{"Content-Length": "500"}, {"Transfer-Encoding": "chunked"}]
)
def test_an_answer_that_breaks_off_is_asked_again(tmp_path, headers):
    broken = (200, '{"cho', headers)
    with Server(broken, completion("Hello.")) as server:
        assert endpoint(server, tmp_path).complete([PROMPT]) == ["Hello."]
    assert len(server.requests) == 2


def test_an_answer_in_a_wrong_encoding_is_asked_again(tmp_path):
    broken = (200, "no gzip", {"Content-Encoding": "gzip"})
    with Server(broken, completion("Hello.")) as server:
        assert endpoint(server, tmp_path).complete([PROMPT]) == ["Hello."]


def test_a_server_that_sends_in_circles_cannot_be_asked(tmp_path):
    circle = {"Location": "/v1/chat/completions", "Content-Length": "0"}
    with Server((307, "", circle)) as server:
        with pytest.raises(Unavailable, match="cannot be asked .TooManyRedirects"):
            endpoint(server, tmp_path).complete([PROMPT])


@pytest.mark.parametrize("key", ["two\nlines", "ключ"])
def test_a_key_that_no_header_can_hold_is_told(tmp_path, monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with Server(completion("Hello.")) as server:
        with pytest.raises(Unavailable, match="the key in OPENAI_API_KEY") as error:
            endpoint(server, tmp_path).complete([PROMPT])
    assert key not in str(error.value) and server.requests == []


@pytest.mark.parametrize("url", ["http://", "http://[x/v1", "http://host:port/v1"])
def test_an_invalid_url_is_told_at_once(tmp_path, url):
    with pytest.raises(Unavailable, match="is no URL of an endpoint"):
        Endpoint(url, "llama", cache=tmp_path)


def test_a_damaged_kept_answer_is_told(tmp_path):
    with Server(completion("Hello.")) as server:
        backend = endpoint(server, tmp_path)
        backend.complete([PROMPT])
        (kept,) = (tmp_path / "cache").iterdir()
        for damage in ("", "[]", '{"text": 3}'):
            kept.write_text(damage)
            with pytest.raises(Unavailable, match=f"{kept} is damaged.*delete it"):
                backend.complete([PROMPT])


def test_answers_that_cannot_be_kept_are_not_paid_for_ever(tmp_path):
    (tmp_path / "cache").write_text("a file")
    with Server(completion("Hello.")) as server:
        with pytest.raises(Unavailable, match="cannot be kept in .*cache .*exists"):
            endpoint(server, tmp_path).complete([PROMPT])


def test_a_refused_request_is_not_tried_again(tmp_path):
    with Server((401, "bad key", {})) as server:
        with pytest.raises(Unavailable, match="HTTP 401 .*bad key.*OPENAI_API_KEY"):
            endpoint(server, tmp_path).complete([PROMPT])
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_prompt_that_is_refused_is_told_from_a_server_that_refuses(tmp_path, status):
    with Server((status, "too long", {})) as server:
        with pytest.raises(Refused, match=f"HTTP {status} .*too long"):
            endpoint(server, tmp_path).complete([PROMPT])


def test_what_costs_nothing_is_known_before_it_is_asked(tmp_path):
    with Server(completion("one")) as server:
        backend = endpoint(server, tmp_path)
        assert not backend.is_kept(PROMPT)
        backend.complete([PROMPT])
        assert backend.is_kept(PROMPT)
        assert not backend.is_kept(Prompt(PROMPT.messages, seed=8))
    assert len(server.requests) == 1


def test_nothing_is_asked_twice(tmp_path):
    with Server(completion("one"), completion("two")) as server:
        assert endpoint(server, tmp_path).complete([PROMPT]) == ["one"]
        assert endpoint(server, tmp_path).complete([PROMPT]) == ["one"]
        other = Prompt(PROMPT.messages, seed=8)
        assert endpoint(server, tmp_path).complete([other]) == ["two"]
    assert len(server.requests) == 2


def test_prompts_that_are_alike_are_asked_once(tmp_path):
    other = Prompt(PROMPT.messages, seed=8)
    prompts = [PROMPT, other, *[PROMPT] * 14]
    with Server(lambda request: completion(str(request["seed"]))) as server:
        texts = endpoint(server, tmp_path).complete(prompts)
    assert texts == ["7", "8", *["7"] * 14]
    assert len(server.requests) == 2


def test_texts_come_in_the_order_of_their_prompts(tmp_path):
    prompts = [Prompt(PROMPT.messages, seed=n) for n in range(20)]
    with Server(lambda request: completion(str(request["seed"]))) as server:
        texts = endpoint(server, tmp_path).complete(prompts)
    assert texts == [str(n) for n in range(20)]


def test_a_refusal_to_speak_is_an_empty_text(tmp_path):
    with Server(completion(None)) as server:
        assert endpoint(server, tmp_path).complete([PROMPT]) == [""]


def test_an_endpoint_needs_the_name_of_a_model(tmp_path):
    with pytest.raises(ValueError, match="give the model's name"):
        open_backend("http://localhost:1/v1", cache=tmp_path)
