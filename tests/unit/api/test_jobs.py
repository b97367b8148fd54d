"""Jobs over REST: what is asked, what is answered, who may."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from tests.unit.world import ROOT, World

from elasticlake.metadata import jobs
from elasticlake.model.events import Event
from elasticlake.model.jobs import Cursor, Tally
from elasticlake.service.jobs import MAX_RUNNING
from elasticlake.service.webhook_definitions import NewWebhook, Place
from elasticlake.service.where import Where

BUCKET = "lake1--pond1--my-bucket"
ENDPOINT = "https://myapp.com/webhooks/storage"


async def listening(world: World, *events: str, **place: str) -> str:
    """A webhook of the bucket, which has five events of two keys."""
    await world.bucket(BUCKET)
    where = Place(**place) if place else Place(bucket=BUCKET)
    made, _ = await world.webhooks.create(
        ROOT, NewWebhook(where, ENDPOINT, events or ("object:created", "object:updated"))
    )
    for key in (b"in/a", b"in/b", b"in/a", b"out/c", b"in/a"):
        await world.put(BUCKET, key)
    return made.id


async def test_a_replay_is_accepted_and_shown(api: httpx.AsyncClient, world: World) -> None:
    webhook = await listening(world)
    body = {"prefix": "in/", "events": ["object:updated"], "rateLimit": 2.5, "freshIds": True, "toSequence": 4}
    answer = await api.post(f"/v1/webhooks/{webhook}/replay", json=body)
    assert answer.status_code == 202
    made = answer.json()
    identity = made.pop("id")
    assert identity.startswith("job_")
    assert made == {
        "webhook": webhook,
        "kind": "replay",
        "status": "running",
        "bucket": None,
        "prefix": "in/",
        "events": ["object:updated"],
        "only": "all",
        "fromSequence": None,
        "toSequence": 4,
        "since": None,
        "until": None,
        "rateLimit": 2.5,
        "freshIds": True,
        "total": 4,
        "scanned": 0,
        "matched": 0,
        "sent": 0,
        "delivered": 0,
        "failed": 0,
        "skipped": 0,
        "createdAt": "2026-01-02T03:04:05.678Z",
        "updatedAt": "2026-01-02T03:04:05.678Z",
        "endedAt": None,
        "error": None,
    }
    assert (await api.get(f"/v1/jobs/{identity}")).json() == {"id": identity, **made}
    assert world.wakes, "its dispatcher is woken"


@pytest.mark.parametrize(("kind", "total"), [("replay", 5), ("backfill", 3)])
async def test_a_job_needs_no_body(api: httpx.AsyncClient, world: World, kind: str, total: int) -> None:
    webhook = await listening(world)
    answer = await api.post(f"/v1/webhooks/{webhook}/{kind}")
    assert answer.status_code == 202
    assert (answer.json()["kind"], answer.json()["prefix"], answer.json()["total"]) == (kind, "", total)


async def test_a_dry_run_counts_and_makes_nothing(api: httpx.AsyncClient, world: World) -> None:
    webhook = await listening(world)
    for kind, body, matched in (
        ("replay", {}, 5),
        ("replay", {"prefix": "in/", "events": ["object:updated"]}, 2),
        ("replay", {"fromSequence": 2, "toSequence": 3}, 2),
        ("replay", {"since": "2026-01-02T03:04:05Z", "until": "2026-01-02T03:04:06Z"}, 5),
        ("replay", {"until": "2026-01-02T03:04:05Z"}, 0),
        ("replay", {"since": "2026-01-02T03:04:06Z"}, 0),
        ("backfill", {}, 3),
        ("backfill", {"prefix": "in/", "bucket": BUCKET}, 2),
    ):
        answer = await api.post(f"/v1/webhooks/{webhook}/{kind}", json={**body, "dryRun": True})
        assert (answer.status_code, answer.json()) == (200, {"matched": matched, "atLeast": False}), body
    assert (await api.get("/v1/jobs")).json() == {"items": [], "nextCursor": None}


async def test_a_dry_run_lets_all_else_have_its_turn(
    api: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two evaluations that take long, though they are of one batch."""
    monkeypatch.setattr("elasticlake.service.one_by_one.HELD_SECONDS", 0)
    webhook = await listening(world)
    assert (await api.patch(f"/v1/webhooks/{webhook}", json={"where": "object.size > 0"})).status_code == 200
    turns, seen = 0, list[int]()
    matches = Where.matches

    def noted(self: Where, event: Event) -> bool:
        seen.append(turns)
        return matches(self, event)

    async def tick() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(tick())
    monkeypatch.setattr(Where, "matches", noted)
    for kind, matched in (("replay", 5), ("backfill", 3)):
        seen.clear()
        answer = await api.post(f"/v1/webhooks/{webhook}/{kind}", json={"dryRun": True})
        assert answer.json()["matched"] == matched == len(set(seen))
    task.cancel()


