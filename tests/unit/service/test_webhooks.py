"""Webhook definitions."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from tests.unit.world import KEY, ROOT, World, open_world

from elasticlake.errors import (
    InvalidInput,
    InvalidWebhook,
    NoSuchAccount,
    NoSuchBucket,
    NoSuchLake,
    NoSuchPond,
    NoSuchWebhook,
)
from elasticlake.metadata import deliveries, nodes, webhooks
from elasticlake.metadata.database import Transaction, Value
from elasticlake.metadata.deliveries import Lane, Position
from elasticlake.model.accounts import Token
from elasticlake.model.egress import EgressPolicy
from elasticlake.model.webhooks import Webhook
from elasticlake.service.pages import PageRequest
from elasticlake.service.webhook_definitions import NewWebhook, Place, WebhookChange

ACME = Token("t", "", ("acme",), "write", 0)
BUCKET = "lake1--pond1--x"
NONE = (-1, -1, -1)
PAGE = NewWebhook(Place(bucket=BUCKET), "https://myapp.com/hook", ("object:created",), secret="my-webhook-secret")


async def create(world: World, new: NewWebhook = PAGE, token: Token = ROOT) -> Webhook:
    return (await world.webhooks.create(token, new))[0]


async def start(world: World, webhook: Webhook, bucket_id: int) -> int:
    return await world.core.read(lambda reader: webhooks.start(reader, webhook.id, bucket_id))


async def test_the_pages_call(world: World) -> None:
    await world.bucket(BUCKET)
    made, secret = await world.webhooks.create(ROOT, PAGE)
    assert secret is None
    assert (made.scope.kind, made.scope.name, made.account_id) == ("bucket", BUCKET, "root")
    assert (made.ordering, made.on_dead, made.timeout_seconds, made.revision) == ("key", "continue", 30, 1)
    assert len(made.retry_schedule_seconds) == 9
    assert await world.webhooks.get(ROOT, made.id) == made
    assert len(world.wakes) == 1


async def test_the_secret_is_sealed(world: World) -> None:
    await world.bucket(BUCKET)
    own = await create(world)
    made, generated = await world.webhooks.create(ROOT, replace(PAGE, secret=None))
    assert generated is not None
    assert generated.startswith("whsec_")
    for webhook, secret in ((own, "my-webhook-secret"), (made, generated)):
        stored = await world.core.read(partial(webhooks.get, webhook_id=webhook.id))
        assert stored is not None
        assert secret.encode() not in stored.secret
        assert KEY.decrypt(stored.secret) == secret
        assert webhook.secret == ""


async def test_it_sees_what_happens_from_now_on(world: World) -> None:
    bucket, other = await world.bucket(BUCKET), await world.bucket("lake1--pond2--y")
    for _ in range(3):
        await world.put(BUCKET, b"key")
    by_bucket = await create(world)
    by_pond = await create(world, replace(PAGE, place=Place(pond="lake1--pond2")))
    by_lake = await create(world, replace(PAGE, place=Place(lake="lake1")))
    await world.put(BUCKET, b"key")
    assert await start(world, by_bucket, bucket.id) == 3
    assert await start(world, by_lake, bucket.id) == 3
    assert await start(world, by_pond, bucket.id) == 0
    assert (by_pond.scope.id, by_lake.scope.name) == ((await pond_id(world, "pond2")), "lake1")
    assert await start(world, by_lake, other.id) == 0


class Counted:
    """The transaction, and how many statements changed something."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.statements = 0

    def run(self, sql: str, parameters: Sequence[Value] = ()) -> None:
        self.statements += 1
        self._tx.run(sql, parameters)


@pytest.mark.both_engines
async def test_it_starts_in_thousands_of_buckets_at_once(world: World) -> None:
    """Nobody else writes meanwhile, so it must not take as many statements."""
    bucket = await world.bucket(BUCKET)
    lake = await world.hierarchy.get_lake(ROOT, "lake1")
    more = """
    WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 3000)
    INSERT INTO buckets (name, lake_id, pond_id, account_id, acl, created_at_ms, first_sequence, sequence)
    SELECT 'lake1--pond1--more' || number, lake_id, pond_id, CASE number WHEN 3000 THEN 'acme' ELSE account_id END,
        acl, 1, 1, number
    FROM buckets, numbers
    """
    await world.core.write(lambda tx: tx.run(more))
    webhook = await create(world, replace(PAGE, place=Place(lake="lake1")))
    starts = "SELECT sequence FROM webhook_starts WHERE webhook_id = ? ORDER BY sequence"
    found = await world.core.read(lambda reader: reader.rows(starts, (webhook.id,)))
    assert [row[0] for row in found] == list(range(3000))

    def again(tx: Transaction) -> int:
        counted = Counted(tx)
        webhooks.insert_starts(cast(Transaction, counted), webhook.id, "lake", lake.id, "root")
        return counted.statements

    assert await world.core.write(again) < 10
    await world.put(BUCKET, b"key")
    assert await start(world, webhook, bucket.id) == 0


