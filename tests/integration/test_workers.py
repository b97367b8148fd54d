"""Two gateway processes on one database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.integration.conftest import Spawn, s3_client
from tests.integration.receiver import Receiver

THREADS = 6
KEYS_EACH = 25


def test_two_workers_under_load(spawn: Spawn, receiver: Receiver) -> None:
    server = spawn("--workers", "2")
    server.start()
    assert len(server.gateway_pids) == 2
    bucket = "lake1--pond1--busy"
    s3_client(server).create_bucket(Bucket=bucket)
    hook: dict[str, Any] = {"bucket": bucket, "endpoint": receiver.url(), "events": ["object:created"]}
    server.request("POST", "/v1/webhooks", hook)

    def work(thread: int) -> None:
        s3 = s3_client(server)
        for number in range(KEYS_EACH):
            key, body = f"{thread}/{number}", f"{thread}-{number}".encode() * (20_000 if number % 5 == 0 else 1)
            s3.put_object(Bucket=bucket, Key=key, Body=body)
            # A connection of its own each time, so that the other process answers too.
            assert s3_client(server).get_object(Bucket=bucket, Key=key)["Body"].read() == body

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    count = THREADS * KEYS_EACH
    feed = server.request("GET", f"/v1/buckets/{bucket}/events?after=0&limit=1000")
    assert [event["sequence"] for event in feed["items"]] == list(range(1, count + 1))
    sequences = [received.event["sequence"] for received in receiver.wait_for(count)]
    assert sorted(sequences) == list(range(1, count + 1))
    assert server.request("GET", f"/v1/buckets/{bucket}")["objects"] == count
