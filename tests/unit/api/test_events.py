"""The feed over HTTP."""

import httpx
import pytest
from tests.unit.world import World

from elasticlake.metadata import events
from elasticlake.model.events import encode_payload, payload


async def test_the_feed_shows_payloads_byte_for_byte(api: httpx.AsyncClient, world: World) -> None:
    bucket = await world.bucket("bucket")
    await world.put("bucket", "ключ".encode())
    await world.put("bucket", "ключ".encode())
    answer = await api.get("/v1/buckets/bucket/events", params={"after": 1})
    (event,) = await world.core.read(lambda reader: events.after(reader, bucket.id, 1, 10))
    body = encode_payload(payload(event))
    assert answer.content == b'{"items":[' + body + b'],"lastSequence":2,"firstSequence":1}'
    assert answer.headers["content-type"] == "application/json"


async def test_what_expired_is_410(api: httpx.AsyncClient, world: World) -> None:
    bucket = await world.bucket("bucket")
    for _ in range(3):
        await world.put("bucket", b"key")
    await world.trim_log(bucket, 3)
    answer = await api.get("/v1/buckets/bucket/events", params={"after": 1})
    assert (answer.status_code, answer.json()["firstSequence"]) == (410, 3)
    assert len((await api.get("/v1/buckets/bucket/events")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("after", "-1"), ("after", "9" * 30), ("after", "x"), ("limit", "0"), ("limit", "1001"), ("wait", "61")],
)
async def test_bad_parameters_are_named(api: httpx.AsyncClient, world: World, name: str, value: str) -> None:
    await world.bucket("bucket")
    answer = await api.get("/v1/buckets/bucket/events", params={name: value})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, name)
    assert (await api.get("/v1/buckets/bucket/events", params={"after": 2**63 - 1})).status_code == 200


async def test_a_key_s_events_the_latest_first(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket("bucket")
    for key in ("ä", "b", "ä", "ä"):
        await world.put("bucket", key.encode())
    query = {"key": "ä", "order": "desc", "limit": 2}
    page = (await api.get("/v1/buckets/bucket/events", params=query)).json()
    assert [item["sequence"] for item in page["items"]] == [4, 3]
    assert (page["lastSequence"], page["firstSequence"]) == (4, 1)
    page = (await api.get("/v1/buckets/bucket/events", params={**query, "before": 3})).json()
    assert [item["sequence"] for item in page["items"]] == [1]
    page = (await api.get("/v1/buckets/bucket/events", params={"key": "ä", "after": 1})).json()
    assert [item["sequence"] for item in page["items"]] == [3, 4]


@pytest.mark.parametrize(
    ("query", "accept", "field"),
    [
        ({"order": "desc", "after": 0}, None, "after"),
        ({"order": "desc", "wait": 1}, None, "wait"),
        ({"before": 0}, None, "before"),
        ({"order": "down"}, None, "order"),
        ({"order": "desc"}, "text/event-stream", "order"),
        ({"key": "a"}, "text/event-stream", "key"),
        ({"before": 1}, "text/event-stream", "before"),
    ],
)
async def test_what_does_not_go_together_is_refused(
    api: httpx.AsyncClient, world: World, query: dict[str, str], accept: str | None, field: str
) -> None:
    await world.bucket("bucket")
    answer = await api.get("/v1/buckets/bucket/events", params=query, headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
