"""Webhooks and their deliveries over HTTP."""

from typing import Any

import httpx
import pytest
from tests.unit.world import World

from elasticlake.metadata import breakers, deliveries, failing_webhooks, nodes
from elasticlake.metadata.breakers import OpenBreaker
from elasticlake.metadata.database import Transaction
from elasticlake.metadata.deliveries import Position
from elasticlake.metadata.failing_webhooks import FailingWebhook
from elasticlake.model.ids import DeliveryId

BUCKET = "lake1--pond1--my-bucket"
# The founding page's call, as it is.
PAGE: dict[str, Any] = {
    "bucket": BUCKET,
    "endpoint": "https://myapp.com/webhooks/storage",
    "events": ["object:created", "object:deleted"],
    "secret": "my-webhook-secret",
}


async def create(api: httpx.AsyncClient, **members: Any) -> dict[str, Any]:
    answer = await api.post("/v1/webhooks", json={**PAGE, **members})
    assert answer.status_code == 201
    return dict(answer.json())


async def test_the_pages_call_answers_201(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    made = await create(api)
    identity = made.pop("id")
    assert identity.startswith("wh_")
    assert made == {
        "bucket": BUCKET,
        "account": "root",
        "endpoint": "https://myapp.com/webhooks/storage",
        "events": ["object:created", "object:deleted"],
        "retrySchedule": [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400],
        "timeoutSeconds": 30,
        "ordering": "key",
        "onDead": "continue",
        "name": "",
        "status": "enabled",
        "disabledReason": None,
        "createdAt": "2026-01-02T03:04:05.678Z",
        "updatedAt": "2026-01-02T03:04:05.678Z",
        "revision": 1,
        "filter": None,
        "where": None,
        "format": "elasticlake",
        "includeMetadata": False,
        "includeUrl": None,
        "coalesce": False,
        "rateLimit": None,
        "maxConcurrency": None,
        "batch": None,
        "headers": {},
        "clientCertificate": None,
        "clientKey": None,
        "certificateAuthority": None,
        "overlapEndsAt": None,
    }
    counted = ("delivered", "dead", "canceled", "expired", "coalesced", "retrying", "backlog")
    nothing = dict.fromkeys(("oldestUndeliveredAt", "failingSince", "lastError"))
    standing = {**dict.fromkeys(counted, 0), **nothing, "breaker": {"state": "closed", "probeAt": None}}
    found = (await api.get(f"/v1/webhooks/{identity}")).json()
    assert found == {"id": identity, **made, "standing": standing}


async def test_a_generated_secret_is_shown_once(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    made = (await api.post("/v1/webhooks", json={name: PAGE[name] for name in ("bucket", "endpoint", "events")})).json()
    assert made["secret"].startswith("whsec_")
    assert "secret" not in (await api.get(f"/v1/webhooks/{made['id']}")).json()
    assert "secret" not in (await api.get("/v1/webhooks")).json()["items"][0]


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"endpoint": "http://169.254.169.254/"}, "endpoint"),
        ({"events": ["object:read"]}, "events"),
        ({"events": "object:created"}, "events"),
        ({"lake": "lake1"}, "lake"),
        ({"retrySchedule": [True]}, "retrySchedule.0"),
        ({"retrySchedule": [-1]}, "retrySchedule"),
        ({"retrySchedule": [10**400]}, "retrySchedule.0"),
        ({"timeoutSeconds": "5"}, "timeoutSeconds"),
        ({"timeoutSeconds": 60}, "timeoutSeconds"),
        ({"ordering": "random"}, "ordering"),
        ({"retry_schedule": [1]}, "retry_schedule"),
        ({"secret": ""}, "secret"),
        ({"secret": "whsec_!"}, "secret"),
        ({"bucket": 7}, "bucket"),
    ],
)
async def test_bad_fields_are_named(api: httpx.AsyncClient, world: World, members: Any, field: str) -> None:
    await world.bucket(BUCKET)
    answer = await api.post("/v1/webhooks", json={**PAGE, **members})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert (await api.get("/v1/webhooks")).json()["items"] == []


