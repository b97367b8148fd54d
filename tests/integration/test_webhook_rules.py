"""Webhooks on a real server: what is refused, and what ends one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.conftest import Spawn
from tests.integration.receiver import Receiver, eventually
from tests.integration.server import Server, free_port

pytestmark = pytest.mark.both_engines


def hook(bucket: str, endpoint: str = "https://example.com/", **members: Any) -> dict[str, Any]:
    return {"bucket": bucket, "endpoint": endpoint, "events": ["object:created"], **members}


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://169.254.169.254/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://0xa000001/",
        "http://example.com/",
        "https://user:secret@example.com/",
        "ftp://example.com/",
        "",
    ],
)
def test_an_endpoint_that_is_no_public_https_is_refused(server: Server, bucket: str, endpoint: str) -> None:
    problem = server.refusal("POST", "/v1/webhooks", hook(bucket, endpoint))
    assert 400 <= problem["status"] < 500
    assert [error["field"] for error in problem["errors"]] == ["endpoint"]
    assert server.request("GET", f"/v1/webhooks?bucket={bucket}")["items"] == []


def test_the_server_is_not_its_own_receiver(server: Server, bucket: str) -> None:
    problem = server.refusal("POST", "/v1/webhooks", hook(bucket, f"{server.url}/x"))
    assert problem["errors"][0]["field"] == "endpoint"


@pytest.mark.parametrize("options", [["--public-url", "https://lake.example.com"], ["--trusted-proxy", "127.0.0.1/32"]])
def test_behind_a_proxy_loopback_is_no_endpoint(spawn: Spawn, receiver: Receiver, options: list[str]) -> None:
    server = spawn(*options, port=free_port())
    server.start()
    server.request("POST", "/v1/buckets", {"bucket": "behind"})
    assert server.refusal("POST", "/v1/webhooks", hook("behind", receiver.url()))["errors"][0]["field"] == "endpoint"


def test_the_operator_may_allow_more(spawn: Spawn, receiver: Receiver) -> None:
    server = spawn(
        "--public-url", "https://lake.example.com", "--egress-allow", "127.0.0.0/8", "--egress-http", port=free_port()
    )
    server.start()
    server.request("POST", "/v1/buckets", {"bucket": "allowed"})
    made = server.request("POST", "/v1/webhooks", hook("allowed", receiver.url()))
    assert server.request("POST", f"/v1/webhooks/{made['id']}/test?wait=10")["status"] == "delivered"
    assert server.refusal("POST", "/v1/webhooks", hook("allowed", "https://10.0.0.1/"))["status"] == 422


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"events": ["object:created", "object:moved"]}, "events"),
        ({"events": []}, "events"),
        ({"bucket": "no--such--bucket"}, "bucket"),
        ({"retrySchedule": [-1]}, "retrySchedule"),
        ({"timeoutSeconds": 31}, "timeoutSeconds"),
        ({"secret": "whsec_%"}, "secret"),
        ({"lake": "it"}, "lake"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_member_is_named(server: Server, bucket: str, members: dict[str, Any], field: str) -> None:
    problem = server.refusal("POST", "/v1/webhooks", hook(bucket) | members)
    assert 400 <= problem["status"] < 500
    if problem["status"] != 404:
        assert problem["errors"][0]["field"].startswith(field)
    assert server.request("GET", f"/v1/webhooks?bucket={bucket}")["items"] == []


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b"[]", b'"bucket"', b'{"bucket": NaN}', b"null"])
def test_malformed_json_is_the_callers_fault(server: Server, body: bytes) -> None:
    assert 400 <= server.refusal("POST", "/v1/webhooks", body)["status"] < 500


def test_no_token_and_a_wrong_token(server: Server) -> None:
    assert server.refusal("GET", "/v1/webhooks", token="wrong")["status"] == 401


def test_410_disables_the_webhook(server: Server, s3: Any, bucket: str, receiver: Receiver) -> None:
    receiver.answer = lambda _: 410
    made = server.request("POST", "/v1/webhooks", hook(bucket, receiver.url(), retrySchedule=[0.1]))
    path = f"/v1/webhooks/{made['id']}"
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    disabled = eventually(lambda: (now := server.request("GET", path))["status"] == "disabled" and now)
    assert disabled["disabledReason"] == "gone"
    s3.put_object(Bucket=bucket, Key="b", Body=b"")
    assert len(receiver.requests) == 1
    # Its owner mends the endpoint: nothing was lost meanwhile.
    receiver.answer = lambda _: 200
    server.request("PATCH", path, {"status": "enabled", "resume": "position"})
    eventually(lambda: {one.event["object"]["key"] for one in receiver.requests[1:]} == {"a", "b"})


def test_a_redirect_is_a_failure_and_never_followed(server: Server, bucket: str, receiver: Receiver) -> None:
    receiver.answer = lambda _: 302
    made = server.request("POST", "/v1/webhooks", hook(bucket, receiver.url()))
    delivery = server.request("POST", f"/v1/webhooks/{made['id']}/test?wait=10")
    assert delivery["status"] == "dead"
    attempt = server.request("GET", f"/v1/deliveries/{delivery['id']}")["attemptLog"][0]
    assert attempt["statusCode"] == 302
    assert len(receiver.requests) == 1


def test_one_keys_events_keep_their_order_while_others_pass(
    server: Server, s3: Any, bucket: str, receiver: Receiver
) -> None:
    receiver.answer = lambda before: 500 if before < 2 else 200
    body = hook(bucket, receiver.url(), retrySchedule=[0.3] * 5) | {"events": ["object:created", "object:updated"]}
    server.request("POST", "/v1/webhooks", body)
    for number in range(3):
        s3.put_object(Bucket=bucket, Key="one", Body=b"%d" % number)
    eventually(lambda: len(receiver.requests) == 5)
    sequences = [received.event["sequence"] for received in receiver.requests]
    assert sequences == [1, 1, 1, 2, 3]
    s3.put_object(Bucket=bucket, Key="two", Body=b"")
    receiver.wait_for(6)


def test_a_pond_and_a_lake_hear_their_buckets(server: Server, s3: Any, receiver: Receiver) -> None:
    everything = ["object:created"]
    s3.create_bucket(Bucket="wide--inner--early")
    server.request("POST", "/v1/webhooks", {"lake": "wide", "endpoint": receiver.url("/lake"), "events": everything})
    scope = {"pond": "wide--inner", "endpoint": receiver.url("/pond"), "events": everything}
    server.request("POST", "/v1/webhooks", scope)
    for bucket in ("wide--inner--late", "wide--outer--late"):
        s3.create_bucket(Bucket=bucket)
    for bucket in ("wide--inner--early", "wide--inner--late", "wide--outer--late"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"")
    heard = {one.event["bucket"] for one in receiver.wait_for(3, "/lake")}
    assert heard == {"wide--inner--early", "wide--inner--late", "wide--outer--late"}
    assert {one.event["bucket"] for one in receiver.wait_for(2, "/pond")} == {"wide--inner--early", "wide--inner--late"}
