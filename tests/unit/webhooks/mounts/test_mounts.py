"""Every framework answers as the receiver does; each is served for real."""

from __future__ import annotations

import http.client
import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from flask import Flask
from tests.unit.webhooks.sent import SECRET, WEBHOOK, event, sent, webhook
from tests.webhook_hosts import HOSTS, hosted

from elasticlake import signing
from elasticlake.delivery.attempt import Request
from elasticlake.model.rules import Batch
from elasticlake.webhooks import Event, MemoryGuard, Receiver
from elasticlake.webhooks.receiver import MAX_BODY_BYTES

ASGI = ("asgi", "starlette", "fastapi", "django_asgi")
READS_CHUNKS = (*ASGI, "fastapi_that_reads_first", "aiohttp", "aiohttp_that_reads_first")


class Hosted:
    """A receiver behind a framework, and a client of it."""

    def __init__(self, url: str, receiver: Receiver) -> None:
        self.url = urlsplit(url)
        self.events: list[Event] = []
        self.fails = False

        @receiver.on(bucket="lake1--pond1--my-bucket")
        def remember(told: Event) -> None:
            self.events.append(told)
            if self.fails:
                raise RuntimeError("the handler's own words")

        @receiver.on()
        async def remember_later(told: Event) -> None:
            self.events.append(told)

    def ask(
        self, method: str, body: bytes | Iterable[bytes] = b"", headers: Iterable[tuple[str, str]] = ()
    ) -> tuple[int, dict[str, str], bytes]:
        """The answer's status, headers and body; without a body that is only announced, by a header of the test's."""
        connection = http.client.HTTPConnection(self.url.hostname or "", self.url.port, timeout=20)
        connection.putrequest(method, self.url.path)
        for name, value in headers:
            connection.putheader(name, value)
        if "Content-Length" in dict(headers):
            connection.endheaders()
        elif isinstance(body, bytes):
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
        else:
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders(iter(body), encode_chunked=True)
        response = connection.getresponse()
        answer = response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        connection.close()
        return answer

    def deliver(self, request: Request) -> tuple[int, bytes]:
        status, _, body = self.ask("POST", request.body, request.headers)
        return status, body


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    yield from serve(request.param)


@pytest.fixture(params=[name for name in HOSTS if not name.endswith("_reads_first") and name != "django_asgi"])
def early_host(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    """One whose receiver is asked before the body is there."""
    yield from serve(request.param)


def serve(name: str) -> Iterator[Hosted]:
    receiver = Receiver(SECRET, MemoryGuard())
    with hosted(name, receiver) as url:
        yield Hosted(url, receiver)


def test_a_delivery_is_handled_once(host: Hosted) -> None:
    assert [host.deliver(sent(attempt=attempt)) for attempt in (1, 2)] == [(204, b"")] * 2
    assert [told.sequence for told in host.events] == [42, 42]  # by both handlers
    assert host.events[0].object is not None
    assert host.events[0].object.key == "Grüße +☂/photo 1.jpg"


def test_an_answer_without_content_has_no_length(host: Hosted) -> None:
    request = sent()
    status, headers, _ = host.ask("POST", request.body, request.headers)
    assert status == 204
    # aiohttp and wsgiref's own servers say 0.
    assert headers.get("content-length", "0") == "0"
    assert "content-type" not in headers or headers["content-type"] != "text/html"


def test_a_large_batch(host: Hosted) -> None:
    members = [event(number, key=b"%d/" % number + b"k" * 1000) for number in range(1, 801)]
    request = sent(*members, to=webhook(batch=Batch(1000)))
    assert len(request.body) > 1024 * 1024
    assert host.deliver(request) == (204, b"")
    assert [told.sequence for told in host.events[::2]] == list(range(1, 801))


def test_what_is_refused(host: Hosted, caplog: pytest.LogCaptureFixture) -> None:
    request = sent()
    status, headers, body = host.ask("POST", request.body + b" ", request.headers)
    assert (status, headers["content-type"]) == (401, "text/plain; charset=utf-8")
    assert body.startswith(b"No signature matches")
    assert headers["content-length"] == str(len(body))
    assert host.ask("POST", b"", ())[0] == 401
    # A gateway of WSGI makes one header of two.
    assert host.ask("POST", request.body, [*request.headers, ("Webhook-Id", "evt_1")])[0] == 401
    no_event = b'{"event": "object:created"}'
    at = int(dict(request.headers)["webhook-timestamp"])
    assert host.ask("POST", no_event, signing.standard_headers([SECRET], "evt_1", at, no_event))[0] == 400
    assert host.events == []


def test_a_handler_that_raises(host: Hosted, caplog: pytest.LogCaptureFixture) -> None:
    host.fails = True
    with caplog.at_level(logging.ERROR, "elasticlake.webhooks"):
        assert host.deliver(sent()) == (500, b"The event could not be handled.")
    assert "own words" in caplog.text
    host.fails = False
    assert host.deliver(sent()) == (204, b"")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_anything_but_a_post_is_405(host: Hosted, method: str) -> None:
    status, headers, body = host.ask(method)
    assert (status, bool(body)) == (405, method != "HEAD")
    assert "POST" in headers["allow"]


def test_a_body_that_nobody_sends_is_not_waited_for(early_host: Hosted) -> None:
    announced = [*sent().headers, ("Content-Length", str(MAX_BODY_BYTES + 1))]
    assert early_host.ask("POST", headers=announced)[0] == 413
    assert early_host.deliver(sent()) == (204, b"")


@pytest.mark.parametrize("name", READS_CHUNKS)
def test_a_proxy_may_send_it_in_chunks(name: str) -> None:
    receiver = Receiver(SECRET)
    with hosted(name, receiver) as url:
        host, request = Hosted(url, receiver), sent()
        halves = [request.body[:50], request.body[50:]]
        assert host.ask("POST", halves, request.headers)[0] == 204
        assert host.ask("POST", [b"x" * 100_000] * 12, request.headers)[0] == 413


def test_two_receivers_in_one_flask_application() -> None:
    app, seen = Flask("two"), []
    for secret, rule in [("first", "/first"), ("second", "/second")]:
        receiver = Receiver(secret)
        receiver.on()(lambda told, rule=rule: seen.append(rule))
        assert callable(receiver.flask(app, rule))
    for secret, rule in [("first", "/first"), ("second", "/second"), ("first", "/second")]:
        request = sent(to=replace(WEBHOOK, secret=secret))
        app.test_client().post(rule, data=request.body, headers=list(request.headers))
    assert seen == ["/first", "/second"]
