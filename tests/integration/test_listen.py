"""A developer's machine receives real deliveries, without a public URL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import standardwebhooks
from tests.integration.conftest import Spawn, s3_client
from tests.integration.listening import Listening
from tests.integration.receiver import Receiver
from tests.integration.server import Server, free_port

from elasticlake.signing import page_signature

Listen = Callable[..., Listening]
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


@pytest.fixture
def listen() -> Iterator[Listen]:
    made: list[Listening] = []

    def start(server: Server, *arguments: str) -> Listening:
        made.append(Listening(server, *arguments))
        return made[-1]

    yield start
    for listening in made:
        listening.close()


def put(s3: Any, bucket: str, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")


def test_what_is_forwarded_is_what_a_webhook_sends(
    server: Server, s3: Any, bucket: str, receiver: Receiver, listen: Listen
) -> None:
    secret = "my-webhook-secret"
    webhook = {"bucket": bucket, "endpoint": receiver.url("/webhook"), "events": ["object:created"], "secret": secret}
    server.request("POST", "/v1/webhooks", webhook)
    listening = listen(server, "--bucket", bucket, "--forward-to", receiver.url("/hook"), "--secret", secret)
    put(s3, bucket, "größe 1.txt")
    (sent,), (forwarded,) = receiver.wait_for(1, "/webhook"), receiver.wait_for(1, "/hook")
    assert forwarded.body == sent.body
    assert set(forwarded.headers) - {"connection"} == set(sent.headers) - {"connection"}
    assert forwarded.headers["x-elasticlake-signature"] == page_signature(secret, sent.body)
    own = ("host", "x-elasticlake-delivery", "webhook-timestamp", "webhook-signature", "connection")
    same = {name: value for name, value in sent.headers.items() if name not in own}
    assert same == {name: value for name, value in forwarded.headers.items() if name not in own}
    assert re.fullmatch(r"dlv_[a-z2-7]+", forwarded.headers["x-elasticlake-delivery"])
    assert secret not in str(listening.warnings)


def test_it_prints_what_comes_and_what_is_answered(
    server: Server, s3: Any, bucket: str, receiver: Receiver, listen: Listen
) -> None:
    receiver.answer = lambda before: 500 if before == 0 else 204
    url = receiver.url("/hook")
    listening = listen(server, "--bucket", bucket, "--forward-to", url.removeprefix("http://"))
    put(s3, bucket, "a", "b\n")
    lines = listening.wait_for(4)
    event_id = receiver.at("/hook")[0].event["id"]
    assert re.fullmatch(rf"{TIME}  --> object:created  {bucket}/a \[{event_id}\]", lines[0])
    assert re.fullmatch(rf"{TIME}  <-- \[500\] POST {re.escape(url)}  \d+ ms", lines[1])
    assert rf"{bucket}/b\n [evt_" in lines[2]
    assert "<-- [204] POST" in lines[3]
    (secret,) = re.findall(r"whsec_\S+", listening.warnings[0])
    for received in receiver.at("/hook"):
        verified = standardwebhooks.Webhook(secret).verify(received.body.decode(), received.headers)
        assert verified == received.event
    assert listening.interrupt() == 0


def test_an_endpoint_that_is_not_there_is_said_and_the_next_event_follows(
    server: Server, s3: Any, bucket: str, listen: Listen
) -> None:
    listening = listen(server, "--bucket", bucket, "--forward-to", f"http://127.0.0.1:{free_port()}/", "--json")
    put(s3, bucket, "a", "b")
    documents = listening.documents(2)
    assert [document["object"]["key"] for document in documents] == ["a", "b"]
    for document in documents:
        assert document["forwarded"]["statusCode"] is None
        assert "refused" in document["forwarded"]["error"]


def test_only_the_types_asked_for_and_from_where_it_is_asked(
    server: Server, s3: Any, bucket: str, listen: Listen
) -> None:
    put(s3, bucket, "a", "b")
    s3.delete_object(Bucket=bucket, Key="a")
    listening = listen(
        server,
        "--bucket",
        bucket,
        "--after",
        "1",
        "--event",
        "object:created",
        "--events",
        "object:deleted",
        "--print-json",
    )
    put(s3, bucket, "b", "c")
    assert [(event["event"], event["sequence"]) for event in listening.documents(3)] == [
        ("object:created", 2),
        ("object:deleted", 3),
        ("object:created", 5),
    ]
    assert listening.interrupt() == 0


@pytest.mark.both_engines
@pytest.mark.parametrize("scope", ["bucket", "pond", "lake"])
def test_nothing_is_missed_and_nothing_comes_twice_over_a_restart(
    spawn: Spawn, receiver: Receiver, listen: Listen, scope: str
) -> None:
    server = spawn().start()
    s3 = s3_client(server)
    buckets = ["lake1--pond1--a"] if scope == "bucket" else ["lake1--pond1--a", "lake1--pond1--b"]
    for bucket in buckets:
        s3.create_bucket(Bucket=bucket)
        put(s3, bucket, "before")
    name = {"bucket": buckets[0], "pond": "lake1--pond1", "lake": "lake1"}[scope]
    listening = listen(server, f"--{scope}", name, "--forward-to", receiver.url("/hook"))
    for bucket in buckets:
        put(s3, bucket, *(f"k{number}" for number in range(10)))
    receiver.wait_for(5, "/hook")
    server.kill9_all()
    listening.wait_for_warning("trying again")
    server.start()
    if scope != "bucket":
        buckets.append("lake1--pond1--c")
        s3.create_bucket(Bucket=buckets[-1])
    for bucket in buckets:
        put(s3, bucket, *(f"k{number}" for number in range(10, 20)))
    listening.wait_for_warning("connected again")
    expected = {bucket: list(range(2, 22)) for bucket in buckets[:2]} | {"lake1--pond1--c": list(range(1, 11))}
    total = sum(len(expected[bucket]) for bucket in buckets)
    received = [one.event for one in receiver.wait_for(total, "/hook")]
    for bucket in buckets:
        assert [event["sequence"] for event in received if event["bucket"] == bucket] == expected[bucket]
    assert len(receiver.at("/hook")) == total
    assert server.stop() == 0
    assert listening.interrupt() == 0