async def test_a_long_count_ends(api: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook = await listening(world)
    monkeypatch.setattr("elasticlake.service.jobs.MOST_COUNTED", 2)
    monkeypatch.setattr("elasticlake.service.job_source.BATCH", 2)
    answer = await api.post(f"/v1/webhooks/{webhook}/replay", json={"dryRun": True})
    assert answer.json() == {"matched": 2, "atLeast": True}


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("replay", {"bucket": 7}, "bucket"),
        ("replay", {"bucket": "other-bucket"}, "bucket"),
        ("replay", {"fromSequence": 0}, "fromSequence"),
        ("replay", {"fromSequence": "1"}, "fromSequence"),
        ("replay", {"fromSequence": 3, "toSequence": 2}, "toSequence"),
        ("replay", {"fromSequence": 1, "since": "2026-01-02T03:04:05Z"}, "since"),
        ("replay", {"since": "2026-01-02T03:04:05Z", "until": "2026-01-02T03:04:05Z"}, "until"),
        ("replay", {"since": "2026-01-02T03:04:05"}, "since"),
        ("replay", {"events": ["object:read"]}, "events.0"),
        ("replay", {"events": ["object:deleted"]}, "events"),
        ("replay", {"only": "some"}, "only"),
        ("replay", {"rateLimit": 0}, "rateLimit"),
        ("replay", {"rateLimit": True}, "rateLimit"),
        ("replay", {"freshIds": "yes"}, "freshIds"),
        ("replay", {"prefix": "x" * 1025}, "prefix"),
        ("replay", {"filter": {}}, "filter"),
        ("backfill", {"only": "dead"}, "only"),
        ("backfill", {"rateLimit": 10**6}, "rateLimit"),
        ("backfill", {"dryRun": 1}, "dryRun"),
    ],
)
async def test_bad_fields_are_named(
    api: httpx.AsyncClient, world: World, kind: str, body: dict[str, Any], field: str
) -> None:
    webhook = await listening(world)
    await world.bucket("other-bucket")
    answer = await api.post(f"/v1/webhooks/{webhook}/{kind}", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert (await api.get("/v1/jobs")).json()["items"] == []


async def test_what_the_log_no_longer_has_is_said(api: httpx.AsyncClient, world: World) -> None:
    webhook = await listening(world)
    bucket = await world.hierarchy.get_bucket(ROOT, BUCKET)
    await world.trim_log(bucket, 3)
    answer = await api.post(f"/v1/webhooks/{webhook}/replay", json={"fromSequence": 2})
    assert (answer.status_code, answer.json()["firstSequence"]) == (410, 3)
    answer = await api.post(f"/v1/webhooks/{webhook}/replay", json={})
    assert (answer.status_code, answer.json()["total"]) == (202, 3)


async def test_a_lake_s_webhook_goes_over_its_buckets(api: httpx.AsyncClient, world: World) -> None:
    webhook = await listening(world, lake="lake1")
    await world.bucket("lake1--pond1--other")
    await world.put("lake1--pond1--other", b"x")
    assert (await api.post(f"/v1/webhooks/{webhook}/replay", json={"dryRun": True})).json()["matched"] == 6
    one = {"bucket": "lake1--pond1--other", "fromSequence": 1, "dryRun": True}
    assert (await api.post(f"/v1/webhooks/{webhook}/replay", json=one)).json()["matched"] == 1
    answer = await api.post(f"/v1/webhooks/{webhook}/replay", json={"fromSequence": 1})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "bucket")
    assert (await api.post(f"/v1/webhooks/{webhook}/backfill", json={})).json()["total"] == 4


