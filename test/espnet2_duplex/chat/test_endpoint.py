"""The endpoint, against a server that this test runs."""

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


@pytest.mark.parametrize("rubbish", ["<html>", "[]", '{"choices": []}', "3"])
def test_rubbish_is_asked_again_and_told_in_the_end(tmp_path, rubbish):
    with Server((200, rubbish, {})) as server:
        with pytest.raises(ValueError, match="no answer in 2 tries.*no chat complet"):
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
