"""Retention on a real server: what is too much goes by itself, and a webhook that had not come to it is told on."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.conftest import Spawn, s3_client
from tests.integration.receiver import Receiver, eventually
from tests.integration.test_metrics import samples

pytestmark = pytest.mark.both_engines
BUCKET = "lake1--pond1--kept"
EVENTS = f"/v1/buckets/{BUCKET}/events"
PUTS = 20


def test_a_webhook_that_slept_too_long_gets_what_is_kept(spawn: Spawn, receiver: Receiver) -> None:
    before = spawn().start()
    s3_client(before).create_bucket(Bucket=BUCKET)
    hook: dict[str, Any] = {"bucket": BUCKET, "endpoint": receiver.url(), "events": ["object:created"]}
    webhook = before.request("POST", "/v1/webhooks", hook)["id"]
    before.request("PATCH", f"/v1/webhooks/{webhook}", {"status": "disabled"})
    # A dispatcher that runs learns of it within a second; one that starts, before it sends anything.
    before.stop()
    before.start()
    for number in range(PUTS):
        s3_client(before).put_object(Bucket=BUCKET, Key=f"key{number}", Body=b"four")
    assert before.request("GET", EVENTS)["firstSequence"] == 1
    before.close()
    server = spawn("--event-retention-size", "2KiB", data=before.data).start()
    first = eventually(lambda: server.request("GET", EVENTS)["firstSequence"] - 1) + 1
    assert PUTS - 7 < first < PUTS
    assert server.refusal("GET", f"{EVENTS}?after=0")["firstSequence"] == first
    server.request("PATCH", f"/v1/webhooks/{webhook}", {"status": "enabled"})
    received = receiver.wait_for(PUTS - first + 1)
    assert sorted(delivery.event["sequence"] for delivery in received) == list(range(first, PUTS + 1))
    assert eventually(lambda: samples(server, "elasticlake_events_trimmed_total")) == {(): first - 1}
    eventually(lambda: samples(server, "elasticlake_deliveries_expired_total") == {(): first - 1})
    assert "events expired before they were delivered" in server.log
