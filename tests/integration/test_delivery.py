"""The rules of delivery on a real server: order, retries, what stops a webhook, and what survives."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import Spawn, s3_client
from tests.integration.quick_receiver import Answer, Came, QuickReceiver
from tests.integration.receiver import Received, eventually
from tests.integration.server import Server

from elasticlake.clock import SystemClock
from elasticlake.delivery.pace import FIRST_LIMIT
from elasticlake.metadata import buckets
from elasticlake.metadata.database import Transaction
from elasticlake.model.accounts import Caller, Scope
from elasticlake.model.objects import Attributes
from elasticlake.service import versions
from elasticlake.service.context import Request

EVERY_EVENT = ["object:created", "object:updated", "object:deleted", "multipart:completed"]
SOON = [0.3] * 50

Hook = Callable[..., dict[str, Any]]


@pytest.fixture
def quick() -> Iterator[QuickReceiver]:
    """A receiver that answers 200."""
    listening = QuickReceiver()
    yield listening
    listening.close()


@pytest.fixture
def hook(server: Server) -> Iterator[Hook]:
    """Makes webhooks for every event at a receiver's URL; they are gone when the test is over."""
    made: list[str] = []

    def make(url: str, **members: Any) -> dict[str, Any]:
        webhook: dict[str, Any] = make_hook(server, url, **members)
        made.append(webhook["id"])
        return webhook

    yield make
    for webhook_id in made:
        server.request("DELETE", f"/v1/webhooks/{webhook_id}")


def make_hook(server: Server, url: str, **members: Any) -> Any:
    body = {"endpoint": url, "events": EVERY_EVENT, "secret": "s", "retrySchedule": SOON}
    return server.request("POST", "/v1/webhooks", body | members)


class Gate:
    """Decides 500 for the requests that it holds, until it is opened; 200 for the rest."""

    def __init__(self, holds: Callable[[dict[str, Any]], bool]) -> None:
        self.holds = holds
        self.open = threading.Event()

    def __call__(self, received: Received) -> int:
        return 500 if not self.open.is_set() and self.holds(received.event) else 200


def put(s3: Any, bucket: str, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())


def listed(server: Server, webhook: dict[str, Any], status: str) -> list[dict[str, Any]]:
    page = server.request("GET", f"/v1/webhooks/{webhook['id']}/deliveries?status={status}")
    return list(page["items"])


def sequences_listed(server: Server, webhook: dict[str, Any], status: str) -> list[int]:
    return sorted(delivery["sequence"] for delivery in listed(server, webhook, status))


def change(server: Server, webhook: dict[str, Any], **members: Any) -> Any:
    return server.request("PATCH", f"/v1/webhooks/{webhook['id']}", members)


def disabled_for(server: Server, webhook: dict[str, Any]) -> str:
    """The reason for which the webhook was disabled, as soon as it is."""
    path = f"/v1/webhooks/{webhook['id']}"
    reason = eventually(lambda: server.request("GET", path)["disabledReason"])
    assert server.request("GET", path)["status"] == "disabled"
    return str(reason)


def of_key(came: list[Came], key: str) -> list[int]:
    return [one.sequence for one in came if one.key == key]


def test_a_failing_key_holds_back_itself_alone(
    server: Server, s3: Any, bucket: str, quick: QuickReceiver, hook: Hook
) -> None:
    quick.decide = gate = Gate(lambda event: event["object"]["key"] == "a")
    webhook = hook(quick.url(), bucket=bucket)
    put(s3, bucket, "a", "b", "a", "b", "a", "b")
    eventually(lambda: of_key(quick.at("/"), "b") == [2, 4, 6] and len(of_key(quick.at("/"), "a")) >= 3)
    assert set(of_key(quick.at("/"), "a")) == {1}
    assert sequences_listed(server, webhook, "retrying") == [1]
    assert sequences_listed(server, webhook, "held") == [3, 5]
    retrying = listed(server, webhook, "retrying")[0]
    assert retrying["attempts"] >= 2
    assert retrying["nextAttemptAt"] is not None
    gate.open.set()
    came = eventually(lambda: (came := quick.at("/")) and came[-1].sequence == 5 and came)
    tried = of_key(came, "a")
    assert tried == [1] * (len(tried) - 2) + [3, 5]
    eventually(lambda: sequences_listed(server, webhook, "delivered") == [1, 2, 3, 4, 5, 6])
    assert [listed(server, webhook, status) for status in ("retrying", "held", "pending", "dead")] == [[]] * 4


