"""Who listens where."""

from dataclasses import replace

import pytest
from tests.unit.delivery.dispatching import Receiver, listen
from tests.unit.world import KEY, ROOT, World

from elasticlake.config.master_key import MasterKey, MasterKeyError
from elasticlake.delivery.roster import Roster
from elasticlake.metadata import webhooks
from elasticlake.metadata.webhooks import BucketPlace
from elasticlake.service.webhook_definitions import NewWebhook, Place, WebhookChange

NEW = NewWebhook(Place(bucket="bucket"), "https://myapp.com/hook", ("object:created",), secret="the-secret")


async def load(world: World, roster: Roster) -> bool:
    return await world.core.read(roster.refresh)


async def places(world: World) -> dict[str, BucketPlace]:
    """The places by bucket's name."""
    found = {place.id: place for place in await world.core.read(webhooks.all_places)}
    rows = await world.core.read(lambda reader: reader.rows("SELECT id, name FROM buckets"))
    return {name: found[bucket_id] for bucket_id, name in rows}


async def test_it_loads_only_what_changed(world: World) -> None:
    roster = Roster(KEY.decrypt)
    await load(world, roster)
    assert roster.is_empty
    await world.bucket("bucket")
    made, _ = await world.webhooks.create(ROOT, NEW)
    assert await load(world, roster)
    assert not await load(world, roster)
    known = roster.get(made.id)
    assert known is not None
    assert (known.secret, known.endpoint) == ("the-secret", "https://myapp.com/hook")
    await world.webhooks.change(ROOT, made.id, WebhookChange(name="new"))
    assert await load(world, roster)
    changed = roster.get(made.id)
    assert changed is not None
    assert (changed.name, changed.revision) == ("new", 2)
    await world.webhooks.delete(ROOT, made.id)
    assert await load(world, roster)
    assert roster.get(made.id) is None
    assert roster.webhooks == []


async def test_a_disabled_webhook_is_known_but_matches_nothing(world: World) -> None:
    await world.bucket("bucket")
    made, _ = await world.webhooks.create(ROOT, NEW)
    await world.webhooks.change(ROOT, made.id, WebhookChange(status="disabled"))
    roster = Roster(KEY.decrypt)
    await load(world, roster)
    assert [webhook.id for webhook in roster.webhooks] == [made.id]
    assert roster.is_empty
    assert roster.matching((await places(world))["bucket"]) == []


async def test_a_bucket_matches_by_itself_its_pond_and_its_lake(world: World) -> None:
    for name in ("l1--p1--a", "l1--p1--b", "l1--p2--a", "l2--p1--a"):
        await world.bucket(name)
    scopes = {"bucket": Place(bucket="l1--p1--a"), "pond": Place(pond="l1--p1"), "lake": Place(lake="l1")}
    made = {
        kind: (await world.webhooks.create(ROOT, replace(NEW, place=place)))[0].id for kind, place in scopes.items()
    }
    roster = Roster(KEY.decrypt)
    await load(world, roster)
    matched = {
        name: {kind for kind, webhook_id in made.items() if webhook_id in {one.id for one in roster.matching(place)}}
        for name, place in (await places(world)).items()
    }
    assert matched == {
        "l1--p1--a": {"bucket", "pond", "lake"},
        "l1--p1--b": {"pond", "lake"},
        "l1--p2--a": {"lake"},
        "l2--p1--a": set(),
    }


async def test_a_wide_webhook_sees_its_accounts_buckets_alone(world: World) -> None:
    await world.bucket("mine")
    made, _ = await world.webhooks.create(ROOT, replace(NEW, place=Place(lake="default")))
    roster = Roster(KEY.decrypt)
    await load(world, roster)
    place = (await places(world))["mine"]
    assert [webhook.id for webhook in roster.matching(place)] == [made.id]
    assert roster.matching(place._replace(account_id="other")) == []


async def test_a_secret_that_cannot_be_read_is_tried_again_and_leaves_what_is_known(
    world: World, receiver: Receiver
) -> None:
    await world.bucket("bucket")
    made = await listen(world, receiver)
    decrypt = KEY.decrypt
    roster = Roster(lambda ciphertext: decrypt(ciphertext))
    await load(world, roster)
    await listen(world, receiver)
    decrypt = MasterKey(bytes(31) + b"\x01").decrypt
    for _ in range(2):
        with pytest.raises(MasterKeyError):
            await load(world, roster)
    assert [webhook.id for webhook in roster.webhooks] == [made.id]
    decrypt = KEY.decrypt
    assert await load(world, roster)
    assert len(roster.webhooks) == 2
