"""Live deliveries of a real server: rotation, forms, links, headers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

import pytest
import standardwebhooks
import svix
from tests.integration import founding_page
from tests.integration.conftest import Spawn, s3_client
from tests.integration.receiver import Received, Receiver, eventually
from tests.integration.server import Server

pytestmark = pytest.mark.both_engines
OLD = "my-webhook-secret"
NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def by_standardwebhooks(received: Received, secret: str) -> None:
    key = secret if secret.startswith("whsec_") else secret.encode()
    standardwebhooks.Webhook(key).verify(received.body, received.headers)


def by_svix(received: Received, secret: str) -> None:
    key = secret if secret.startswith("whsec_") else secret.encode()
    svix.Webhook(key).verify(received.body, received.headers)


def by_the_page(received: Received, secret: str) -> None:
    names: dict[str, Any] = {}
    exec(founding_page.RECEIVE.partition("# In your webhook handler")[0], names)
    assert names["verify_webhook"](received.body.decode(), received.headers["x-elasticlake-signature"], secret)


CHECKS = (by_standardwebhooks, by_svix, by_the_page)


def accepts(check: Callable[[Received, str], None], received: Received, secret: str) -> bool:
    try:
        check(received, secret)
    except (standardwebhooks.WebhookVerificationError, svix.WebhookVerificationError, AssertionError):
        return False
    return True


def test_receivers_change_over_without_a_gap(server: Server, s3: Any, bucket: str, receiver: Receiver) -> None:
    body = {"bucket": bucket, "endpoint": receiver.url(), "events": ["object:created"], "secret": OLD}
    path = f"/v1/webhooks/{server.request('POST', '/v1/webhooks', body)['id']}"

    def accepted() -> tuple[list[bool], list[bool]]:
        """What accepts a delivery that is made now, with the old secret and with the new one."""
        s3.put_object(Bucket=bucket, Key=f"key {len(receiver.requests)}", Body=b"x")
        received = receiver.wait_for(len(receiver.requests) + 1)[-1]
        old, new = ([accepts(check, received, secret) for check in CHECKS] for secret in (OLD, NEW))
        assert any(old) or any(new)
        return old, new

    assert accepted() == ([True] * 3, [False] * 3)
    assert server.request("POST", f"{path}/rotate", {"secret": NEW})["overlapEndsAt"] is not None
    # Other nodes know of a change within a second.
    eventually(lambda: accepted() == ([True] * 3, [True, True, False]))
    assert server.request("POST", f"{path}/promote")["overlapEndsAt"] is None
    eventually(lambda: accepted() == ([False] * 3, [True] * 3))


def test_a_link_in_the_payload_fetches_the_object(server: Server, s3: Any, bucket: str, receiver: Receiver) -> None:
    body = {"bucket": bucket, "endpoint": receiver.url(), "events": ["object:created"], "includeUrl": 60}
    webhook = server.request("POST", "/v1/webhooks", body)["id"]
    s3.put_object(Bucket=bucket, Key="größe ü/a b+c.txt", Body=b"linked")
    (received,) = receiver.wait_for(1)
    url = received.event["object"]["url"]
    assert url.startswith(f"{server.url}/{bucket}/")
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"linked"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url.replace("a%20b", "a%20c"))
    assert refused.value.code == 403
    # History tells of the link, but nobody can fetch with what it holds.
    delivery = eventually(lambda: server.request("GET", f"/v1/webhooks/{webhook}/deliveries")["items"])[0]
    attempt = json.dumps(server.request("GET", f"/v1/deliveries/{delivery['id']}")["attemptLog"][0])
    assert "X-Amz-Signature=***" in attempt
    assert url.rpartition("=")[2] not in attempt


def test_a_link_of_another_account_is_signed_by_its_own_key(spawn: Spawn, receiver: Receiver) -> None:
    server = spawn().start()
    server.request("POST", "/v1/accounts", {"id": "ann", "displayName": "Ann", "email": "ann@example.com"})
    server.request("POST", "/v1/buckets", {"bucket": "anns", "account": "ann"})
    hook = {"bucket": "anns", "endpoint": receiver.url(), "events": ["object:created"], "includeUrl": 60}
    assert server.refusal("POST", "/v1/webhooks", hook)["errors"][0]["field"] == "includeUrl"
    key = server.request("POST", "/v1/accounts/ann/keys", {})
    server.request("POST", "/v1/webhooks", hook)
    anns = s3_client(server, access_key=key["accessKeyId"], secret=key["secretAccessKey"])
    anns.put_object(Bucket="anns", Key="k", Body=b"ann's")
    url = receiver.wait_for(1)[0].event["object"]["url"]
    assert key["accessKeyId"] in url
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"ann's"


def test_a_handler_written_for_s3_runs_unchanged(server: Server, s3: Any, bucket: str, receiver: Receiver) -> None:
    events = ["object:created", "object:updated", "object:deleted"]
    server.request(
        "POST", "/v1/webhooks", {"bucket": bucket, "endpoint": receiver.url(), "events": events, "format": "s3"}
    )
    seen = []

    def handler(event: dict[str, Any]) -> None:
        """As AWS's own examples are written."""
        for record in event["Records"]:
            name, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
            if record["eventName"].startswith("ObjectCreated:"):
                found = s3.head_object(Bucket=name, Key=key)
                assert found["ETag"].strip('"') == record["s3"]["object"]["eTag"]
                assert found["ContentLength"] == record["s3"]["object"]["size"]
            seen.append((record["eventName"], key))

    s3.put_object(Bucket=bucket, Key="red flower+1.jpg", Body=b"x")
    handler(receiver.wait_for(1)[0].event)
    s3.delete_object(Bucket=bucket, Key="red flower+1.jpg")
    handler(receiver.wait_for(2)[1].event)
    assert seen == [("ObjectCreated:Put", "red flower+1.jpg"), ("ObjectRemoved:Delete", "red flower+1.jpg")]


def test_cloud_events_and_headers_arrive(server: Server, s3: Any, bucket: str, receiver: Receiver) -> None:
    headers = {"Authorization": "Bearer hunter2", "X-Api-Key": "key of mine"}
    hook = {"bucket": bucket, "endpoint": receiver.url(), "events": ["object:created"]}
    server.request(
        "POST", "/v1/webhooks", {**hook, "format": "cloudevents", "headers": headers, "includeMetadata": True}
    )
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"author": "ann"})
    (received,) = receiver.wait_for(1)
    assert received.headers["content-type"] == "application/cloudevents+json"
    assert {name: received.headers[name.lower()] for name in headers} == headers
    assert (received.event["specversion"], received.event["source"]) == ("1.0", f"/{bucket}")
    assert received.event["id"] == received.headers["webhook-id"]
    assert received.event["data"]["object"]["metadata"] == {"author": "ann"}