def test_every_attempt_sends_the_same_bytes(
    server: Server, s3: Any, bucket: str, quick: QuickReceiver, hook: Hook
) -> None:
    quick.decide = lambda _: 500 if len(quick.came) < 4 else 200
    webhook = hook(quick.url(), bucket=bucket, retrySchedule=[0.1] * 5)
    put(s3, bucket, "ключ/☃")
    came = quick.wait_for(4)
    headers = [one.request.headers for one in came]
    assert len({one.request.body for one in came}) == 1
    for same in ("webhook-id", "x-elasticlake-signature", "x-elasticlake-delivery", "x-elasticlake-event"):
        assert len({one[same] for one in headers}) == 1
    assert [one["x-elasticlake-attempt"] for one in headers] == ["1", "2", "3", "4"]
    delivery_id = headers[0]["x-elasticlake-delivery"]

    def log() -> list[dict[str, Any]]:
        return list(server.request("GET", f"/v1/deliveries/{delivery_id}")["attemptLog"])

    attempts = eventually(lambda: len(log()) == 4 and log())
    assert [attempt["statusCode"] for attempt in attempts] == [500, 500, 500, 200]
    assert {attempt["requestBody"] for attempt in attempts} == {came[0].request.body.decode()}
    # Attempts are written beside the outcome, not after it.
    assert eventually(lambda: sequences_listed(server, webhook, "delivered")) == [1]


def test_strict_order_holds_the_whole_bucket(
    server: Server, s3: Any, bucket: str, quick: QuickReceiver, hook: Hook
) -> None:
    quick.decide = gate = Gate(lambda event: event["sequence"] == 2)
    webhook = hook(quick.url(), bucket=bucket, ordering="bucket")
    put(s3, bucket, "a", "b", "c", "d")
    eventually(lambda: quick.sequences().count(2) >= 3)
    assert set(quick.sequences()) == {1, 2}
    assert sequences_listed(server, webhook, "retrying") == [2]
    eventually(lambda: sequences_listed(server, webhook, "held") == [3, 4])
    gate.open.set()
    eventually(lambda: quick.sequences()[-1] == 4)
    tried = quick.sequences()
    assert tried == [1, *[2] * (len(tried) - 3), 3, 4]


def test_without_order_nothing_is_held(server: Server, s3: Any, bucket: str, quick: QuickReceiver, hook: Hook) -> None:
    quick.decide = gate = Gate(lambda event: event["sequence"] == 1)
    webhook = hook(quick.url(), bucket=bucket, ordering="none")
    put(s3, bucket, "a", "a", "a")
    eventually(lambda: set(quick.sequences()) == {1, 2, 3} and quick.sequences().count(1) >= 2)
    assert sequences_listed(server, webhook, "retrying") == [1]
    assert sequences_listed(server, webhook, "held") == []
    gate.open.set()
    eventually(lambda: sequences_listed(server, webhook, "delivered") == [1, 2, 3])


def test_retry_after_is_honoured(server: Server, s3: Any, bucket: str, quick: QuickReceiver, hook: Hook) -> None:
    def decide(received: Received) -> Answer | int:
        first = len(quick.at(received.path)) == 1
        return Answer(int(received.path[1:]), ("Retry-After: 2",)) if first else 200

    quick.decide = decide
    statuses = (429, 503, 500)
    for status in statuses:
        hook(quick.url(f"/{status}"), bucket=bucket, retrySchedule=[0.2])
    put(s3, bucket, "a")
    waits = {}
    for status in statuses:
        first, second = quick.wait_for(2, f"/{status}")
        waits[status] = second.at - first.at
    # Asked for by a 500 it means nothing.
    assert min(waits[429], waits[503]) >= 2
    assert waits[500] < 2


