"""Filters, expressions, and why events match, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.unit.api.test_webhooks import BUCKET, create
from tests.unit.world import World

from elasticlake.metadata import where_errors
from elasticlake.metadata.where_errors import WhereErrors


async def test_a_webhook_says_which_events_it_matches(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    made = await create(api, filter={"suffix": [".jpg"]}, where="object.size > 1")
    await world.put(BUCKET, b"a.jpg", b"22")
    await world.put(BUCKET, b"b.png", b"22")
    answer = await api.post(f"/v1/webhooks/{made['id']}/explain", json={"limit": 2})
    assert answer.status_code == 200
    assert answer.json() == {
        "items": [
            {
                "event": "object:created",
                "timestamp": "2026-01-02T03:04:05Z",
                "bucket": BUCKET,
                "key": "b.png",
                "sequence": 2,
                "matches": False,
                "refusedBy": "filter.suffix",
                "value": "b.png",
                "error": None,
            },
            {
                "event": "object:created",
                "timestamp": "2026-01-02T03:04:05Z",
                "bucket": BUCKET,
                "key": "a.jpg",
                "sequence": 1,
                "matches": True,
                "refusedBy": None,
                "value": None,
                "error": None,
            },
        ],
        "matching": 1,
        "missing": [],
    }
    some = await api.post(f"/v1/webhooks/{made['id']}/explain", json={"sequences": [2, 999]})
    assert ([item["sequence"] for item in some.json()["items"]], some.json()["missing"]) == ([2], [999])
    without_a_body = await api.post(f"/v1/webhooks/{made['id']}/explain")
    assert without_a_body.json() == answer.json()


async def test_a_draft_is_tried_on_objects(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    draft = {"pond": "lake1--pond1", "filter": {"minSize": 10}, "where": "object.metadata.state == 'final'"}
    objects = [{"key": "a", "size": 10, "metadata": {"State": "final"}}, {"key": "b", "size": 10}, {"key": "c"}]
    answer = await api.post("/v1/explain", json={"webhook": draft, "objects": objects})
    assert answer.status_code == 200
    found = answer.json()
    assert [(item["key"], item["sequence"], item["refusedBy"], item["error"]) for item in found["items"]] == [
        ("a", None, None, None),
        ("b", None, "where", "there is no state"),
        ("c", None, "filter.minSize", None),
    ]
    assert found["matching"] == 1


async def test_what_would_be_created_can_be_tried_as_it_is(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    draft = {
        "bucket": BUCKET,
        "endpoint": "https://example.com/",
        "events": ["object:created"],
        "where": "object.size > 1",
        "secret": "my-webhook-secret",
        "ordering": "bucket",
        "retrySchedule": [1, 2],
        "timeoutSeconds": 5,
        "name": "n",
        "headers": {"X-Tenant": "acme"},
        "batch": {"maxEvents": 10},
    }
    answer = await api.post("/v1/explain", json={"webhook": draft, "objects": [{"key": "a", "size": 2}]})
    assert (answer.status_code, answer.json()["matching"]) == (200, 1)
    made = await api.post("/v1/webhooks", json=draft)
    assert made.status_code == 201
    assert (await api.post("/v1/explain", json={"webhook": {**draft, "endpiont": ""}})).status_code == 422


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"endpoint": "https://10.0.0.1/"}, "endpoint"),
        ({"events": ["object:made"]}, "events"),
        ({"retrySchedule": [1] * 51}, "retrySchedule"),
        ({"retrySchedule": [0]}, "retrySchedule"),
        ({"timeoutSeconds": 31}, "timeoutSeconds"),
        ({"name": "n" * 201}, "name"),
        ({"secret": ""}, "secret"),
        ({"headers": {"Webhook-Id": "x"}}, "headers"),
        ({"rateLimit": 0}, "rateLimit"),
        ({"batch": {"maxEvents": 1001}}, "batch.maxEvents"),
        ({"batch": {"maxEvents": 10}, "ordering": "key"}, "batch"),
        ({"coalesce": True, "ordering": "none"}, "coalesce"),
    ],
)
async def test_what_could_not_be_created_cannot_be_tried(
    api: httpx.AsyncClient, world: World, members: dict[str, Any], field: str
) -> None:
    await world.bucket(BUCKET)
    scope = {"bucket": BUCKET, "endpoint": "https://example.com/", "events": ["object:created"]}
    refused = await api.post("/v1/webhooks", json={**scope, **members})
    draft = await api.post("/v1/explain", json={"webhook": {"bucket": BUCKET, **members}})
    assert (refused.status_code, draft.status_code) == (422, 422)
    [fault], [of_draft] = refused.json()["errors"], draft.json()["errors"]
    assert fault["field"] == field
    assert of_draft == {**fault, "field": f"webhook.{fault['field']}"}


@pytest.mark.parametrize(
    ("members", "field", "says"),
    [
        ({"filter": {"minSize": 2, "maxSize": 1}}, "filter.minSize", "nothing would match"),
        ({"filter": {"minSize": -1}}, "filter.minSize", "Write 0 or more"),
        ({"filter": {"maxSize": 2**63}}, "filter.maxSize", "or less"),
        ({"filter": {"contentType": ["png"]}}, "filter.contentType", "no media type"),
        ({"filter": {"prefix": [""]}}, "filter.prefix", "leave it out"),
        ({"filter": {"prefix": "photos/"}}, "filter.prefix", "Write a list"),
        ({"filter": {"metadata": {"": "x"}}}, "filter.metadata", "A name is empty"),
        ({"filter": {"size": 1}}, "filter.size", "There is no field 'size'; there are: prefix"),
        ({"where": "object.size >"}, "where", "At character 14: it ends too early."),
        ({"where": ""}, "where", "It is empty"),
        ({"where": "object.size = 1"}, "where", "At character 13: write == to compare."),
        ({"where": "event == 'object:create'"}, "where", "those are object:created, object:updated"),
        ({"where": "true" + " " * 2048}, "where", "2,052 bytes"),
    ],
)
async def test_a_rule_that_cannot_be_kept_names_its_field(
    api: httpx.AsyncClient, world: World, members: dict[str, Any], field: str, says: str
) -> None:
    await world.bucket(BUCKET)
    made = await create(api)
    scope = {"bucket": BUCKET, "endpoint": "https://example.com/", "events": ["object:created"]}
    for answer in (
        await api.post("/v1/webhooks", json={**scope, **members}),
        await api.patch(f"/v1/webhooks/{made['id']}", json=members),
    ):
        assert answer.status_code == 422
        [fault] = answer.json()["errors"]
        assert fault["field"] == field
        assert says in fault["detail"]
    draft = await api.post("/v1/explain", json={"webhook": {"bucket": BUCKET, **members}})
    assert draft.status_code == 422
    assert draft.json()["errors"][0]["field"] == f"webhook.{field}"
    found = (await api.get(f"/v1/webhooks/{made['id']}")).json()
    assert {name: value for name, value in found.items() if name != "standing"} == made


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"sequences": [0]}, "sequences.0"),
        ({"sequences": [7]}, "sequences"),
        ({"sequences": [1] * 101}, "sequences"),
        ({"objects": [{"key": ""}]}, "objects.0.key"),
        ({"objects": [{"key": "a", "size": -1}]}, "objects.0.size"),
        ({"objects": [{"key": "a", "event": "webhook:failing"}]}, "objects.0.event"),
        ({"objects": [{"key": "a"}], "sequences": [1]}, "objects"),
    ],
)
async def test_a_question_without_an_answer_names_its_field(
    api: httpx.AsyncClient, world: World, question: dict[str, Any], field: str
) -> None:
    await world.bucket(BUCKET)
    made = await create(api)
    answer = await api.post(f"/v1/webhooks/{made['id']}/explain", json=question)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_who_is_not_there_is_not_found(api: httpx.AsyncClient, world: World) -> None:
    assert (await api.post("/v1/webhooks/wh_none/explain")).status_code == 404
    unknown = {"webhook": {"bucket": "lake1--pond1--none"}}
    assert (await api.post("/v1/explain", json=unknown)).status_code == 404


async def test_failures_of_an_expression_are_shown_with_the_webhook(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    made = await create(api, where="object.metadata.state == 'x'")
    path = f"/v1/webhooks/{made['id']}"
    none = {"count": 0, "lastError": None, "bucket": None, "sequence": None}
    assert (await api.get(path)).json()["whereErrors"] == none
    for sequence in (3, 5):
        failed = WhereErrors(made["id"], made["revision"], 2, "there is no state", BUCKET, sequence)
        await world.delivery.write(lambda tx, failed=failed: where_errors.add(tx, failed))
    shown = (await api.get(path)).json()["whereErrors"]
    assert shown == {"count": 4, "lastError": "there is no state", "bucket": BUCKET, "sequence": 5}
    await api.patch(path, json={"where": "object.size > 0"})
    assert (await api.get(path)).json()["whereErrors"] == none
    await api.patch(path, json={"where": None})
    assert "whereErrors" not in (await api.get(path)).json()


@pytest.mark.parametrize(
    "body",
    [
        b'{"webhook": {"bucket": "%s", "filter": {"metadata": {"\\ud800": "x"}}}}',
        b'{"webhook": {"bucket": "%s", "filter": {"tags": {"\\ud800": "x"}}}}',
        b'{"webhook": {"bucket": "%s"}, "objects": [{"key": "a", "metadata": {"\\ud800": "x"}}]}',
    ],
)
async def test_half_a_character_in_a_name_is_the_callers_error(
    api: httpx.AsyncClient, world: World, body: bytes
) -> None:
    await world.bucket(BUCKET)
    answer = await api.post("/v1/explain", content=body % BUCKET.encode(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert "Unicode" in answer.json()["errors"][0]["detail"]


async def test_a_bucket_without_a_name_is_none(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    made = await create(api)
    answer = await api.post(f"/v1/webhooks/{made['id']}/explain", json={"bucket": "", "objects": [{"key": "a"}]})
    assert answer.json()["type"] == "/v1/problems/no-such-bucket"