async def pond_id(world: World, slug: str) -> int:
    return (await world.hierarchy.get_pond(ROOT, "lake1", slug)).id


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"place": Place()}, "bucket"),
        ({"place": Place(bucket=BUCKET, lake="lake1")}, "lake"),
        ({"place": Place(pond="lake1")}, "pond"),
        ({"endpoint": "http://169.254.169.254/"}, "endpoint"),
        ({"endpoint": "ftp://myapp.com"}, "endpoint"),
        ({"events": ()}, "events"),
        ({"events": ("object:read",)}, "events"),
        ({"secret": ""}, "secret"),
        ({"secret": "whsec_!"}, "secret"),
        ({"retry_schedule_seconds": (0,)}, "retrySchedule"),
        ({"retry_schedule_seconds": (10**400,)}, "retrySchedule"),
        ({"retry_schedule_seconds": (1,) * 51}, "retrySchedule"),
        ({"timeout_seconds": 31}, "timeoutSeconds"),
        ({"timeout_seconds": 0}, "timeoutSeconds"),
        ({"name": "x" * 201}, "name"),
        ({"name": "\n"}, "name"),
        ({"account_id": "acme"}, "account"),
    ],
)
async def test_a_bad_field_is_named_and_nothing_stored(world: World, changes: dict[str, Any], field: str) -> None:
    await world.bucket(BUCKET)
    with pytest.raises(InvalidInput) as caught:
        await create(world, replace(PAGE, **changes))
    assert caught.value.field == field
    assert (await world.webhooks.list(ROOT, PageRequest())).items == []


async def test_a_developer_may_call_this_machine(tmp_path: Path) -> None:
    async with open_world(tmp_path, EgressPolicy(developer=True)) as world:
        await world.bucket(BUCKET)
        made = await create(world, replace(PAGE, endpoint="http://127.0.0.1:5000/"))
        assert made.endpoint == "http://127.0.0.1:5000/"


async def test_a_place_that_is_not_there(world: World) -> None:
    await world.bucket(BUCKET)
    for place, error in (
        (Place(bucket="nothing"), NoSuchBucket),
        (Place(pond="lake1--pond2"), NoSuchPond),
        (Place(lake="lake2"), NoSuchLake),
    ):
        with pytest.raises(error):
            await create(world, replace(PAGE, place=place))
    with pytest.raises(NoSuchAccount):
        await create(world, replace(PAGE, place=Place(lake="lake1"), account_id="nobody"))


async def test_a_webhook_belongs_to_the_owner_of_its_place(world: World) -> None:
    for name in ("acme", "beta"):
        await world.accounts.create(ROOT, name, name, "a@b")
    mine = await world.bucket(BUCKET, "acme")
    plain, roots = await world.bucket("of-acme", "acme"), await world.bucket("of-root")
    for name in (BUCKET, "of-acme", "of-root"):
        await world.put(name, b"key")
    by_root = await create(world)
    assert by_root.account_id == "acme"
    assert await world.webhooks.get(ACME, by_root.id) == by_root
    in_default = await create(world, replace(PAGE, place=Place(lake="default")), ACME)
    assert in_default.account_id == "acme"
    assert (await start(world, in_default, plain.id), await start(world, in_default, roots.id)) == (1, 0)
    roots_own = await create(world, replace(PAGE, place=Place(lake="lake1"), account_id="root"))
    assert await start(world, roots_own, mine.id) == 0
    with pytest.raises(NoSuchWebhook):
        await world.webhooks.get(ACME, roots_own.id)
    with pytest.raises(NoSuchBucket):
        await create(world, replace(PAGE, place=Place(bucket="of-root")), ACME)
    reached = (await world.webhooks.list(ACME, PageRequest())).items
    assert {webhook.id for webhook in reached} == {by_root.id, in_default.id}


async def test_lists_by_place(world: World) -> None:
    await world.bucket(BUCKET)
    by_bucket, by_lake = await create(world), await create(world, replace(PAGE, place=Place(lake="lake1")))

    async def ids(place: Place | None) -> set[str]:
        return {webhook.id for webhook in (await world.webhooks.list(ROOT, PageRequest(), place)).items}

    assert await ids(None) == {by_bucket.id, by_lake.id}
    assert await ids(Place(bucket=BUCKET)) == {by_bucket.id}
    assert await ids(Place(lake="lake1")) == {by_lake.id}
    assert await ids(Place(pond="lake1--pond1")) == set()