def test_a_dead_delivery_is_seen_and_redelivered(
    server: Server, s3: Any, bucket: str, quick: QuickReceiver, hook: Hook
) -> None:
    quick.decide = gate = Gate(lambda event: event["sequence"] == 1)
    webhook = hook(quick.url(), bucket=bucket, retrySchedule=[0.1, 0.1])
    put(s3, bucket, "a", "a")
    dead = eventually(lambda: listed(server, webhook, "dead"))
    assert [(one["sequence"], one["attempts"], one["nextAttemptAt"]) for one in dead] == [(1, 3, None)]
    # Its death lets the rest of its key go on.
    eventually(lambda: quick.sequences() == [1, 1, 1, 2])
    gate.open.set()
    made = server.request("POST", f"/v1/deliveries/{dead[0]['id']}/redeliver")
    assert (made["kind"], made["generation"], made["eventId"]) == ("redelivery", 1, dead[0]["eventId"])
    again = quick.wait_for(5)[4].request
    first = quick.came[0].request
    assert again.headers["x-elasticlake-redelivery"] == "true"
    assert "x-elasticlake-redelivery" not in first.headers
    assert again.headers["webhook-id"] == first.headers["webhook-id"] == dead[0]["eventId"]
    assert again.headers["x-elasticlake-delivery"] == made["id"]
    assert again.body == first.body
    eventually(lambda: server.request("GET", f"/v1/deliveries/{made['id']}")["status"] == "delivered")
    assert listed(server, webhook, "dead") == []


def test_a_dead_delivery_pauses_where_asked(
    server: Server, s3: Any, bucket: str, quick: QuickReceiver, hook: Hook
) -> None:
    quick.decide = gate = Gate(lambda event: event["sequence"] == 1)
    webhook = hook(quick.url(), bucket=bucket, retrySchedule=[0.1], onDead="pause")
    put(s3, bucket, "a", "a")
    assert disabled_for(server, webhook) == "deadDelivery"
    put(s3, bucket, "b")
    time.sleep(0.5)
    assert quick.sequences() == [1, 1]
    gate.open.set()
    change(server, webhook, status="enabled")
    eventually(lambda: sorted(quick.sequences()) == [1, 1, 2, 3])


@pytest.mark.parametrize(("resume", "expected"), [("position", {1, 2, 3}), ("now", {3})])
def test_gone_and_back(
    server: Server, s3: Any, bucket: str, quick: QuickReceiver, hook: Hook, resume: str, expected: set[int]
) -> None:
    quick.decide = lambda _: 410
    webhook = hook(quick.url(), bucket=bucket)
    put(s3, bucket, "a")
    assert disabled_for(server, webhook) == "gone"
    put(s3, bucket, "a")
    assert quick.sequences() == [1]
    quick.decide = lambda _: 200
    change(server, webhook, status="enabled", resume=resume)
    put(s3, bucket, "a")
    eventually(lambda: 3 in quick.sequences())
    assert quick.sequences()[1:] == sorted(expected)
    eventually(lambda: set(sequences_listed(server, webhook, "delivered")) == expected)
    assert sequences_listed(server, webhook, "canceled") == [] if resume == "position" else [1]


def test_lanes_and_positions_survive_a_killed_dispatcher_and_a_stop(spawn: Spawn, quick: QuickReceiver) -> None:
    server = spawn()
    server.start()
    s3 = s3_client(server)
    s3.create_bucket(Bucket="lasting")
    quick.decide = gate = Gate(lambda event: event["object"]["key"] in ("a", "b"))
    webhook = make_hook(server, quick.url(), bucket="lasting", retrySchedule=[0.5] * 50)
    put(s3, "lasting", *"abcdefabcdef")

    def attempts_of(sequence: int) -> list[int]:
        return [int(one.request.headers["x-elasticlake-attempt"]) for one in quick.at("/") if one.sequence == sequence]

    eventually(lambda: len(quick.came) >= 14 and attempts_of(1)[-1] >= 2)
    before = server.dispatcher_pid
    os.kill(before, signal.SIGKILL)
    eventually(lambda: len(server.pids()) == 3 and server.dispatcher_pid != before)
    at_kill = attempts_of(1)[-1]
    eventually(lambda: attempts_of(1)[-1] >= at_kill + 2)
    server.stop()
    at_stop = attempts_of(1)[-1]
    server.start()
    eventually(lambda: attempts_of(1)[-1] > at_stop)
    assert sequences_listed(server, webhook, "retrying") == [1, 2]
    assert sequences_listed(server, webhook, "held") == [7, 8]
    gate.open.set()
    eventually(lambda: set(quick.sequences()) == set(range(1, 13)))
    # An attempt that was not written down when the dispatcher died is made again, under the same number.
    counted = attempts_of(1)
    assert counted == sorted(counted)
    assert set(counted) == set(range(1, counted[-1] + 1))
    for key in "ab":
        assert of_key(quick.at("/"), key) == sorted(of_key(quick.at("/"), key))
    eventually(lambda: listed(server, webhook, "retrying") == [])


