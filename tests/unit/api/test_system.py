"""The installation at a glance over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from tests.unit.world import ROOT, World

from elasticlake.metadata import nodes
from elasticlake.service.metrics import Metrics
from elasticlake.service.shared_metrics import SharedMetrics
from elasticlake.service.webhook_definitions import NewWebhook, Place


async def state(api: httpx.AsyncClient) -> dict[str, Any]:
    answer = await api.get("/v1/system")
    assert answer.status_code == 200
    return dict(answer.json())


async def test_an_empty_installation(api: httpx.AsyncClient, world: World) -> None:
    found = await state(api)
    blobs = found.pop("blobs")
    assert blobs.pop("freeBytes") > 0
    assert blobs == {"place": "DATA/blobs", "reserveBytes": 512}
    assert found == {
        "version": "1.2.3",
        "role": "all",
        "startedAt": "2026-01-02T03:04:05.678Z",
        "publicUrl": "http://test",
        "engine": {"name": "SQLite", "version": "3.50.4", "databases": {"core": 4096}},
        "nodes": [],
        "accounts": 1,
        "buckets": 0,
        "objects": 0,
        "bytes": 0,
        "webhooks": {"enabled": 0, "disabled": 0},
        "events": {"retentionDays": 30, "retentionBytes": 0, "oldestAt": None},
        "attempts": {"retentionDays": None},
        "activity": {"retentionDays": 400},
        "backlog": None,
    }


async def test_totals_nodes_and_backlog(api: httpx.AsyncClient, world: World, tmp_path: Path) -> None:
    await world.accounts.create(ROOT, "acme", "Acme", "a@b")
    await world.bucket("bucket")
    await world.bucket("gone")
    await world.buckets.delete(world.request(), "gone")
    await world.put("bucket", b"one", b"12345")
    world.clock.time_ms += 5000
    await world.put("bucket", b"two", b"678")
    await world.webhooks.create(ROOT, NewWebhook(Place(bucket="bucket"), "https://a.example/", ("object:created",)))
    epoch = await world.delivery.write(lambda tx: nodes.register(tx, "dispatcher", "dispatcher"))
    dispatcher = SharedMetrics(tmp_path / "metrics", "dispatcher", "1.2.3", Metrics())
    dispatcher.metrics.backlogs({"wh_1": 7, "wh_2": 3})
    dispatcher.metrics.delivery_state(0, 0, {"wh_1": 1.5, "wh_2": 4.5})
    await dispatcher.write()
    found = await state(api)
    assert [found[name] for name in ("accounts", "buckets", "objects", "bytes")] == [2, 1, 2, 8]
    assert found["webhooks"] == {"enabled": 1, "disabled": 0}
    assert found["events"]["oldestAt"] == "2026-01-02T03:04:05.678Z"
    assert found["backlog"] == {"events": 10, "oldestSeconds": 4.5}
    (node,) = found["nodes"]
    assert (node["name"], node["role"], node["epoch"], node["isAlive"]) == (
        "dispatcher",
        "dispatcher",
        str(epoch),
        True,
    )


async def test_a_node_that_fell_silent(api: httpx.AsyncClient, world: World) -> None:
    epoch = await world.delivery.write(lambda tx: nodes.register(tx, "gateway", "gateway-0"))
    await world.delivery.write(
        lambda tx: tx.run("UPDATE nodes SET heartbeat_at_ms = ? WHERE epoch = ?", (tx.now_ms() - nodes.LEASE_MS, epoch))
    )
    assert [node["isAlive"] for node in (await state(api))["nodes"]] == [False]


async def test_an_answer_serves_for_a_second(api: httpx.AsyncClient, world: World) -> None:
    assert (await state(api))["buckets"] == 0
    await world.bucket("bucket")
    await world.put("bucket", b"key")
    assert (await state(api))["buckets"] == 0
    world.clock.time_ms += 1000
    found = await state(api)
    assert (found["buckets"], found["events"]["oldestAt"]) == (1, None), "logs are looked at once a minute"
    world.clock.time_ms += 60_000
    assert (await state(api))["events"]["oldestAt"] is not None


async def test_it_is_for_tokens_of_every_account(api: httpx.AsyncClient, world: World) -> None:
    _, text = await world.tokens.create(ROOT, account_ids=("root",), access="read")
    refused = await api.get("/v1/system", headers={"Authorization": f"Bearer {text}"})
    assert refused.status_code == 403
    _, text = await world.tokens.create(ROOT, access="read")
    assert (await api.get("/v1/system", headers={"Authorization": f"Bearer {text}"})).status_code == 200