async def test_change_list_and_delete(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    made = await create(api, ordering="bucket", retrySchedule=[1, 2.5], name="audit")
    assert (made["onDead"], made["retrySchedule"]) == ("pause", [1, 2.5])
    path = f"/v1/webhooks/{made['id']}"
    disabled = (await api.patch(path, json={"status": "disabled"})).json()
    assert (disabled["status"], disabled["disabledReason"], disabled["revision"]) == ("disabled", "manual", 2)
    enabled = (await api.patch(path, json={"status": "enabled", "resume": "now", "events": ["object:updated"]})).json()
    assert (enabled["status"], enabled["disabledReason"], enabled["events"]) == ("enabled", None, ["object:updated"])
    assert (await api.patch(path, json={"bucket": "other"})).status_code == 422
    assert (await api.get("/v1/webhooks", params={"bucket": BUCKET})).json()["items"] == [enabled]
    assert (await api.get("/v1/webhooks", params={"lake": "lake1"})).json()["items"] == []
    assert (await api.get("/v1/webhooks", params={"lake": "lake1", "pond": "lake1--pond1"})).status_code == 422
    await world.put(BUCKET, b"key")
    deleted = await api.delete(path)
    assert (deleted.status_code, deleted.json()) == (200, {"canceled": 1})
    assert (await api.get(path)).status_code == 404


async def test_scopes_show_what_they_were_made_for(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    body = {"endpoint": "https://myapp.com/", "events": ["object:created"]}
    for kind, name in (("lake", "lake1"), ("pond", "lake1--pond1")):
        made = (await api.post("/v1/webhooks", json={**body, kind: name})).json()
        assert {place: made[place] for place in ("bucket", "pond", "lake") if place in made} == {kind: name}


async def test_a_test_delivery_is_answered_as_it_stands(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    webhook = await create(api)
    answer = await api.post(f"/v1/webhooks/{webhook['id']}/test", params={"wait": 0})
    assert answer.status_code == 202
    test = answer.json()
    assert (test["kind"], test["status"], test["sequence"], test["bucket"]) == ("test", "pending", 0, BUCKET)
    assert (test["event"], test["eventId"], test["key"]) == ("object:created", None, None)
    assert (await api.get(f"/v1/deliveries/{test['id']}")).json() == {**test, "attemptLog": []}
    for wait in ("nan", "-1", "61", "x"):
        answer = await api.post(f"/v1/webhooks/{webhook['id']}/test", params={"wait": wait})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "wait")


async def test_a_delivery_with_its_attempts(api: httpx.AsyncClient, world: World) -> None:
    bucket = await world.bucket(BUCKET)
    webhook = await create(api)
    await world.put(BUCKET, "schlüssel".encode())
    delivery_id = str(DeliveryId(webhook["id"], bucket.id, 1))
    world.record(await world.attempt(webhook["id"], bucket.id, 1))
    await world.delivery.write(lambda tx: deliveries.put_position(tx, Position(webhook["id"], bucket.id, 1, 1)))
    shown = (await api.get(f"/v1/deliveries/{delivery_id}")).json()
    (log,) = shown.pop("attemptLog")
    assert (shown["id"], shown["key"], shown["status"], shown["attempts"]) == (delivery_id, "schlüssel", "delivered", 1)
    assert shown["lastAttemptAt"] == log["startedAt"] == "2026-01-02T03:04:06.678Z"
    assert (log["statusCode"], log["durationMs"], log["requestBody"]) == (200, 12.5, "{}")
    assert log["responseHeaders"] == {"Set-Cookie": "a=1, b=2"}
    assert log["responseBody"] == "caf\ufffd"
    listed = await api.get(f"/v1/webhooks/{webhook['id']}/deliveries", params={"status": "delivered"})
    assert listed.json() == {"items": [shown], "nextCursor": None}
    again = await api.post(f"/v1/deliveries/{delivery_id}/redeliver")
    assert (again.status_code, again.json()["kind"], again.json()["generation"]) == (202, "redelivery", 1)
    await world.trim_log(bucket, 2)
    expired = await api.post(f"/v1/deliveries/{delivery_id}/redeliver")
    assert (expired.status_code, expired.json()["firstSequence"]) == (410, 2)


async def test_unknown_deliveries_and_statuses(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    webhook = await create(api)
    for identity in ("x", "dlv_", "dlv_%00", "dlv_%FF", "dlv_" + "a" * 5000):
        assert (await api.get(f"/v1/deliveries/{identity}")).status_code == 404
    answer = await api.get(f"/v1/webhooks/{webhook['id']}/deliveries", params={"status": "lost"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "status")


async def test_rules_are_kept_and_changed_one_by_one(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    made = await create(
        api,
        filter={"prefix": ["in/"], "minSize": 10, "metadata": {"kind": "invoice"}},
        format="cloudevents",
        rateLimit=50,
        batch={"maxEvents": 10, "maxWaitMs": 500},
    )
    assert (made["filter"]["prefix"], made["filter"]["metadata"]) == (["in/"], {"kind": "invoice"})
    assert (made["format"], made["rateLimit"], made["maxConcurrency"]) == ("cloudevents", 50, None)
    assert made["batch"] == {"maxEvents": 10, "maxWaitMs": 500}
    changed = await api.patch(f"/v1/webhooks/{made['id']}", json={"maxConcurrency": 2, "filter": None})
    assert changed.status_code == 200
    after = (await api.get(f"/v1/webhooks/{made['id']}")).json()
    assert (after["filter"], after["maxConcurrency"], after["rateLimit"]) == (None, 2, 50)


@pytest.mark.parametrize("ordering", [{}, {"ordering": "key"}, {"ordering": "bucket"}])
async def test_a_batch_cannot_coalesce(api: httpx.AsyncClient, world: World, ordering: dict[str, str]) -> None:
    await world.bucket(BUCKET)
    body = {"bucket": BUCKET, "endpoint": "https://example.com/", "events": ["object:created"]}
    answer = await api.post("/v1/webhooks", json={**body, **ordering, "coalesce": True, "batch": {"maxEvents": 2}})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "batch", "detail": "batch and coalesce exclude each other."}]


@pytest.mark.parametrize(
    ("rule", "field"),
    [({"rateLimit": 0}, "rateLimit"), ({"maxConcurrency": 0}, "maxConcurrency"), ({"format": "xml"}, "format")],
)
async def test_a_rule_that_cannot_be_kept_is_refused(
    api: httpx.AsyncClient, world: World, rule: dict[str, Any], field: str
) -> None:
    await world.bucket(BUCKET)
    refused = await api.post("/v1/webhooks", json={**PAGE, **rule})
    assert refused.status_code in (400, 422)
    assert refused.json()["errors"][0]["field"] == field


async def test_how_its_deliveries_stand(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    made = await create(api)
    positions = [
        Position(made["id"], 1, 5, delivered=3, coalesced=1),
        Position(made["id"], 2, 9, delivered=4, expired=2),
    ]
    since = FailingWebhook(made["id"], made["revision"], world.clock.now_ms(), False, "no address")

    def put(tx: Transaction) -> None:
        for position in positions:
            deliveries.put_position(tx, position)
        failing_webhooks.put(tx, since)

    await world.delivery.write(put)
    standing = (await api.get(f"/v1/webhooks/{made['id']}")).json()["standing"]
    assert (standing["delivered"], standing["coalesced"], standing["expired"]) == (7, 1, 2)
    assert standing["failingSince"] == made["createdAt"]
    assert standing["lastError"] == "no address"
    await api.patch(f"/v1/webhooks/{made['id']}", json={"name": "mended"})
    assert (await api.get(f"/v1/webhooks/{made['id']}")).json()["standing"]["failingSince"] is None


async def test_what_waits_and_whether_the_endpoint_is_left_alone(api: httpx.AsyncClient, world: World) -> None:
    bucket = await world.bucket(BUCKET)
    made = await create(api)
    for _ in range(3):
        await world.put(BUCKET, b"key")
        world.clock.time_ms += 1000

    def put(tx: Transaction) -> None:
        deliveries.put_position(tx, Position(made["id"], bucket.id, 1))
        nodes.claim(tx, [made["id"]], 1)
        breakers.put(tx, OpenBreaker(made["id"], 1, "open", world.clock.now_ms()))

    await world.delivery.write(put)
    standing = (await api.get(f"/v1/webhooks/{made['id']}")).json()["standing"]
    assert (standing["backlog"], standing["oldestUndeliveredAt"]) == (2, "2026-01-02T03:04:06.678Z")
    assert standing["breaker"] == {"state": "open", "probeAt": "2026-01-02T03:04:08.678Z"}
    await world.delivery.write(lambda tx: breakers.put(tx, OpenBreaker(made["id"], 1, "half_open", None)))
    standing = (await api.get(f"/v1/webhooks/{made['id']}")).json()["standing"]
    assert standing["breaker"] == {"state": "halfOpen", "probeAt": None}


async def test_a_list_has_the_standings_that_are_asked_for(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    made = [await create(api), await create(api, where="object.size > 1")]
    await world.put(BUCKET, b"key")
    assert ["standing" in item for item in (await api.get("/v1/webhooks")).json()["items"]] == [False, False]
    items = (await api.get("/v1/webhooks", params={"standing": "true"})).json()["items"]
    alone = [(await api.get(f"/v1/webhooks/{one['id']}")).json() for one in made]
    assert sorted(items, key=lambda item: str(item["id"])) == sorted(alone, key=lambda item: str(item["id"]))
    assert [item["standing"]["backlog"] for item in items] == [1, 1]


async def test_a_lake_without_a_name_is_no_lake(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket("in-the-default-lake")
    body = {"lake": "", "endpoint": "https://example.com/", "events": ["object:created"]}
    for answer in (await api.post("/v1/webhooks", json=body), await api.get("/v1/webhooks?lake=")):
        assert (answer.status_code, answer.json()["type"]) == (404, "/v1/problems/no-such-lake")