def test_what_is_told_of_a_webhook_survives_a_stop(spawn: Spawn, quick: QuickReceiver) -> None:
    server = spawn()
    server.start()
    s3 = s3_client(server)
    s3.create_bucket(Bucket="told")
    quick.decide = lambda received: {"/gone": 410, "/off": 503}.get(received.path, 200)
    watching = make_hook(server, quick.url("/off"), lake="default", events=["webhook:disabled"])
    gone = make_hook(server, quick.url("/gone"), bucket="told")
    put(s3, "told", "a")
    assert disabled_for(server, gone) == "gone"
    quick.wait_for(2, "/off")
    server.stop()
    assert server.check()["findings"] == []
    server.start()
    [waiting] = listed(server, watching, "retrying")
    assert (waiting["event"], waiting["kind"]) == ("webhook:disabled", "event")
    change(server, watching, endpoint=quick.url("/on"))
    assert quick.wait_for(1, "/on")[0].request.event["webhook"]["id"] == gone["id"]
    again = server.request("POST", f"/v1/deliveries/{waiting['id']}/redeliver")
    assert again["kind"] == "redelivery"
    assert len({one.request.headers["webhook-id"] for one in quick.wait_for(2, "/on")}) == 1


def test_an_edit_applies_to_what_waits(server: Server, s3: Any, bucket: str, quick: QuickReceiver, hook: Hook) -> None:
    quick.decide = lambda received: 500 if received.path == "/old" else 200
    webhook = hook(quick.url("/old"), bucket=bucket)
    put(s3, bucket, "a", "b", "a", "b")
    s3.delete_object(Bucket=bucket, Key="b")
    eventually(lambda: {1, 2} <= set(quick.sequences("/old")))
    wanted = ["object:created", "object:updated"]
    change(server, webhook, endpoint=quick.url("/new"), events=wanted, ordering="bucket")
    eventually(lambda: quick.sequences("/new")[-1:] == [4])
    put(s3, bucket, "c")
    eventually(lambda: quick.sequences("/new")[-1:] == [6])
    assert quick.sequences("/new") == [1, 2, 3, 4, 6]
    sent = len(quick.came)
    change(server, webhook, ordering="none", name="renamed")
    put(s3, bucket, "d")
    eventually(lambda: quick.sequences("/new") == [1, 2, 3, 4, 6, 7])
    assert len(quick.came) == sent + 1


def test_a_parked_event_that_is_no_longer_wanted_is_passed_over(
    server: Server, s3: Any, bucket: str, quick: QuickReceiver, hook: Hook
) -> None:
    quick.decide = gate = Gate(lambda _: True)
    webhook = hook(quick.url(), bucket=bucket)
    put(s3, bucket, "a", "a")
    s3.delete_object(Bucket=bucket, Key="a")
    eventually(lambda: quick.sequences().count(1) >= 2)
    change(server, webhook, events=["object:deleted"])
    eventually(lambda: sequences_listed(server, webhook, "retrying") == [3])
    gate.open.set()
    eventually(lambda: sequences_listed(server, webhook, "delivered") == [3])
    assert set(quick.sequences()) == {1, 3}


