"""The demo's receiver: an endpoint on this machine that verifies deliveries as anybody's would."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from elasticlake.webhooks import Event, InvalidPayload, WebhookVerificationError, parse

PATH = "/hook"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery as it came, what verifying it said, and the answer that it got."""

    headers: tuple[tuple[str, str], ...]
    body: bytes
    event: Event | None
    refusal: str | None
    answer: int
    at: float
    """By the monotonic clock, in seconds."""

    @property
    def is_verified(self) -> bool:
        return self.event is not None

    def header(self, name: str) -> str:
        """The first of this name, "" without one."""
        return next((value for found, value in self.headers if found.lower() == name.lower()), "")


@dataclass(slots=True)
class DemoReceiver:
    """What arrives, in order. `failures` is how many of the next deliveries it answers 503, as if it were broken."""

    endpoint: str = ""
    secret: str = field(default="", repr=False)
    failures: int = 0
    arrivals: queue.SimpleQueue[Arrival] = field(default_factory=queue.SimpleQueue)

    def take(self, headers: tuple[tuple[str, str], ...], body: bytes) -> Arrival:
        """Verify a delivery and say what to answer."""
        at = time.monotonic()
        try:
            event = parse(body, headers, self.secret)
        except (WebhookVerificationError, InvalidPayload) as error:
            return Arrival(headers, body, None, str(error), 401, at)
        if self.failures:
            self.failures -= 1
            return Arrival(headers, body, event, None, 503, at)
        return Arrival(headers, body, event, None, 204, at)


@contextmanager
def demo_receiver() -> Iterator[DemoReceiver]:
    """A receiver that listens on a free port of 127.0.0.1."""
    receiver = DemoReceiver()
    with _http_server(receiver) as http:
        receiver.endpoint = f"http://127.0.0.1:{http.server_port}{PATH}"
        threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield receiver
        finally:
            http.shutdown()


def _http_server(receiver: DemoReceiver) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            arrival = receiver.take(tuple(self.headers.items()), body)
            self.send_response(arrival.answer)
            self.send_header("Content-Length", "0")
            self.end_headers()
            receiver.arrivals.put(arrival)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the demo tells what arrives."""

    return _HttpServer(("127.0.0.1", 0), Handler)


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A visitor who sends nonsense, or leaves early, is no delivery."""
