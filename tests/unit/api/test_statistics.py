"""Statistics over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.unit.world import START_MS, World, attempt

BUCKET = "lake1--pond1--my-bucket"
NEW = {"bucket": BUCKET, "endpoint": "https://myapp.com/hook", "events": ["object:created"]}


async def begin(api: httpx.AsyncClient, world: World) -> str:
    """A webhook with three attempts of now; returns where its statistics are."""
    await world.bucket(BUCKET)
    webhook = (await api.post("/v1/webhooks", json=NEW)).json()["id"]
    one = replace(attempt(webhook, 1, 1), started_at_ms=START_MS - 1)
    world.record(one, one, one, replace(one, status="dead", error_class="status", status_code=502))
    return f"/v1/webhooks/{webhook}/statistics"


async def test_a_step_says_how_attempts_ended_and_how_long_they_took(api: httpx.AsyncClient, world: World) -> None:
    answer = (await api.get(await begin(api, world))).json()
    assert (answer["since"], answer["until"]) == ("2026-01-01T03:00:00.000Z", "2026-01-02T04:00:00.000Z")
    assert (answer["step"], len(answer["steps"])) == ("1h", 25)
    counts = {
        "attempts": 4,
        "delivered": 3,
        "failed": 1,
        "failures": {"5xx": 1},
        "successRatio": 0.75,
        "p50Ms": 12.5,
        "p95Ms": 14.75,
        "p99Ms": 14.95,
    }
    assert answer["totals"] == counts
    assert answer["steps"][-1] == {"start": "2026-01-02T03:00:00.000Z", **counts}
    nothing = {**dict.fromkeys(counts, None), "attempts": 0, "delivered": 0, "failed": 0, "failures": {}}
    assert answer["steps"][0] == {"start": "2026-01-01T03:00:00.000Z", **nothing}


async def test_time_and_step_are_asked_for(api: httpx.AsyncClient, world: World) -> None:
    path = await begin(api, world)
    query = {"since": "2026-01-02T04:00:00+01:00", "until": "2026-01-02T03:10:00Z", "step": "5m"}
    answer = (await api.get(path, params=query)).json()
    assert [step["attempts"] for step in answer["steps"]] == [4]
    assert answer["until"] == "2026-01-02T03:05:00.000Z"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"step": "2h"}, "step"),
        ({"step": "5m", "since": "2025-01-01T00:00:00Z"}, "step"),
        ({"since": "2026-01-02T03:00:00"}, "since"),
        ({"since": "9999-12-31T23:59:59Z"}, "since"),
        ({"since": "2026-01-01T03:00:00Z", "until": "2026-01-01T03:00:00Z"}, "since"),
        ({"until": "0001-01-01T00:00:00+14:00"}, "since"),
    ],
)
async def test_what_cannot_be_answered_names_the_field(
    api: httpx.AsyncClient, world: World, query: dict[str, Any], field: str
) -> None:
    answer = await api.get(await begin(api, world), params=query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_webhook_that_is_not_there_has_none(api: httpx.AsyncClient, world: World) -> None:
    assert (await api.get("/v1/webhooks/wh_none/statistics")).status_code == 404