async def test_jobs_are_listed_the_newest_first_and_in_pages(api: httpx.AsyncClient, world: World) -> None:
    webhook, made = await listening(world), []
    other, _ = await world.webhooks.create(ROOT, NewWebhook(Place(bucket=BUCKET), ENDPOINT, ("object:created",)))
    for number in range(3):
        world.clock.time_ms += 1
        of = other.id if number == 1 else webhook
        made.append((await api.post(f"/v1/webhooks/{of}/replay", json={})).json()["id"])
    page = (await api.get("/v1/jobs", params={"limit": 2})).json()
    assert [job["id"] for job in page["items"]] == [made[2], made[1]]
    page = (await api.get("/v1/jobs", params={"limit": 2, "cursor": page["nextCursor"]})).json()
    assert ([job["id"] for job in page["items"]], page["nextCursor"]) == ([made[0]], None)
    await api.post(f"/v1/jobs/{made[0]}/cancel")
    for params, wanted in (
        ({"webhook": webhook}, [made[2], made[0]]),
        ({"webhook": webhook, "status": "running"}, [made[2]]),
        ({"status": "canceled"}, [made[0]]),
        ({"status": "failed"}, []),
    ):
        assert [job["id"] for job in (await api.get("/v1/jobs", params=params)).json()["items"]] == wanted
    assert (await api.get("/v1/jobs", params={"status": "lost"})).status_code == 422
    assert (await api.get("/v1/jobs", params={"webhook": "wh_none"})).status_code == 404


async def test_a_canceled_job_stays_so_and_one_that_has_ended_stays_as_it_is(
    api: httpx.AsyncClient, world: World
) -> None:
    webhook = await listening(world)
    made = (await api.post(f"/v1/webhooks/{webhook}/backfill", json={})).json()["id"]
    for _ in range(2):
        answer = await api.post(f"/v1/jobs/{made}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
        assert answer.json()["endedAt"] is not None
    made = (await api.post(f"/v1/webhooks/{webhook}/backfill", json={})).json()["id"]

    def finish(tx: Any) -> None:
        job = jobs.get(tx, made)
        assert job is not None
        job.status, job.ended_at_ms, job.cursor, job.tally = "completed", 1, Cursor(1), Tally(5, 5, 3, 1, 1)
        jobs.put_progress(tx, job)

    await world.delivery.write(finish)
    shown = (await api.post(f"/v1/jobs/{made}/cancel")).json()
    counts = [shown[name] for name in ("status", "scanned", "matched", "sent", "delivered", "failed", "skipped")]
    assert counts == ["completed", 5, 5, 4, 3, 1, 1]


async def test_a_webhook_has_so_many_running_jobs_and_no_more(api: httpx.AsyncClient, world: World) -> None:
    webhook = await listening(world)
    for _ in range(MAX_RUNNING):
        assert (await api.post(f"/v1/webhooks/{webhook}/replay", json={})).status_code == 202
    assert (await api.post(f"/v1/webhooks/{webhook}/replay", json={})).status_code == 409


async def test_another_account_s_jobs_do_not_exist(api: httpx.AsyncClient, world: World) -> None:
    webhook = await listening(world)
    made = (await api.post(f"/v1/webhooks/{webhook}/replay", json={})).json()["id"]
    bob = await world.accounts.create(ROOT, "bob", "Bob", "bob@example.com")
    _, token = await world.tokens.create(ROOT, account_ids=(bob.id,), access="write")
    other = {"Authorization": f"Bearer {token}"}
    assert (await api.get(f"/v1/jobs/{made}", headers=other)).status_code == 404
    assert (await api.post(f"/v1/jobs/{made}/cancel", headers=other)).status_code == 404
    assert (await api.get("/v1/jobs", headers=other)).json()["items"] == []
    assert (await api.post(f"/v1/webhooks/{webhook}/replay", json={}, headers=other)).status_code == 404
    assert (await api.get(f"/v1/webhooks/{webhook}/reconcile", headers=other)).status_code == 404
    assert (await api.get("/v1/jobs/job_none")).status_code == 404
    _, reading = await world.tokens.create(ROOT, access="read")
    only = {"Authorization": f"Bearer {reading}"}
    assert (await api.get(f"/v1/jobs/{made}", headers=only)).status_code == 200
    assert (await api.post(f"/v1/jobs/{made}/cancel", headers=only)).status_code == 403


async def test_what_was_not_acknowledged_is_listed(api: httpx.AsyncClient, world: World) -> None:
    webhook = await listening(world)
    found = (await api.get(f"/v1/webhooks/{webhook}/reconcile", params={"prefix": "in/"})).json()
    assert found["nextCursor"] is None
    assert [(one["key"], one["sequence"], one["state"], one["event"]) for one in found["items"]] == [
        ("in/b", 2, "pending", "object:created"),
        ("in/a", 5, "pending", "object:updated"),
    ]
    first = found["items"][0]
    assert (first["bucket"], first["timestamp"]) == (BUCKET, "2026-01-02T03:04:05.678Z")
    assert first["eventId"].startswith("evt_")
    answer = await api.get(f"/v1/webhooks/{webhook}/reconcile", params={"cursor": "x"})
    assert answer.json()["errors"][0]["field"] == "cursor"