async def test_a_change_is_a_new_revision(world: World) -> None:
    await world.bucket(BUCKET)
    made = await create(world)
    world.clock.time_ms += 1000
    change = WebhookChange(
        endpoint="https://other.com/",
        events=("object:deleted", "object:created"),
        secret="another",
        retry_schedule_seconds=(1, 2),
        timeout_seconds=5,
        ordering="bucket",
        on_dead="pause",
        name="audit",
    )
    changed = await world.webhooks.change(ROOT, made.id, change)
    assert (changed.revision, changed.updated_at_ms - made.updated_at_ms) == (2, 1000)
    assert changed.events == ("object:created", "object:deleted")
    assert (changed.ordering, changed.on_dead, changed.name, changed.timeout_seconds) == ("bucket", "pause", "audit", 5)
    assert await world.webhooks.get(ROOT, made.id) == changed
    stored = await world.core.read(lambda reader: webhooks.get(reader, made.id))
    assert stored is not None
    assert KEY.decrypt(stored.secret) == "another"
    kept = await world.webhooks.change(ROOT, made.id, WebhookChange(name=""))
    assert (kept.endpoint, kept.name, kept.revision) == ("https://other.com/", "", 3)
    assert len(world.wakes) == 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (WebhookChange(endpoint="https://10.0.0.1/"), "endpoint"),
        (WebhookChange(events=()), "events"),
        (WebhookChange(secret=""), "secret"),
        (WebhookChange(resume="now"), "resume"),
        (WebhookChange(status="disabled", resume="now"), "resume"),
    ],
)
async def test_a_bad_change_changes_nothing(world: World, change: WebhookChange, field: str) -> None:
    await world.bucket(BUCKET)
    made = await create(world)
    with pytest.raises(InvalidWebhook) as caught:
        await world.webhooks.change(ROOT, made.id, change)
    assert caught.value.field == field
    assert await world.webhooks.get(ROOT, made.id) == made


async def test_off_and_on_again(world: World) -> None:
    bucket = await world.bucket(BUCKET)
    made = await create(world)
    disabled = await world.webhooks.change(ROOT, made.id, WebhookChange(status="disabled"))
    assert (disabled.status, disabled.disabled_reason) == ("disabled", "manual")
    await world.put(BUCKET, b"key")
    enabled = await world.webhooks.change(ROOT, made.id, WebhookChange(status="enabled"))
    assert (enabled.status, enabled.disabled_reason) == ("enabled", None)
    assert await start(world, made, bucket.id) == 0
    await world.webhooks.change(ROOT, made.id, WebhookChange(status="enabled", resume="now"))
    assert await start(world, made, bucket.id) == 1


async def test_deletion_counts_what_waited_and_leaves_nothing(world: World) -> None:
    bucket = await world.bucket(BUCKET)
    await world.put(BUCKET, b"key")
    made = await create(world)
    for _ in range(9):
        await world.put(BUCKET, b"key")
    await world.delivery.write(lambda tx: deliveries.put_position(tx, Position(made.id, bucket.id, 4)))
    await world.delivery.write(lambda tx: deliveries.put_lane(tx, Lane(made.id, bucket.id, b"key", 3, 1, 0)))
    await world.webhooks.test(ROOT, made.id)
    assert await world.webhooks.delete(ROOT, made.id) == (10 - 4) + 1 + 1
    with pytest.raises(NoSuchWebhook):
        await world.webhooks.get(ROOT, made.id)
    with pytest.raises(NoSuchWebhook):
        await world.webhooks.delete(ROOT, made.id)
    assert await world.delivery.read(lambda reader: deliveries.positions(reader, made.id)) == []
    assert (
        await world.delivery.read(lambda reader: deliveries.list_requested(reader, made.id, "pending", NONE, 10)) == []
    )
    assert await world.delivery.read(deliveries.known_webhooks) == []


async def test_a_test_is_a_requested_delivery_due_at_once(world: World) -> None:
    bucket = await world.bucket(BUCKET)
    made, of_lake = await create(world), await create(world, replace(PAGE, place=Place(lake="lake1")))
    first, second = await world.webhooks.test(ROOT, made.id), await world.webhooks.test(ROOT, made.id)
    assert (first.bucket_id, first.sequence, first.generation, second.generation) == (bucket.id, 0, 1, 2)
    assert (await world.webhooks.test(ROOT, of_lake.id)).bucket_id == 0
    await world.delivery.write(lambda tx: nodes.claim(tx, (made.id, of_lake.id), 1))
    now_ms = world.clock.now_ms()
    due = await world.delivery.read(lambda reader: deliveries.due_requested(reader, 1, now_ms, 10))
    assert [row.status for row in due] == ["pending"] * 3
    assert await world.delivery.read(lambda reader: deliveries.due_requested(reader, 2, now_ms, 10)) == []
    assert len(world.wakes) == 5
    with pytest.raises(NoSuchWebhook):
        await world.webhooks.test(ACME, made.id)
