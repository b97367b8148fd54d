"""Filters and expressions on a real server: what is put is delivered, or explained."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.integration.receiver import Receiver, eventually
from tests.integration.server import Server

pytestmark = pytest.mark.both_engines


def test_only_what_matches_arrives_and_the_rest_is_explained(
    server: Server, s3: Any, bucket: str, receiver: Receiver
) -> None:
    hook = {
        "bucket": bucket,
        "endpoint": receiver.url(),
        "events": ["object:created", "object:updated"],
        "filter": {"prefix": ["uploads/"], "contentType": ["image/*"]},
        "where": "object.metadata.state == 'final' && (previous == null || object.size > previous.size)",
    }
    made = server.request("POST", "/v1/webhooks", hook)

    def put(key: str, body: bytes, state: str | None = None, content_type: str = "image/png") -> None:
        metadata = {"State": state} if state else {}
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type, Metadata=metadata)

    put("uploads/a", b"1", "draft")
    put("uploads/a", b"22", "final")
    put("uploads/a", b"3", "final")
    put("uploads/b", b"1")
    put("other/a", b"1", "final")
    put("uploads/c", b"1", "final", "text/plain")
    put("uploads/d", b"1", "final", "IMAGE/PNG; q=1")
    eventually(lambda: len(receiver.requests) == 2)
    # They are of two keys, so either may come first.
    assert sorted(one.event["sequence"] for one in receiver.requests) == [2, 7]
    explained = server.request("POST", f"/v1/webhooks/{made['id']}/explain", {})
    assert [(item["sequence"], item["refusedBy"]) for item in explained["items"]] == [
        (7, None),
        (6, "filter.contentType"),
        (5, "filter.prefix"),
        (4, "where"),
        (3, "where"),
        (2, None),
        (1, "where"),
    ]
    assert explained["items"][3]["error"] == "there is no state"
    errors = eventually(
        lambda: (found := server.request("GET", f"/v1/webhooks/{made['id']}")["whereErrors"])["count"] and found
    )
    assert (errors["count"], errors["lastError"], errors["sequence"]) == (1, "there is no state", 4)
    assert "state" not in json.dumps(receiver.requests[0].event), (
        "the expression sees the metadata, the payload has none"
    )
