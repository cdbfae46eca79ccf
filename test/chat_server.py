"""A chat endpoint on this machine, for tests."""

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def completion(text):
    content = {"choices": [{"message": {"role": "assistant", "content": text}}]}
    return 200, json.dumps(content), {}


class Server:
    """Answers by a script, whose last answer is given for ever; keeps the requests.

    An answer is (status, body, headers), a function of the request, or "silence".
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.headers = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.path, json.loads(body)))
                outer.headers.append(dict(self.headers))
                answers = outer.answers
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                if answer == "silence":
                    outer.release.wait(5)
                    return
                if callable(answer):
                    answer = answer(json.loads(body))
                status, text, headers = answer
                with suppress(ConnectionError):  # of a client that was killed
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.release = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))

    def __enter__(self):
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"
        return self

    def __exit__(self, *_):
        self.release.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
