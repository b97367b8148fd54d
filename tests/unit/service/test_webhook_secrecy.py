"""What is confidential of a webhook: kept sealed, shown masked, changed as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.certificates import Authority
from tests.unit.world import KEY, ROOT, World

from elasticlake.errors import Conflict, InvalidWebhook, NoSuchWebhook
from elasticlake.metadata import webhooks
from elasticlake.model.accounts import Token
from elasticlake.model.rotation import signing_secrets
from elasticlake.model.webhooks import Webhook
from elasticlake.service.pages import PageRequest
from elasticlake.service.sealing import unseal
from elasticlake.service.webhook_definitions import NewWebhook, Place, WebhookChange

BUCKET = "lake1--pond1--x"
PAGE = NewWebhook(Place(bucket=BUCKET), "https://myapp.com/hook", ("object:created",), secret="old-secret")
AUTHORITY = Authority()
CLIENT = AUTHORITY.issue()
SEALED = {
    "headers": {"Authorization": "Bearer hunter2"},
    "client_certificate": CLIENT.certificate,
    "client_key": CLIENT.key,
    "certificate_authority": AUTHORITY.certificate,
}


async def create(world: World, new: NewWebhook = PAGE) -> Webhook:
    await world.bucket(BUCKET)
    return (await world.webhooks.create(ROOT, new))[0]


async def known(world: World, webhook: Webhook) -> Webhook:
    """The webhook as the dispatcher knows it."""
    stored = await world.core.read(lambda reader: webhooks.get(reader, webhook.id))
    assert stored is not None
    return unseal(KEY.decrypt, stored)


async def test_it_is_stored_sealed_and_shown_masked(world: World) -> None:
    made = await create(world, replace(PAGE, sealed=SEALED))
    stored = await world.core.read(lambda reader: webhooks.get(reader, made.id))
    assert stored is not None
    assert stored.sealed is not None
    assert b"hunter2" not in stored.sealed
    real = (await known(world, made)).sealed
    assert (real.headers, real.client_key) == ((("Authorization", "Bearer hunter2"),), CLIENT.key)
    assert made.sealed == replace(real, headers=(("Authorization", "***"),), client_key="***")
    assert await world.webhooks.get(ROOT, made.id) == made
    assert (await world.webhooks.list(ROOT, PageRequest())).items == [made]
    assert "hunter2" not in repr(replace(PAGE, sealed=SEALED))


async def test_a_change_replaces_what_it_names(world: World) -> None:
    made = await create(world, replace(PAGE, sealed=SEALED))
    await world.webhooks.change(ROOT, made.id, WebhookChange(name="x"))
    assert (await known(world, made)).sealed.client_key == CLIENT.key
    await world.webhooks.change(ROOT, made.id, WebhookChange(sealed={"headers": {"X-Key": "k"}}))
    real = (await known(world, made)).sealed
    assert (real.headers, real.client_key) == ((("X-Key", "k"),), CLIENT.key)
    cleared = {"headers": {}, "client_certificate": None, "client_key": None, "certificate_authority": None}
    await world.webhooks.change(ROOT, made.id, WebhookChange(sealed=cleared))
    stored = await world.core.read(lambda reader: webhooks.get(reader, made.id))
    assert stored is not None
    assert stored.sealed is None


async def test_a_bad_part_changes_nothing(world: World) -> None:
    made = await create(world, replace(PAGE, sealed=SEALED))
    for sealed, field in (
        ({"client_key": None}, "clientKey"),
        ({"client_certificate": AUTHORITY.issue().certificate}, "clientKey"),
        ({"headers": {"Host": "x"}}, "headers"),
    ):
        with pytest.raises(InvalidWebhook) as caught:
            await world.webhooks.change(ROOT, made.id, WebhookChange(sealed=sealed))
        assert caught.value.field == field
    assert await world.webhooks.get(ROOT, made.id) == made


async def test_a_rotation(world: World) -> None:
    made = await create(world)
    began_ms = world.clock.now_ms()
    rotating, secret = await world.webhooks.rotate(ROOT, made.id)
    assert secret is not None
    assert secret.startswith("whsec_")
    assert rotating.overlap_ends_at_ms == began_ms + 86_400_000
    assert (rotating.secret, rotating.sealed.next_secret, rotating.revision) == ("", None, 2)
    real = await known(world, made)
    assert signing_secrets(real, began_ms) == ("old-secret", secret)
    # Its time passes: nobody has to write for that, and what is shown says so.
    world.clock.time_ms += 86_400_000
    assert signing_secrets(real, world.clock.now_ms()) == (secret,)
    assert (await world.webhooks.get(ROOT, made.id)).overlap_ends_at_ms is None
    assert (await known(world, made)).overlap_ends_at_ms == began_ms + 86_400_000
    await world.webhooks.change(ROOT, made.id, WebhookChange(name="x"))
    tidied = await known(world, made)
    assert (tidied.secret, tidied.sealed.next_secret, tidied.overlap_ends_at_ms) == (secret, None, None)
    assert len(world.wakes) == 3


async def test_rotation_with_a_secret_of_ones_own_and_promotion(world: World) -> None:
    made = await create(world)
    _, generated = await world.webhooks.rotate(ROOT, made.id, "new-secret", 60)
    assert generated is None
    await world.webhooks.rotate(ROOT, made.id, "newer-secret", 60)
    assert signing_secrets(await known(world, made), world.clock.now_ms()) == ("old-secret", "newer-secret")
    promoted = await world.webhooks.promote(ROOT, made.id)
    assert (promoted.overlap_ends_at_ms, promoted.revision) == (None, 4)
    assert signing_secrets(await known(world, made), world.clock.now_ms()) == ("newer-secret",)
    with pytest.raises(Conflict):
        await world.webhooks.promote(ROOT, made.id)


async def test_a_secret_that_is_set_ends_the_overlap(world: World) -> None:
    made = await create(world)
    await world.webhooks.rotate(ROOT, made.id)
    changed = await world.webhooks.change(ROOT, made.id, WebhookChange(secret="third-secret"))
    assert changed.overlap_ends_at_ms is None
    assert signing_secrets(await known(world, made), world.clock.now_ms()) == ("third-secret",)


async def test_bad_rotations(world: World) -> None:
    made = await create(world)
    for secret, seconds, field in (
        ("", 60, "secret"),
        ("whsec_!", 60, "secret"),
        (None, -1, "overlapSeconds"),
        (None, 2_592_001, "overlapSeconds"),
    ):
        with pytest.raises(InvalidWebhook) as caught:
            await world.webhooks.rotate(ROOT, made.id, secret, seconds)
        assert caught.value.field == field
    stranger = Token("t", "", ("acme",), "write", 0)
    with pytest.raises(NoSuchWebhook):
        await world.webhooks.rotate(stranger, made.id)
    with pytest.raises(NoSuchWebhook):
        await world.webhooks.promote(stranger, made.id)
    assert signing_secrets(await known(world, made), world.clock.now_ms()) == ("old-secret",)


async def test_a_completed_upload_is_told_once_in_s3s_format(world: World) -> None:
    both = ("object:created", "multipart:completed")
    with pytest.raises(InvalidWebhook) as caught:
        await create(world, replace(PAGE, events=both, rules={"format": "s3"}))
    assert caught.value.field == "events"
    made, _ = await world.webhooks.create(ROOT, replace(PAGE, events=both))
    with pytest.raises(InvalidWebhook):
        await world.webhooks.change(ROOT, made.id, WebhookChange(rules={"format": "s3"}))
    change = WebhookChange(events=("multipart:completed",), rules={"format": "s3"})
    assert (await world.webhooks.change(ROOT, made.id, change)).rules.format == "s3"
