"""A webhook receiver of ours: keeps every request as it came, and answers what the test says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Received:
    """One request, byte for byte; header names are lower-case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document


class Receiver:
    """Listens on loopback. `answer` gives each request's status code from how many came to its path before."""

    def __init__(self, answer: Callable[[int], int] = lambda _: 200) -> None:
        self.answer = answer
        self.requests: list[Received] = []
        self._news = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = receiver.take(Received(self.path, headers, body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *_: Any) -> None:
                """Quiet: the tests look at what came."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}{path}"

    def take(self, received: Received) -> int:
        with self._news:
            before = sum(earlier.path == received.path for earlier in self.requests)
            self.requests.append(received)
            self._news.notify_all()
        return self.answer(before)

    def at(self, path: str) -> list[Received]:
        return [received for received in self.requests if received.path == path]

    def wait_for(self, count: int, path: str = "/", *, seconds: float = PATIENCE_SECONDS) -> list[Received]:
        """The requests to `path` as soon as there are `count`."""
        with self._news:
            came = self._news.wait_for(lambda: len(self.at(path)) >= count, seconds)
        assert came, f"{len(self.at(path))} of {count} requests came to {path} in {seconds} s"
        return self.at(path)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


def eventually(holds: Callable[[], Any], *, seconds: float = PATIENCE_SECONDS) -> Any:
    """The first true value of `holds`, asked again and again."""
    give_up_at = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < give_up_at, f"not within {seconds} s"
        time.sleep(0.05)
    return value
