"""The deliveries of an object over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
from tests.unit.world import World

BUCKET = "lake1--pond1--my-bucket"
NEW = {"bucket": BUCKET, "endpoint": "https://myapp.com/hook", "events": ["object:created", "object:updated"]}


async def test_who_was_told_of_an_object(api: httpx.AsyncClient, world: World) -> None:
    bucket = await world.bucket(BUCKET)
    webhook = (await api.post("/v1/webhooks", json=NEW)).json()["id"]
    for key in ("ключ/ä b", "other", "ключ/ä b"):
        await world.put(BUCKET, key.encode())
    world.record(await world.attempt(webhook, bucket.id, 1))
    path, cursor, found = f"/v1/buckets/{BUCKET}/deliveries", None, list[Any]()
    while not found or cursor is not None:
        query = {"key": "ключ/ä b", "limit": 1, **({"cursor": cursor} if cursor else {})}
        page = (await api.get(path, params=query)).json()
        found, cursor = [*found, *page["items"]], page["nextCursor"]
    shown = [(one["sequence"], one["status"], one["lastStatusCode"], one["webhook"]) for one in found]
    assert shown == [(3, "pending", None, webhook), (1, "delivered", 200, webhook)]
    assert {one["key"] for one in found} == {"ключ/ä b"}


async def test_the_key_has_to_be_named(api: httpx.AsyncClient, world: World) -> None:
    await world.bucket(BUCKET)
    answer = await api.get(f"/v1/buckets/{BUCKET}/deliveries")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "key")
    assert (await api.get("/v1/buckets/none/deliveries", params={"key": "a"})).status_code == 404
