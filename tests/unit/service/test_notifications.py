"""Notification configurations: the webhooks that they make, keep and end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.world import KEY, ROOT, World

from elasticlake.errors import AccessDenied, Conflict, InvalidDestination, NoSuchBucket, NoSuchWebhook
from elasticlake.metadata import deliveries, nodes, webhooks
from elasticlake.metadata.deliveries import Position, RequestedDelivery
from elasticlake.model.accounts import Caller, Scope, Token
from elasticlake.model.filters import Filter
from elasticlake.model.notifications import Notification
from elasticlake.model.rotation import signing_secrets
from elasticlake.model.webhooks import Webhook
from elasticlake.service.context import Request
from elasticlake.service.notifications import Notifications
from elasticlake.service.sealing import unseal
from elasticlake.service.webhook_definitions import NewWebhook, Place, WebhookChange

BUCKET = "lake1--pond1--x"
NEW = NewWebhook(
    Place(bucket=BUCKET),
    "https://myapp.com/hook",
    ("multipart:completed",),
    secret="old-secret",
    ordering="none",
    timeout_seconds=7,
    rules={"where": "false", "filter": Filter(prefix=("mine/",)), "rate_limit": 5.0},
    sealed={"headers": {"X-Key": "k"}},
)
CREATED = ("s3:ObjectCreated:*",)


@pytest.fixture
def notifications(world: World) -> Notifications:
    return Notifications(world.core, world.delivery, KEY, world.clock, lambda: None)


async def base_of(world: World, new: NewWebhook = NEW) -> Webhook:
    return (await world.webhooks.create(ROOT, new))[0]


async def put(world: World, notifications: Notifications, *entries: Notification, bucket: str = BUCKET) -> None:
    await notifications.put(world.request(), bucket, entries)


async def get(world: World, notifications: Notifications) -> list[Notification]:
    return await notifications.get(world.request(), BUCKET)


async def made(world: World, bucket_id: int = 1) -> dict[str, Webhook]:
    """The webhooks that the bucket's configuration made, by their entries' ids, as the dispatcher knows them."""
    stored = await world.core.read(lambda reader: webhooks.derived_in(reader, bucket_id))
    known = [unseal(KEY.decrypt, one) for one in stored]
    return {one.rules.notification.id: one for one in known if one.rules.notification is not None}


async def start(world: World, webhook: Webhook) -> int:
    return await world.core.read(lambda reader: webhooks.start(reader, webhook.id, webhook.scope.id))


async def requested(world: World, webhook: Webhook) -> RequestedDelivery | None:
    return await world.delivery.read(lambda reader: deliveries.get_requested(reader, webhook.id, 1, 0, 1))


def entry(identity: str, base: Webhook, *events: str, **members: object) -> Notification:
    return replace(Notification(identity, "queue", base.id, events or CREATED), **members)  # type: ignore[arg-type]


async def test_an_entry_becomes_a_webhook_in_the_bucket(world: World, notifications: Notifications) -> None:
    bucket = await world.bucket(BUCKET)
    base = await base_of(world, replace(NEW, place=Place(lake="lake1")))
    await world.put(BUCKET, b"before")
    wanted = entry("a", base, "s3:ObjectRemoved:*", key_rules=(("prefix", "in/"), ("Suffix", ".jpg")))
    await put(world, notifications, wanted)
    derived = (await made(world))["a"]
    assert (derived.scope.kind, derived.scope.id, derived.account_id) == ("bucket", bucket.id, "root")
    assert (derived.endpoint, derived.secret, derived.ordering) == (base.endpoint, "old-secret", "none")
    assert (derived.timeout_seconds, derived.sealed.headers) == (7, (("X-Key", "k"),))
    assert (derived.events, derived.rules.filter) == (("object:deleted",), Filter(("in/",), (".jpg",)))
    assert (derived.rules.format, derived.rules.where, derived.rules.rate_limit) == ("s3", None, 5.0)
    assert (derived.revision, derived.status, await start(world, derived)) == (1, "enabled", 1)
    assert await get(world, notifications) == [wanted]
    assert (await world.webhooks.get(ROOT, base.id)).events == ("multipart:completed",)


async def test_a_put_replaces_what_the_last_one_made_and_nothing_else(
    world: World, notifications: Notifications
) -> None:
    await world.bucket(BUCKET)
    base, others = await base_of(world), await base_of(world)
    await put(world, notifications, entry("a", base), entry("b", base, "s3:ObjectRemoved:*"))
    before = await made(world)
    await world.put(BUCKET, b"key")
    world.clock.time_ms += 1000
    await put(world, notifications, entry("b", base, "s3:ObjectRemoved:*", number=1), entry("c", base))
    after = await made(world)
    assert set(after) == {"b", "c"}
    assert after["b"].id == before["b"].id
    assert (await start(world, after["b"]), await start(world, after["c"])) == (0, 1)
    await put(world, notifications)
    assert (await made(world), await get(world, notifications)) == ({}, [])
    assert [(await world.webhooks.get(ROOT, one.id)) for one in (base, others)] == [base, others]


async def test_what_is_put_again_as_it_was_stays_untouched(world: World, notifications: Notifications) -> None:
    await world.bucket(BUCKET)
    base = await base_of(world)
    wanted = [entry("a", base, key_rules=(("prefix", "a"),)), entry("", base), entry("", base, "s3:ObjectRemoved:*")]
    await put(world, notifications, *wanted)
    before = await made(world)
    assert all(len(identity) == 36 for identity in set(before) - {"a"})
    assert len(before) == 3
    version = await world.core.read(webhooks.version)
    world.clock.time_ms += 1000
    await put(world, notifications, *wanted)
    assert await made(world) == before
    assert await world.core.read(webhooks.version) == version
    assert [one.number for one in await get(world, notifications)] == [0, 1, 2]


async def test_an_entry_that_changes_goes_on_where_it_was(world: World, notifications: Notifications) -> None:
    await world.bucket(BUCKET)
    base = await base_of(world)
    await put(world, notifications, entry("a", base))
    before = (await made(world))["a"]
    await world.webhooks.change(ROOT, before.id, WebhookChange(status="disabled"))
    await world.put(BUCKET, b"key")
    await put(world, notifications, entry("a", base, "s3:ObjectRemoved:*"))
    after = (await made(world))["a"]
    assert (after.id, after.status, after.revision) == (before.id, "disabled", before.revision + 2)
    assert after.events == ("object:deleted",)
    assert await start(world, after) == 0


async def test_an_entry_for_another_destination_begins_now(world: World, notifications: Notifications) -> None:
    await world.bucket(BUCKET)
    one, other = await base_of(world), await base_of(world, replace(NEW, endpoint="https://other.example.com/"))
    await put(world, notifications, entry("a", one))
    before = (await made(world))["a"]
    epoch = await world.delivery.write(lambda tx: nodes.register(tx, "dispatcher", "test"))
    await world.delivery.write(lambda tx: nodes.claim(tx, [before.id], epoch))
    await world.delivery.write(lambda tx: deliveries.put_position(tx, Position(before.id, 1, 0)))
    await world.put(BUCKET, b"key")
    await put(world, notifications, entry("a", other))
    after = (await made(world))["a"]
    assert after.id != before.id
    assert (after.endpoint, await start(world, after)) == ("https://other.example.com/", 1)
    assert await world.delivery.read(lambda reader: deliveries.positions(reader, before.id)) == []
    with pytest.raises(NoSuchWebhook):
        await world.webhooks.get(ROOT, before.id)


async def test_a_derived_webhook_follows_the_one_it_was_made_from(world: World, notifications: Notifications) -> None:
    await world.bucket(BUCKET)
    base = await base_of(world)
    await put(world, notifications, entry("a", base), entry("b", base, "s3:ObjectRemoved:*"))
    before = await made(world)
    await world.webhooks.change(
        ROOT, base.id, WebhookChange(endpoint="https://new.example.com/", events=("object:created",), status="disabled")
    )
    await world.webhooks.rotate(ROOT, base.id, "new-secret")
    now_ms = world.clock.now_ms()
    for identity, derived in (await made(world)).items():
        assert derived.id == before[identity].id
        assert (derived.endpoint, derived.status) == ("https://new.example.com/", "enabled")
        assert derived.events == before[identity].events
        assert list(signing_secrets(derived, now_ms)) == ["old-secret", "new-secret"]
        assert derived.revision == 3
    await world.webhooks.promote(ROOT, base.id)
    assert {derived.secret for derived in (await made(world)).values()} == {"new-secret"}


async def test_it_goes_with_the_webhook_that_it_was_made_from(world: World, notifications: Notifications) -> None:
    await world.bucket(BUCKET)
    base, other = await base_of(world), await base_of(world)
    await put(world, notifications, entry("a", base), entry("b", other))
    await world.put(BUCKET, b"key")
    assert await world.webhooks.delete(ROOT, base.id) == 3  # an event for each, and the test
    assert [one.id for one in await get(world, notifications)] == ["b"]


async def test_of_a_derived_webhook_only_the_status_can_be_changed(world: World, notifications: Notifications) -> None:
    await world.bucket(BUCKET)
    base = await base_of(world)
    await put(world, notifications, entry("a", base))
    derived = (await made(world))["a"]
    for change in (
        WebhookChange(events=("object:created",)),
        WebhookChange(rules={"filter": Filter()}),
        WebhookChange(status="disabled", endpoint="https://other.example.com/"),
    ):
        with pytest.raises(Conflict, match=f"{BUCKET} .entry a. made this webhook from {base.id}"):
            await world.webhooks.change(ROOT, derived.id, change)
    with pytest.raises(Conflict):
        await world.webhooks.rotate(ROOT, derived.id)
    with pytest.raises(Conflict):
        await world.webhooks.promote(ROOT, derived.id)
    assert (await made(world))["a"] == derived
    await world.webhooks.change(ROOT, derived.id, WebhookChange(status="disabled"))
    await world.webhooks.change(ROOT, derived.id, WebhookChange(status="enabled", resume="now"))
    await world.webhooks.delete(ROOT, derived.id)
    assert await get(world, notifications) == []


async def test_what_is_new_or_changed_is_tested_unless_it_is_a_function(
    world: World, notifications: Notifications
) -> None:
    await world.bucket(BUCKET)
    base = await base_of(world)
    entries = [entry("q", base), entry("t", base, destination="topic"), entry("f", base, destination="cloudFunction")]
    await put(world, notifications, *entries)
    webhook = await made(world)
    assert [bool(await requested(world, webhook[name])) for name in "qtf"] == [True, True, False]
    await put(world, notifications, *entries)
    again = await world.delivery.read(lambda reader: deliveries.get_requested(reader, webhook["q"].id, 1, 0, 2))
    assert again is None
    await notifications.put(world.request(), BUCKET, [entry("silent", base)], sends_test=False)
    assert await requested(world, (await made(world))["silent"]) is None


async def test_destinations_that_cannot_be(world: World, notifications: Notifications) -> None:
    await world.bucket(BUCKET)
    await world.bucket("lake1--pond2--y")
    base = await base_of(world)
    elsewhere = await base_of(world, replace(NEW, place=Place(bucket="lake1--pond2--y")))
    in_pond = await base_of(world, replace(NEW, place=Place(pond="lake1--pond2")))
    await put(world, notifications, entry("a", base))
    derived = (await made(world))["a"]
    for webhook_id, reason in (
        ("wh_none", "The destination names no webhook of this bucket's account"),
        (elsewhere.id, "The destination names a webhook that listens to bucket lake1--pond2--y alone"),
        (in_pond.id, "The destination names a webhook that listens to pond lake1--pond2 alone"),
        (derived.id, "The destination names a webhook that a notification configuration made itself"),
    ):
        with pytest.raises(InvalidDestination) as caught:
            await put(world, notifications, entry("b", base), Notification("c", "queue", webhook_id, CREATED))
        assert (caught.value.field, caught.value.reason) == (f"arn:elasticlake:webhook:::{webhook_id}", reason)
        assert await made(world) == {"a": derived}


async def test_another_accounts_webhook_does_not_exist(world: World, notifications: Notifications) -> None:
    for account in ("bob", "carl"):
        await world.accounts.create(ROOT, account, account, f"{account}@example.com")
    lake = (await world.bucket("bobs--a--b", "bob")).name.lake
    theirs = await base_of(world, replace(NEW, place=Place(lake=lake), account_id="carl"))
    own = await base_of(world, replace(NEW, place=Place(lake=lake)))
    with pytest.raises(InvalidDestination) as caught:
        await put(world, notifications, entry("a", theirs), bucket="bobs--a--b")
    assert caught.value.reason == "The destination names no webhook of this bucket's account"
    await notifications.put(world.request("bob"), "bobs--a--b", [entry("a", own)])


async def test_who_may(world: World, notifications: Notifications) -> None:
    await world.bucket(BUCKET)
    base = await base_of(world)
    writer = Caller("root", "AKID", Scope(permissions=("read", "write", "delete", "list")))
    for request in (world.request("bob"), Request(writer, "R"), Request(Caller(None, None, Scope()), "R")):
        with pytest.raises(AccessDenied):
            await notifications.put(request, BUCKET, [entry("a", base)])
        with pytest.raises(AccessDenied):
            await notifications.get(request, BUCKET)
    with pytest.raises(NoSuchBucket):
        await put(world, notifications, bucket="nobody-has-it")


async def test_a_new_bucket_of_the_name_has_none(world: World, notifications: Notifications) -> None:
    await world.bucket(BUCKET)
    await put(world, notifications, entry("a", await base_of(world)))
    await world.buckets.delete(world.request(), BUCKET)
    await world.bucket(BUCKET)
    assert await get(world, notifications) == []


async def test_a_token_sees_what_made_it(world: World, notifications: Notifications) -> None:
    await world.bucket(BUCKET)
    base = await base_of(world)
    await put(world, notifications, entry("a", base))
    derived = (await made(world))["a"]
    shown = await world.webhooks.get(Token("t", "", ("root",), "read", 0), derived.id)
    assert shown.rules.notification == entry("a", base)
