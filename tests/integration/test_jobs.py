"""Replays and backfills on a real server, by the command line, and over a kill."""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import Any

import pytest
from tests.integration.conftest import Spawn, s3_client
from tests.integration.receiver import Receiver, eventually
from tests.integration.server import Server

pytestmark = pytest.mark.both_engines

EVERYTHING = ["object:created", "object:updated", "object:deleted"]


def listening(server: Server, bucket: str, receiver: Receiver, path: str = "/") -> str:
    made = server.request(
        "POST", "/v1/webhooks", {"bucket": bucket, "endpoint": receiver.url(path), "events": EVERYTHING}
    )
    return str(made["id"])


def test_a_new_webhook_learns_what_there_is_and_an_old_one_hears_it_again(
    server: Server, s3: Any, bucket: str, receiver: Receiver
) -> None:
    old = listening(server, bucket, receiver, "/old")
    for key in ("in/a", "in/b", "out/c"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1", Metadata={"colour": "red"})
    receiver.wait_for(3, "/old")
    new = listening(server, bucket, receiver, "/new")
    assert server.cli_json("webhook", "backfill", new, "--prefix", "in/", "--dry-run") == {
        "matched": 2,
        "atLeast": False,
    }
    filled = server.cli_json("webhook", "backfill", new, "--prefix", "in/")
    assert (filled["status"], filled["delivered"]) == ("completed", 2)
    told = receiver.at("/new")
    assert {one.event["object"]["key"]: one.event["backfill"] for one in told} == {"in/a": True, "in/b": True}
    replayed = server.cli_json("webhook", "replay", old, "--prefix", "in/")
    assert (replayed["total"], replayed["matched"], replayed["delivered"]) == (3, 2, 2)
    again = receiver.at("/old")[3:]
    assert [one.headers["x-elasticlake-replay"] for one in again] == [replayed["id"]] * 2
    first = {one.event["sequence"]: one for one in receiver.at("/old")[:3]}
    assert all(one.body == first[one.event["sequence"]].body for one in again)
    assert server.cli_json("webhook", "reconcile", new) == []
    listed = server.cli_json("job", "list", "--webhook", old)
    assert [job["id"] for job in listed] == [replayed["id"]]


def test_a_killed_dispatcher_s_job_goes_on_and_ends_complete(spawn: Spawn, receiver: Receiver) -> None:
    server = spawn().start()
    server.request("POST", "/v1/buckets", {"bucket": "kept"})
    s3 = s3_client(server)
    for number in range(120):
        s3.put_object(Bucket="kept", Key=f"{number % 7}/{number}", Body=b"1")
    webhook = listening(server, "kept", receiver)
    job = server.request("POST", f"/v1/webhooks/{webhook}/replay", {"rateLimit": 60})
    receiver.wait_for(30)
    os.kill(server.dispatcher_pid, signal.SIGKILL)

    def ended() -> Any:
        now = server.request("GET", f"/v1/jobs/{job['id']}")
        return now if now["status"] != "running" else None

    now = eventually(ended, seconds=60)
    assert (now["status"], now["delivered"], now["failed"], now["scanned"]) == ("completed", 120, 0, 120)
    sent = Counter(one.event["sequence"] for one in receiver.requests)
    assert sorted(sent) == list(range(1, 121))
    assert sum(sent.values()) - 120 <= 60, "no more than a window is sent again"