@pytest.mark.parametrize("scope", ["pond", "lake"])
def test_a_wider_webhook_sees_old_buckets_from_now_and_new_ones_whole(
    server: Server, s3: Any, quick: QuickReceiver, hook: Hook, scope: str
) -> None:
    old, new = f"{scope}s--p--old", f"{scope}s--p--new"
    s3.create_bucket(Bucket=old)
    put(s3, old, "a", "b")
    hook(quick.url(), **{scope: f"{scope}s--p" if scope == "pond" else f"{scope}s"})
    s3.create_bucket(Bucket=new)
    put(s3, new, "a", "b")
    put(s3, old, "c")
    came = quick.wait_for(3)
    heard = [(one.request.event["bucket"], one.sequence) for one in came]
    assert sorted(heard) == [(new, 1), (new, 2), (old, 3)]


def test_a_deleted_webhook_sends_no_more(server: Server, s3: Any, bucket: str, quick: QuickReceiver) -> None:
    quick.decide = lambda _: 500
    webhook = make_hook(server, quick.url(), bucket=bucket)
    put(s3, bucket, "a", "b")
    came = quick.wait_for(4)
    server.request("DELETE", f"/v1/webhooks/{webhook['id']}")
    put(s3, bucket, "c")
    time.sleep(0.3)  # an attempt may have been under way
    sent = len(quick.came)
    time.sleep(1)
    assert len(quick.came) == sent
    assert 3 not in quick.sequences()
    delivery_id = came[0].request.headers["x-elasticlake-delivery"]
    assert server.refusal("GET", f"/v1/deliveries/{delivery_id}")["status"] == 404


def test_a_deleted_buckets_log_is_told_to_its_end(
    server: Server, s3: Any, bucket: str, quick: QuickReceiver, hook: Hook
) -> None:
    quick.decide = gate = Gate(lambda event: event["object"]["key"] == "a")
    webhook = hook(quick.url(), bucket=bucket)
    put(s3, bucket, "a", "b")
    for key in "ab":
        s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_bucket(Bucket=bucket)
    eventually(lambda: of_key(quick.at("/"), "b") == [2, 4] and quick.sequences().count(1) >= 3)
    assert server.request("GET", f"/v1/webhooks/{webhook['id']}")["status"] == "enabled"
    gate.open.set()
    eventually(lambda: 3 in quick.sequences())
    assert disabled_for(server, webhook) == "bucketDeleted"
    sent = len(quick.came)
    # The name comes back: another bucket, whose log goes on counting.
    s3.create_bucket(Bucket=bucket)
    put(s3, bucket, "a")
    feed = server.request("GET", f"/v1/buckets/{bucket}/events?after=4&wait=5")
    assert [event["sequence"] for event in feed["items"]] == [5]
    assert server.request("GET", f"/v1/webhooks?bucket={bucket}")["items"] == []
    second = hook(quick.url("/second"), bucket=bucket)
    put(s3, bucket, "b")
    assert [one.sequence for one in quick.wait_for(1, "/second")] == [6]
    assert sequences_listed(server, second, "delivered") in ([], [6])
    assert len(quick.at("/")) == sent


def test_a_test_delivery(server: Server, bucket: str, quick: QuickReceiver, hook: Hook) -> None:
    webhook = hook(quick.url(), bucket=bucket, events=["object:deleted"])
    delivery = server.request("POST", f"/v1/webhooks/{webhook['id']}/test?wait=10")
    assert (delivery["status"], delivery["kind"], delivery["attempts"]) == ("delivered", "test", 1)
    request = quick.came[0].request
    event = request.event
    assert list(event)[:6] == ["event", "timestamp", "bucket", "object", "lake", "pond"]
    assert (event["event"], event["bucket"], event["sequence"], event["test"]) == ("object:created", bucket, 0, True)
    assert (event["lake"], event["pond"]) == ("it", "tests")
    assert request.headers["x-elasticlake-delivery"] == delivery["id"]
    assert "x-elasticlake-redelivery" not in request.headers
    change(server, webhook, status="disabled")
    quick.decide = lambda _: 404
    failed = server.request("POST", f"/v1/webhooks/{webhook['id']}/test?wait=10")
    assert (failed["status"], failed["generation"]) == ("dead", delivery["generation"] + 1)
    assert [one["id"] for one in listed(server, webhook, "dead")] == [failed["id"]]


