"""Both clients against a real server: every kind of call, lists over pages, the log without a gap."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.conftest import Spawn
from tests.integration.receiver import Receiver, eventually
from tests.integration.server import ACCESS_KEY, API_TOKEN, SECRET_KEY, Server, clean_environment

from elasticlake import AsyncClient, Client
from elasticlake.client import (
    ConnectionFailed,
    EventsExpired,
    InvalidInput,
    NotFound,
    Unauthenticated,
    UnexpectedAnswer,
    models,
)

_numbers = itertools.count()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.url, API_TOKEN) as opened:
        yield opened


@pytest.fixture
def lake() -> str:
    return f"sdk{next(_numbers)}"


def test_lakes_ponds_and_buckets(client: Client, lake: str) -> None:
    assert client.lakes.create(lake, name="Sales").name == "Sales"
    client.ponds.create(lake, "p")
    bucket = client.buckets.create(f"{lake}--p--b")
    assert bucket.acl == "private"
    assert client.buckets.change(f"{lake}--p--b", "public-read").acl == "public-read"
    assert [one.bucket for one in client.buckets.list(lake=lake)] == [f"{lake}--p--b"]
    client.buckets.delete(f"{lake}--p--b")
    client.ponds.delete(lake, "p")
    client.lakes.delete(lake)
    with pytest.raises(NotFound, match=lake):
        client.lakes.get(lake)


def test_lists_go_on_over_all_pages(client: Client, lake: str) -> None:
    names = [f"{lake}--p--b{number}" for number in range(7)]
    for name in names:
        client.buckets.create(name)
    assert [one.bucket for one in client.buckets.list(lake=lake, limit=2)] == names
    assert [one.bucket for one in itertools.islice(client.buckets.list(lake=lake, limit=2), 3)] == names[:3]


def test_a_webhook_from_its_making_to_its_deliveries(client: Client, lake: str, receiver: Receiver) -> None:
    client.buckets.create(f"{lake}--p--b")
    webhook = client.webhooks.create(
        receiver.url(), ["object:created"], bucket=f"{lake}--p--b",
        filter=models.FilterInput(prefix=["in/"], content_type=["text/*"]), name="mine",
    )  # fmt: skip
    assert webhook.secret is not None
    assert client.webhooks.get(webhook.id).secret is None
    assert client.webhooks.change(webhook.id, filter=None).filter is None
    tested = client.webhooks.send_test_delivery(webhook.id, wait=10)
    assert (tested.kind, tested.status) == ("test", "delivered")
    attempts = client.deliveries.get(tested.id).attempt_log
    assert attempts[0].status_code == 200
    assert [one.id for one in client.webhooks.list_deliveries(webhook.id, status="delivered")] == [tested.id]
    assert client.jobs.replay(webhook.id, dry_run=True) == models.Count(matched=0, at_least=False)
    client.webhooks.delete(webhook.id)


def test_events_follow_the_log_over_a_restart_without_a_gap(spawn: Spawn) -> None:
    server = spawn().start()
    with Client(server.url, API_TOKEN) as client:
        client.buckets.create("sdk--p--log")
        s3 = client.s3(ACCESS_KEY, SECRET_KEY)

        def put(numbers: range) -> None:
            for number in numbers:
                s3.put_object(Bucket="sdk--p--log", Key=f"k{number}", Body=b"x")

        put(range(5))
        restarted = threading.Thread(target=lambda: (server.stop(), server.start(), put(range(5, 10))))
        seen = []
        for event in client.events("sdk--p--log"):
            seen.append(event)
            if len(seen) == 5:
                restarted.start()
            if len(seen) == 10:
                break
        restarted.join()
        assert [event.sequence for event in seen] == list(range(1, 11))
        assert [event.object.key for event in seen] == [f"k{number}" for number in range(10)]
        assert [event.sequence for event in client.events("sdk--p--log", after=8, follow=False)] == [9, 10]


def test_errors_say_what_the_server_said(client: Client, server: Server) -> None:
    with pytest.raises(InvalidInput) as caught:
        client.webhooks.create("ftp://example.com", ["object:created"], bucket="b")
    assert caught.value.faults[0].field == "endpoint"
    assert caught.value.request_id
    with Client(server.url, "not a token") as stranger, pytest.raises(Unauthenticated):
        list(stranger.lakes.list())
    with pytest.raises(NotFound):
        next(client.events("nowhere"))


def test_a_server_that_is_not_there_is_told() -> None:
    with Client("http://127.0.0.1:1", "t", retries=1) as client, pytest.raises(ConnectionFailed, match=r"127\.0\.0\.1"):
        client.health.get()


def test_what_is_not_elasticlake_is_told(receiver: Receiver) -> None:
    with Client(receiver.url("").rstrip("/"), "t", retries=0) as client, pytest.raises(UnexpectedAnswer):
        client.webhooks.rotate_secret("wh_x")


async def test_the_other_client_does_the_same(server: Server, lake: str) -> None:
    async with AsyncClient(server.url, API_TOKEN) as client:
        await asyncio.gather(*(client.buckets.create(f"{lake}--p--b{number}") for number in range(5)))
        names = [one.bucket async for one in client.buckets.list(lake=lake, limit=2)]
        assert names == [f"{lake}--p--b{number}" for number in range(5)]
        s3: Any = client.s3(ACCESS_KEY, SECRET_KEY)
        await asyncio.to_thread(s3.put_object, Bucket=names[0], Key="k", Body=b"x")
        assert [event.sequence async for event in client.events(names[0], follow=False)] == [1]
        with pytest.raises(NotFound):
            await client.buckets.get("nowhere")


def test_the_clients_are_imported_when_somebody_asks_for_one() -> None:
    program = (
        "import sys, elasticlake; print('httpx' in sys.modules); elasticlake.Client; print('httpx' in sys.modules)"
    )
    how: dict[str, Any] = {"env": clean_environment(), "capture_output": True, "text": True, "check": True}
    told = subprocess.run([sys.executable, "-c", program], **how)
    assert told.stdout.split() == ["False", "True"]


def test_an_event_that_is_gone_is_told(spawn: Spawn) -> None:
    before = spawn().start()
    with Client(before.url, API_TOKEN) as client:
        client.buckets.create("sdk--p--short")
        for number in range(20):
            client.s3(ACCESS_KEY, SECRET_KEY).put_object(Bucket="sdk--p--short", Key=f"k{number}", Body=b"x")
    before.close()
    # A server trims as it starts.
    server = spawn("--event-retention-size", "2KiB", data=before.data).start()
    with Client(server.url, API_TOKEN) as client:
        first = eventually(lambda: client.event_log.list("sdk--p--short", after=20).first_sequence - 1) + 1
        with pytest.raises(EventsExpired) as caught:
            next(client.events("sdk--p--short"))
        assert caught.value.first_sequence == first
        assert next(client.events("sdk--p--short", after=first - 1)).sequence == first
