"""Searching a webhook's deliveries over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.unit.world import START_MS, World

from elasticlake.metadata import deliveries as rows
from elasticlake.metadata.deliveries import Position
from elasticlake.model.timings import Timings

BUCKET = "lake1--pond1--my-bucket"
NEW = {"bucket": BUCKET, "endpoint": "https://myapp.com/hook", "events": ["object:created", "object:deleted"]}


async def begin(api: httpx.AsyncClient, world: World) -> str:
    """Four deliveries with an attempt each, a minute apart, and one without; returns where they are listed."""
    bucket = await world.bucket(BUCKET)
    webhook = (await api.post("/v1/webhooks", json=NEW)).json()["id"]
    for key in (b"a/1", b"a/2", b"b", b"c", b"a/9"):
        await world.put(BUCKET, key)
    outcomes = [("delivered", 200), ("dead", 500), ("dead", 404), ("dead", None)]
    await world.delivery.write(lambda tx: rows.put_position(tx, Position(webhook, bucket.id, 4)))
    for number, (status, code) in enumerate(outcomes, start=1):
        attempt = await world.attempt(webhook, bucket.id, number, status=status)
        key = (b"a/1", b"a/2", b"b", b"c")[number - 1]
        world.record(replace(attempt, key=key, status_code=code, started_at_ms=START_MS + number * 60_000))
    return f"/v1/webhooks/{webhook}/deliveries"


@pytest.mark.parametrize(
    ("query", "sequences"),
    [
        ({}, [4, 3, 2, 1]),
        ({"key": "a/2"}, [2]),
        ({"keyPrefix": "a/"}, [2, 1]),
        ({"keyPrefix": "a/", "status": "pending"}, [5]),
        ({"key": "a/1", "status": "pending"}, []),
        ({"statusCode": "500"}, [2]),
        ({"statusCode": "4xx"}, [3]),
        ({"statusCode": "2xx"}, [1]),
        ({"statusCode": "2xx", "status": "pending"}, []),
        ({"event": "object:created", "keyPrefix": "b"}, [3]),
        ({"event": "object:deleted"}, []),
        ({"since": "2026-01-02T03:06:05.678Z"}, [4, 3, 2]),
        ({"since": "2026-01-02T03:07:05Z", "until": "2026-01-02T04:08:06+01:00"}, [4, 3]),
        ({"since": "2026-01-02T04:06:06+01:00", "until": "2026-01-02T03:08:05.678Z"}, [3]),
        ({"until": "2026-01-02T03:07:05.678Z"}, [2, 1]),
    ],
)
async def test_deliveries_are_searched(
    api: httpx.AsyncClient, world: World, query: dict[str, Any], sequences: list[int]
) -> None:
    path = await begin(api, world)
    for limit in (1, 100):
        found: list[int] = []
        page = {"nextCursor": ""}
        while page["nextCursor"] is not None:
            answer = await api.get(path, params={**query, "limit": limit, "cursor": page["nextCursor"]})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += [item["sequence"] for item in answer.json()["items"]]
        assert found == sequences


async def test_a_delivery_says_how_it_was_answered(api: httpx.AsyncClient, world: World) -> None:
    path = await begin(api, world)
    items = (await api.get(path)).json()["items"]
    assert [item["lastStatusCode"] for item in items] == [None, 404, 500, 200]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"statusCode": "600"}, "statusCode"),
        ({"statusCode": "50"}, "statusCode"),
        ({"statusCode": "5xx5"}, "statusCode"),
        ({"event": "object:read"}, "event"),
        ({"status": "coalesced"}, "'canceled' or 'expired'"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-02T03:06:05"}, "since"),
        ({"since": "2026-01-02T03:06:05Z", "until": "2026-01-02T03:06:05Z"}, "until must be later than since."),
    ],
)
async def test_what_cannot_be_searched_for_is_named(
    api: httpx.AsyncClient, world: World, query: dict[str, str], said: str
) -> None:
    answer = await api.get(await begin(api, world), params=query)
    assert answer.status_code == 422
    assert said in answer.text


async def test_an_attempt_says_where_it_went_and_how_long_its_steps_took(api: httpx.AsyncClient, world: World) -> None:
    bucket = await world.bucket(BUCKET)
    webhook = (await api.post("/v1/webhooks", json=NEW)).json()["id"]
    await world.put(BUCKET, b"a")
    first = await world.attempt(webhook, bucket.id, 1, status="retrying")
    second = await world.attempt(webhook, bucket.id, 1, 2)
    world.record(first, replace(second, address="192.0.2.1", timings=Timings(None, 1.5, None, 20.25)))
    identity = (await api.get(f"/v1/webhooks/{webhook}/deliveries")).json()["items"][0]["id"]
    log = (await api.get(f"/v1/deliveries/{identity}")).json()["attemptLog"]
    assert [(one["address"], one["timings"]) for one in log] == [
        (None, None),
        ("192.0.2.1", {"dnsMs": None, "connectMs": 1.5, "tlsMs": None, "firstByteMs": 20.25}),
    ]
