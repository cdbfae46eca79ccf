"""An OpenAI-compatible endpoint (vLLM, llama.cpp, TGI, hosted models, ...).

Each answer is kept on disk under a digest of its request, so that nothing is asked, or
paid, twice. The key is read from the environment variable OPENAI_API_KEY.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import requests

from espnet2_duplex.chat.backend import Prompt, Refused, Unavailable
from espnet2_duplex.jsonl import write_text

KEY_VARIABLE = "OPENAI_API_KEY"
TOO_MANY_REQUESTS = 429
FIRST_SERVER_ERROR = 500
# Bad request, too large, unprocessable: said of one request, not of who asks.
REFUSALS_OF_ONE = (400, 413, 422)
# Of the way to the server; all other errors of requests would come again.
PASSING = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


@dataclass(frozen=True)
class Patience:
    """How long to insist; the pauses between tries double."""

    tries: int = 7
    first_pause_seconds: float = 1.0
    longest_pause_seconds: float = 60.0
    timeout_seconds: float = 120.0

    def pause_seconds(self, number: int) -> float:
        """Pause after try `number`, counted from 0."""
        return min(self.first_pause_seconds * 2**number, self.longest_pause_seconds)


class _Busy(Exception):
    """Worth another try, perhaps not before `wait_seconds`."""

    def __init__(self, reason: str, wait_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds


class Endpoint:
    """`Backend` over `<url>/chat/completions`.

    Args:
        url: of the API, with its version ("http://host:8000/v1").
        model: name of the model there.
        cache: folder of the kept answers.
        licence: that the model's texts carry.
        num_requests: sent at the same time.

    Raises:
        Unavailable: the URL is none.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        cache: Path,
        licence: str | None = None,
        patience: Patience = Patience(),
        num_requests: int = 8,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = model
        self.licence = licence or f"that of {model}"
        self._url = f"{url.rstrip('/')}/chat/completions"
        self.cache = cache
        self._patience = patience
        self._num_requests = num_requests
        self._sleep = sleep
        self._check_url(url)

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        """See `Backend`; what was answered before an error is kept.

        Prompts that are alike are asked, and paid, once.

        Raises:
            Unavailable: out of reach after all tries, the key or the model's name is
                not accepted, or answers cannot be kept.
            Refused: the endpoint does not take one of the prompts.
        """
        different = list(dict.fromkeys(prompts))
        with ThreadPoolExecutor(self._num_requests) as pool:
            texts = dict(zip(different, pool.map(self._complete_one, different)))
        return [texts[prompt] for prompt in prompts]

    def is_kept(self, prompt: Prompt) -> bool:
        """Whether the answer is on disk, so that it costs nothing."""
        return self._place_of(self._request(prompt)).is_file()

    def _place_of(self, request: dict) -> Path:
        digest = hashlib.sha256(json.dumps([self._url, request]).encode()).hexdigest()
        return self.cache / f"{digest}.json"

    def _complete_one(self, prompt: Prompt) -> str:
        request = self._request(prompt)
        kept = self._place_of(request)
        if kept.is_file():
            return _kept_text(kept)
        text = self._ask(request).strip()
        try:
            write_text(kept, json.dumps({"request": request, "text": text}))
        except OSError as problem:
            raise Unavailable(
                f"the answers of {self.name} cannot be kept in {self.cache} "
                f"({problem.strerror}); make room there or name another folder, so that "
                "nothing is paid twice."
            ) from problem
        return text

    def _request(self, prompt: Prompt) -> dict:
        request = {
            "model": self.name,
            "messages": prompt.chat(),
            "seed": prompt.seed,
            "max_tokens": prompt.max_tokens,
            "temperature": prompt.temperature,
            "top_p": prompt.top_p,
        }
        if prompt.stop:
            request["stop"] = list(prompt.stop)
        if prompt.is_opened:  # vLLM's way of going on with the last message
            request |= {"continue_final_message": True, "add_generation_prompt": False}
        return request

    def _ask(self, request: dict) -> str:
        for number in range(self._patience.tries):
            try:
                return self._try(request)
            except _Busy as problem:
                reason = problem
                if number + 1 < self._patience.tries:
                    pause = self._patience.pause_seconds(number)
                    self._sleep(max(pause, problem.wait_seconds))
        raise Unavailable(
            f"{self._url} gave no answer in {self._patience.tries} tries (the last: "
            f"{reason}); check the server and run again, finished texts are kept."
        )

    def _try(self, request: dict) -> str:
        key = os.environ.get(KEY_VARIABLE)
        try:
            response = requests.post(
                self._url,
                json=request,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=self._patience.timeout_seconds,
            )
        except PASSING as problem:
            raise _Busy(f"{type(problem).__name__}: {problem}") from problem
        # ValueError: of the header, where the key has letters that it cannot have.
        except (requests.RequestException, ValueError) as problem:
            raise Unavailable(
                f"{self._url} cannot be asked ({type(problem).__name__}); check the URL "
                f"and the key in {KEY_VARIABLE}."
            ) from problem
        status = response.status_code
        if status == TOO_MANY_REQUESTS or status >= FIRST_SERVER_ERROR:
            wait = response.headers.get("Retry-After", "")
            raise _Busy(f"HTTP {status}", float(wait) if wait.isdecimal() else 0.0)
        if not response.ok:
            kind = Refused if status in REFUSALS_OF_ONE else Unavailable
            raise kind(
                f"{self._url} refuses the request with HTTP {status} "
                f"({response.text[:200]!r}); check the URL, the model's name "
                f"({self.name}) and the key in {KEY_VARIABLE}."
            )
        return _completion(response)

    def _check_url(self, url: str) -> None:
        try:
            requests.Request("POST", self._url).prepare()
        except (requests.RequestException, ValueError) as problem:
            raise Unavailable(
                f"{url!r} is no URL of an endpoint ({problem}); give one like "
                "http://host:8000/v1."
            ) from problem


def _completion(response: requests.Response) -> str:
    """The text of an answer, "" where the model keeps silent."""
    try:
        text = response.json()["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as problem:
        raise _Busy(f"no chat completion: {response.text[:200]!r}") from problem
    if not isinstance(text, str | None):
        raise _Busy(f"no text in the chat completion: {response.text[:200]!r}")
    return text or ""


def _kept_text(path: Path) -> str:
    """The text of a file that `Endpoint` wrote."""
    try:
        text = json.loads(path.read_text("utf-8"))["text"]
    except (ValueError, LookupError, TypeError, OSError):
        text = None
    if not isinstance(text, str):
        raise Unavailable(
            f"{path} is damaged, it holds no kept answer; delete it and run again."
        )
    return text