def test_a_disabled_webhook_leaves_its_events_pending(
    server: Server, s3: Any, bucket: str, quick: QuickReceiver, hook: Hook
) -> None:
    webhook = hook(quick.url(), bucket=bucket)
    assert change(server, webhook, status="disabled")["disabledReason"] == "manual"
    put(s3, bucket, "a", "a", "b")
    assert sequences_listed(server, webhook, "pending") == [1, 2, 3]
    assert [one["attempts"] for one in listed(server, webhook, "pending")] == [0, 0, 0]
    assert quick.came == []
    change(server, webhook, status="enabled")
    eventually(lambda: sequences_listed(server, webhook, "delivered") == [1, 2, 3])
    assert listed(server, webhook, "pending") == []


def test_a_receiver_that_hangs_delays_nobody_else(
    server: Server, s3: Any, bucket: str, quick: QuickReceiver, hook: Hook
) -> None:
    quick.decide = lambda received: None if received.path == "/hangs" else 200
    hook(quick.url("/hangs"), bucket=bucket, timeoutSeconds=30)
    hook(quick.url("/answers"), bucket=bucket)
    put(s3, bucket, *(f"k{number}" for number in range(40)))
    quick.wait_for(int(FIRST_LIMIT), "/hangs")
    delays = []
    for number in range(40, 50):
        started = time.monotonic()
        put(s3, bucket, f"k{number}")
        delays.append(quick.wait_for(number + 1, "/answers")[-1].at - started)
    assert max(delays) < 5
    assert sorted(quick.sequences("/answers")) == list(range(1, 51))
    assert len(quick.at("/hangs")) == FIRST_LIMIT


BACKLOG = 20_000
BACKLOG_KEYS = 5_000
RSS_LIMIT_MIB = 200


def test_a_large_backlog_drains_in_bounded_memory(spawn: Spawn, quick: QuickReceiver) -> None:
    server = spawn("--no-history")
    server.start()
    s3_client(server).create_bucket(Bucket="backlog")
    webhook = make_hook(server, quick.url(), bucket="backlog")
    change(server, webhook, status="disabled")
    server.stop()
    asyncio.run(_write_backlog(server))
    server.start()
    change(server, webhook, status="enabled", resume="position")
    pid, peak_mib = server.dispatcher_pid, 0.0
    give_up_at = time.monotonic() + 90
    while len(quick.came) < BACKLOG:
        peak_mib = max(peak_mib, _anonymous_mib(pid))
        assert time.monotonic() < give_up_at, f"{len(quick.came)} of {BACKLOG} came"
        time.sleep(0.05)
    assert peak_mib < RSS_LIMIT_MIB
    last: dict[str, int] = {}
    for one in quick.came:
        event = one.request.event
        key, sequence = event["object"]["key"], event["sequence"]
        assert last.get(key, 0) < sequence
        last[key] = sequence
    assert len(last) == BACKLOG_KEYS
    assert len({one.request.headers["webhook-id"] for one in quick.came}) == BACKLOG


async def _write_backlog(server: Server) -> None:
    """What that many PUTs leave behind, without their requests."""
    database = server.open_core()
    request = Request(Caller("root", "AKID", Scope()), "REQUEST")
    now_ms = SystemClock().now_ms()
    new = versions.NewContent(1, hashlib.md5(b"x").hexdigest(), inline=b"x")

    def put_one(tx: Transaction, number: int) -> None:
        key = b"%d" % (number % BACKLOG_KEYS)
        placed = versions.Change(buckets.get(tx, "backlog"), key, "PutObject", request, now_ms, 0)
        versions.put(tx, placed, new, Attributes(), "private", None)

    def put_many(tx: Transaction, first: int) -> None:
        for number in range(first, first + 1000):
            put_one(tx, number)

    for first in range(0, BACKLOG, 1000):
        await database.write(lambda tx, first=first: put_many(tx, first))  # type: ignore[misc]
    await database.close()


def _anonymous_mib(pid: int) -> float:
    found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024
