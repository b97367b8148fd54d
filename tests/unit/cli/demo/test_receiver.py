"""The demo's receiver: verified or not, and what it answers."""

from __future__ import annotations

import http.client
import json
import time
from urllib.parse import urlsplit

from elasticlake.cli.demo.receiver import DemoReceiver, demo_receiver
from elasticlake.signing import generate_secret, standard_signature

BODY = json.dumps(
    {"event": "object:created", "timestamp": "2026-01-02T03:04:05Z", "id": "evt_1", "bucket": "b", "sequence": 1,
     "object": {"key": "k", "size": 1, "etag": "e", "contentType": "text/plain"}, "lake": "l", "pond": "p"}
).encode()  # fmt: skip
SECRET = generate_secret()


def signed(secret: str) -> tuple[tuple[str, str], ...]:
    now = int(time.time())
    signature = standard_signature(secret, "evt_1", now, BODY)
    return ("webhook-id", "evt_1"), ("webhook-timestamp", str(now)), ("webhook-signature", signature)


def test_it_refuses_what_another_signed_and_fails_when_told_to() -> None:
    receiver = DemoReceiver(secret=SECRET, failures=1)
    forged = receiver.take(signed(generate_secret()), BODY)
    assert (forged.is_verified, forged.answer, receiver.failures) == (False, 401, 1)
    assert forged.refusal
    failed, again = receiver.take(signed(SECRET), BODY), receiver.take(signed(SECRET), BODY)
    assert [(one.is_verified, one.answer) for one in (failed, again)] == [(True, 503), (True, 204)]
    assert (again.header("Webhook-ID"), again.header("absent")) == ("evt_1", "")


def test_it_listens_and_keeps_what_arrives() -> None:
    with demo_receiver() as receiver:
        receiver.secret = SECRET
        connection = http.client.HTTPConnection(urlsplit(receiver.endpoint).netloc, timeout=10)
        connection.request("POST", "/hook", BODY, dict(signed(SECRET)))
        assert connection.getresponse().status == 204
        connection.close()
        assert receiver.arrivals.get(timeout=10).body == BODY
