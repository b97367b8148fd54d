"""The SDK's receivers, in each framework, take all that a real server sends under every option."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.integration.receiver import eventually
from tests.integration.server import Server
from tests.webhook_hosts import HOSTS, hosted

from elasticlake.model.ids import DeliveryId
from elasticlake.model.rules import FORMATS
from elasticlake.webhooks import Event, MemoryGuard, Receiver, SqliteGuard

KEY = "Grüße +☂/a b.txt"
CHANGES = ["object:created", "object:updated", "object:deleted"]
BATCH = {"maxEvents": 10, "maxWaitMs": 100}
OPTIONS = [(form, batch) for form in FORMATS for batch in (None, BATCH)]
FRAMEWORKS = [name for name in HOSTS if not name.endswith("_reads_first")]


class Heard:
    """The events that a receiver was handed, by webhook."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._lock = threading.Lock()

    def __call__(self, told: Event) -> None:
        with self._lock:
            self.events.append(told)

    def by(self, webhook: str) -> list[Event]:
        with self._lock:
            return [one for one in self.events if DeliveryId.parse(one.delivery.id or "").webhook_id == webhook]


def webhook(server: Server, bucket: str, endpoint: str, secret: str, **options: Any) -> str:
    body = {"bucket": bucket, "endpoint": endpoint, "events": CHANGES, "secret": secret, "retrySchedule": [0.2] * 20}
    return str(server.request("POST", "/v1/webhooks", body | options)["id"])


def job(server: Server, made: str, kind: str, **parameters: Any) -> dict[str, Any]:
    """A replay or a backfill, when it is over."""
    begun = server.request("POST", f"/v1/webhooks/{made}/{kind}", parameters)["id"]
    ended: dict[str, Any] = eventually(
        lambda: (now := server.request("GET", f"/v1/jobs/{begun}"))["status"] == "completed" and now
    )
    return ended


@contextmanager
def listening(name: str, receiver: Receiver) -> Iterator[tuple[str, Heard]]:
    heard = Heard()
    receiver.on()(heard)
    with hosted(name, receiver) as url:
        yield url, heard


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_all_that_a_server_sends(server: Server, s3: Any, bucket: str, name: str) -> None:
    secrets = [f"sécret-{number}" for number in range(len(OPTIONS))]
    # Of the first webhook it knows only the next secret, of the second only the one from before.
    known = ["next-0", *secrets[1:]]
    with listening(name, Receiver(known)) as (url, heard):
        webhooks = [
            webhook(
                server,
                bucket,
                url,
                secret,
                format=form,
                batch=batch,
                includeMetadata=True,
                includeUrl=300,
                headers={"Authorization": "Bearer token"},
            )
            for secret, (form, batch) in zip(secrets, OPTIONS, strict=True)
        ]
        for number in (0, 1):
            server.request("POST", f"/v1/webhooks/{webhooks[number]}/rotate", {"secret": f"next-{number}"})
        for body in (b"one", b"two"):
            s3.put_object(Bucket=bucket, Key=KEY, Body=body, ContentType="text/plain", Metadata={"owner": "bob"})
        s3.delete_object(Bucket=bucket, Key=KEY)
        s3.put_object(Bucket=bucket, Key="kept", Body=b"kept")
        for made, (form, _) in zip(webhooks, OPTIONS, strict=True):
            eventually(lambda made=made: len(heard.by(made)) >= 4)
            _expect_the_changes(heard.by(made), bucket, is_record=form == "s3")
        for made in webhooks:
            _send_again(server, made, heard)
        for made in webhooks:
            standing = server.request("GET", f"/v1/webhooks/{made}")["standing"]
            assert (standing["dead"], standing["retrying"]) == (0, 0)


def _expect_the_changes(told: list[Event], bucket: str, *, is_record: bool) -> None:
    # Of one key in order; the second may overtake it where nothing is batched.
    changes = [one for one in told if one.object is not None and one.object.key == KEY]
    (kept,) = [one for one in told if one not in changes]
    created = "object:created"
    assert [one.type for one in changes] == ([created, created, "object:deleted"] if is_record else CHANGES)
    assert [one.sequence for one in (*changes, kept)] == [1, 2, 3, 4]
    assert {one.bucket for one in told} == {bucket}
    assert {one.delivery.attempt for one in told} == {1}
    stored = changes[1].object
    assert stored is not None
    assert (stored.size, stored.metadata) == (3, {"owner": "bob"})
    assert stored.content_type == (None if is_record else "text/plain")
    assert len({one.id for one in told}) == 4
    assert kept.object is not None
    assert kept.object.url is not None
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(kept.object.url) as answer:
        assert answer.read() == b"kept"


def _send_again(server: Server, made: str, heard: Heard) -> None:
    """A test, a redelivery, a replay, a backfill."""
    assert server.request("POST", f"/v1/webhooks/{made}/test?wait=15")["status"] == "delivered"
    tested = heard.by(made)[-1]
    assert (tested.type, tested.test, tested.sequence) == ("object:created", True, 0)
    sent = eventually(lambda: server.request("GET", f"/v1/webhooks/{made}/deliveries?status=delivered")["items"])
    server.request("POST", f"/v1/deliveries/{sent[-1]['id']}/redeliver")
    eventually(lambda: any(one.delivery.redelivery for one in heard.by(made)))
    replay = job(server, made, "replay")
    again = [one for one in heard.by(made) if one.delivery.replay == replay["id"]]
    assert sorted(one.sequence or 0 for one in again) == [1, 2, 3, 4]
    job(server, made, "backfill")
    assert [one.object.key for one in heard.by(made) if one.backfill and one.object] == ["kept"]


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_what_fails_comes_again_and_what_was_handled_does_not_count_twice(
    server: Server, s3: Any, bucket: str, name: str, tmp_path: Any
) -> None:
    guard = SqliteGuard(tmp_path / "guard.db") if name in ("flask", "asgi") else MemoryGuard()
    receiver, tried = Receiver("guarded", guard), []

    @receiver.on("object:created", prefix="in/", content_type="image/*")
    def fails_twice(told: Event) -> None:
        tried.append(told.sequence)
        if tried.count(2) in (1, 2) and told.sequence == 2:
            raise RuntimeError("not yet")

    with listening(name, receiver) as (url, heard):
        made = webhook(server, bucket, url, "guarded", batch=BATCH | {"maxWaitMs": 300})
        for number, media_type in [(1, "image/png"), (2, "image/jpeg"), (3, "text/plain"), (4, "image/gif")]:
            s3.put_object(Bucket=bucket, Key=f"in/{number}", Body=b"x", ContentType=media_type)
        eventually(lambda: [one.sequence for one in heard.events] == [1, 2, 3, 4])
        assert tried == [1, 2, 2, 2, 4]
        replay = job(server, made, "replay")
        assert (replay["delivered"], tried) == (4, [1, 2, 2, 2, 4])
        fresh = job(server, made, "replay", freshIds=True)
        assert (fresh["delivered"], sorted(tried[5:])) == (4, [1, 2, 4])


@pytest.mark.parametrize("name", ["asgi", "flask"])
def test_a_receiver_with_another_secret_refuses_and_says_why(server: Server, s3: Any, bucket: str, name: str) -> None:
    with listening(name, Receiver("another")) as (url, heard):
        made = webhook(server, bucket, url, "secret")
        delivery = server.request("POST", f"/v1/webhooks/{made}/test?wait=15")
        (attempt, *_) = server.request("GET", f"/v1/deliveries/{delivery['id']}")["attemptLog"]
        assert attempt["statusCode"] == 401
        assert "No signature matches" in str(attempt)
        assert heard.events == []
