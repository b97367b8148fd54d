"""The audit log: every change of the installation, by whom, and nothing that is secret."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.faulty_database import Faulty
from tests.unit.world import KEY, ROOT, World

from elasticlake.delivery.stopping import disable
from elasticlake.errors import AlreadyExists, InvalidInput, NoSuchAccessKey
from elasticlake.metadata import webhooks
from elasticlake.model.accounts import SYSTEM, Actor, Caller, Scope, Token
from elasticlake.model.activity import Activity, Done
from elasticlake.model.jobs import JobParameters
from elasticlake.model.notifications import Notification
from elasticlake.model.webhooks import Webhook
from elasticlake.service.accounts import NewKey
from elasticlake.service.activity import Search, note_after
from elasticlake.service.context import Request
from elasticlake.service.notifications import Notifications
from elasticlake.service.pages import PageRequest
from elasticlake.service.webhook_definitions import NewWebhook, Place, WebhookChange

pytestmark = pytest.mark.both_engines

BUCKET = "lake1--pond1--x"
TOKEN = replace(ROOT, request_id="REQ1")
ACTOR = Actor("token", "root", "REQ1")
SECRETS = ("https://myapp.com/hook?key=hunter2", "s3cret-one", "s3cret-two", "s3cret-three", "s3cret-header")


async def log(world: World, token: Token = ROOT, **search: Any) -> list[Activity]:
    """What the token sees, the oldest first."""
    return (await world.activities.list(token, PageRequest(), Search(**search))).items[::-1]


async def done(world: World, **search: Any) -> list[tuple[str, str]]:
    return [(entry.done.action, entry.done.subject) for entry in await log(world, **search)]


async def hook(world: World, token: Token = TOKEN) -> Webhook:
    sealed = {"headers": {"X-Key": SECRETS[4]}}
    new = NewWebhook(Place(bucket=BUCKET), SECRETS[0], ("object:created",), secret=SECRETS[1], sealed=sealed)
    return (await world.webhooks.create(token, new))[0]


async def limited_to(world: World, account_id: str) -> Token:
    return (await world.tokens.create(ROOT, account_ids=(account_id,), access="write"))[0]


async def test_accounts_keys_and_tokens(world: World) -> None:
    await world.accounts.create(TOKEN, "acme", "Acme", "a@b")
    await world.accounts.change(TOKEN, "acme", email="c@d")
    key = await world.accounts.create_key(TOKEN, "acme", NewKey("AK1", "s3cret-key", {"prefixes": ["in/"]}))
    made, text = await world.tokens.create(TOKEN, name="ci", access="read")
    await world.tokens.delete(TOKEN, made.id)
    await world.accounts.delete_key(TOKEN, "acme", key.id)
    found = await log(world)
    assert [(entry.done.action, entry.done.subject, entry.done.account_id) for entry in found] == [
        ("account:created", "acme", "acme"),
        ("account:changed", "acme", "acme"),
        ("key:created", "AK1", "acme"),
        ("token:created", made.id, None),
        ("token:deleted", made.id, None),
        ("key:deleted", "AK1", "acme"),
    ]
    assert {entry.actor for entry in found} == {ACTOR}
    assert {entry.time_ms for entry in found} == {world.clock.now_ms()}
    details = [entry.done.detail for entry in found]
    assert details[1] == {"fields": ["email"]}
    assert details[2] == {"permissions": list(Scope().permissions), "limitedTo": ["prefixes"]}
    assert details[3] == {"name": "ci", "access": "read", "isLimited": False}
    assert not any(secret in repr(found) for secret in ("s3cret-key", text, "c@d"))


async def test_lakes_ponds_and_buckets(world: World) -> None:
    await world.hierarchy.create_lake(TOKEN, "lake1")
    await world.hierarchy.rename_lake(TOKEN, "lake1", "Lake")
    await world.hierarchy.create_pond(TOKEN, "lake1", "pond1")
    await world.hierarchy.rename_pond(TOKEN, "lake1", "pond1", "Pond")
    request = Request(Caller("root", "AKID", Scope()), "REQ2")
    await world.buckets.create(request, BUCKET)
    await world.buckets.set_acl(request, BUCKET, "public-read")
    await world.buckets.delete(request, BUCKET)
    await world.hierarchy.delete_pond(TOKEN, "lake1", "pond1")
    await world.hierarchy.delete_lake(TOKEN, "lake1")
    assert await done(world) == [
        ("lake:created", "lake1"), ("lake:renamed", "lake1"), ("pond:created", "lake1--pond1"),
        ("pond:renamed", "lake1--pond1"), ("bucket:created", BUCKET), ("bucket:aclChanged", BUCKET),
        ("bucket:deleted", BUCKET), ("pond:deleted", "lake1--pond1"), ("lake:deleted", "lake1"),
    ]  # fmt: skip
    by_s3 = await log(world, actor="accessKey:AKID")
    assert [entry.done.bucket for entry in by_s3] == [BUCKET] * 3
    assert by_s3[1].done.detail == {"acl": "public-read"}
    assert by_s3[0].actor == Actor("accessKey", "AKID", "REQ2")


async def test_a_bucket_s_creation_notes_the_lake_and_the_pond_that_come_with_it(world: World) -> None:
    await world.bucket(BUCKET)
    await world.bucket("plain")
    assert await done(world) == [
        ("lake:created", "lake1"), ("pond:created", "lake1--pond1"), ("bucket:created", BUCKET),
        ("bucket:created", "plain"),
    ]  # fmt: skip


async def test_what_fails_is_not_noted(world: World) -> None:
    await world.hierarchy.create_lake(TOKEN, "lake1")
    with pytest.raises(AlreadyExists):
        await world.hierarchy.create_lake(TOKEN, "lake1")
    with pytest.raises(NoSuchAccessKey):
        await world.accounts.delete_key(TOKEN, "root", "AK1")
    assert await done(world) == [("lake:created", "lake1")]


async def test_a_webhook_s_life_without_its_secrets(world: World) -> None:
    await world.bucket(BUCKET)
    webhook = await hook(world)
    change = WebhookChange(name="n", secret=SECRETS[2], rules={"rate_limit": 5.0}, sealed={"headers": {"a": "b"}})
    await world.webhooks.change(TOKEN, webhook.id, change)
    await world.webhooks.change(TOKEN, webhook.id, WebhookChange(status="disabled"))
    await world.webhooks.change(TOKEN, webhook.id, WebhookChange(status="enabled", timeout_seconds=5))
    await world.webhooks.rotate(TOKEN, webhook.id, SECRETS[3])
    await world.webhooks.promote(TOKEN, webhook.id)
    delivery = await world.webhooks.test(TOKEN, webhook.id)
    again = await world.deliveries.redeliver(TOKEN, str(delivery))
    job = await world.jobs.create(TOKEN, webhook.id, "replay", JobParameters())
    await world.jobs.cancel(TOKEN, job.id)
    await world.jobs.cancel(TOKEN, job.id)
    await world.webhooks.delete(TOKEN, webhook.id)
    found = await log(world, actor="root")
    identity = webhook.id
    assert [(entry.done.action, entry.done.subject) for entry in found] == [
        ("webhook:created", identity), ("webhook:changed", identity), ("webhook:disabled", identity),
        ("webhook:enabled", identity), ("webhook:rotated", identity), ("webhook:promoted", identity),
        ("webhook:tested", identity), ("delivery:redelivered", str(again.id)), ("job:started", job.id),
        ("job:canceled", job.id), ("webhook:deleted", identity),
    ]  # fmt: skip
    assert {entry.done.bucket for entry in found} == {BUCKET}
    assert {entry.actor for entry in found} == {ACTOR}
    details = [dict(entry.done.detail or {}) for entry in found]
    assert details[1] == {"bucket": BUCKET, "fields": ["headers", "name", "rateLimit", "secret"]}
    assert details[2] == {"bucket": BUCKET, "fields": [], "reason": "manual"}
    assert details[3] == {"bucket": BUCKET, "fields": ["timeoutSeconds"]}
    assert details[7] == {"webhook": identity, "of": str(delivery)}
    assert not any(secret in repr(found) for secret in SECRETS)


async def test_the_server_s_own_hand(world: World) -> None:
    await world.bucket(BUCKET)
    webhook = await hook(world)
    assert await disable(world.core, webhook, "gone", world.clock.now_ms())
    assert not await disable(world.core, webhook, "gone", world.clock.now_ms())
    (entry,) = await log(world, actor="system:")
    assert entry.actor == SYSTEM
    assert (entry.done.action, entry.done.detail) == ("webhook:disabled", {"bucket": BUCKET, "reason": "gone"})


async def test_a_notification_configuration(world: World) -> None:
    await world.bucket(BUCKET)
    webhook = await hook(world)
    notifications = Notifications(world.core, world.delivery, KEY, world.clock, lambda: None)
    entry = Notification("i", "queue", webhook.id, ("s3:ObjectCreated:*",))
    await notifications.put(world.request(), BUCKET, [entry])
    await notifications.put(world.request(), BUCKET, [])
    assert [found.done.detail for found in await log(world, action="bucket:notifications")] == [
        {"entries": 1, "changed": 1, "removed": 0},
        {"entries": 0, "changed": 0, "removed": 1},
    ]


async def test_a_limited_token_sees_what_concerns_its_accounts(world: World) -> None:
    await world.accounts.create(ROOT, "acme", "Acme", "a@b")
    token = await limited_to(world, "acme")
    await world.hierarchy.create_lake(ROOT, "roots")
    await world.hierarchy.create_lake(ROOT, "acmes", account_id="acme")
    assert [entry.done.subject for entry in await log(world, token)] == ["acme", "acmes"]


async def test_an_account_of_the_same_id_inherits_nothing(world: World) -> None:
    await world.accounts.create(ROOT, "acme", "Acme", "a@b")
    await world.accounts.delete(ROOT, "acme")
    await world.accounts.create(ROOT, "acme", "Another", "c@d")
    token = await limited_to(world, "acme")
    assert [entry.done.action for entry in await log(world, token)] == ["account:created"]
    assert [entry.done.action for entry in await log(world, subject="account:acme")] == [
        "account:created", "account:deleted", "account:created",
    ]  # fmt: skip


async def test_pages_go_on_where_they_ended(world: World) -> None:
    for number in range(5):
        world.clock.time_ms += number % 2
        await world.hierarchy.create_lake(ROOT, f"lake{number}")
    seen, cursor = [], None
    while True:
        page = await world.activities.list(ROOT, PageRequest(cursor, 2))
        seen += [entry.done.subject for entry in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [f"lake{number}" for number in (4, 3, 2, 1, 0)]


async def test_times_and_kinds_are_asked_for(world: World) -> None:
    await world.hierarchy.create_lake(ROOT, "lake1")
    began_ms = world.clock.time_ms
    world.clock.time_ms += 1000
    await world.hierarchy.create_pond(ROOT, "lake1", "pond1")
    assert await done(world, since_ms=began_ms + 1) == [("pond:created", "lake1--pond1")]
    assert await done(world, until_ms=began_ms + 1000) == [("lake:created", "lake1")]
    assert await done(world, subject="lake:") == await done(world, subject="lake:lake1") == [("lake:created", "lake1")]
    assert await done(world, subject="pond:lake1") == []
    assert await done(world, actor="token:root", action="pond:") == [("pond:created", "lake1--pond1")]
    assert await done(world, actor="accessKey:") == []
    with pytest.raises(InvalidInput):
        await log(world, since_ms=5, until_ms=5)
    with pytest.raises(InvalidInput):
        await world.activities.list(ROOT, PageRequest("x"))


async def test_what_cannot_be_noted_afterwards_is_done_all_the_same(world: World) -> None:
    faulty = Faulty(world.core)
    faulty.is_away = True
    await note_after(faulty, ACTOR, 1, Done("webhook:tested", "wh_1", "root"))
    faulty.is_away = False
    await note_after(faulty, ACTOR, 2, Done("webhook:tested", "wh_2", "root"))
    assert await done(world) == [("webhook:tested", "wh_2")]


async def test_a_webhook_that_is_gone_meanwhile_is_not_disabled(world: World) -> None:
    await world.bucket(BUCKET)
    webhook = await hook(world)
    await world.webhooks.delete(ROOT, webhook.id)
    assert not await disable(world.core, webhook, "gone", 1)
    assert await world.core.read(lambda reader: webhooks.get(reader, webhook.id)) is None
    assert await log(world, actor="system:") == []
