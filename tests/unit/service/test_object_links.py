"""Links to objects: by whose authority, and that the server takes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.unit.world import KEY, ROOT, RootKey, World

from elasticlake.errors import InvalidWebhook
from elasticlake.metadata import events
from elasticlake.model.events import Event
from elasticlake.s3 import sigv4
from elasticlake.s3.presigned import presign
from elasticlake.service.accounts import NewKey
from elasticlake.service.object_links import ObjectLinks
from elasticlake.service.webhook_definitions import NewWebhook, Place, WebhookChange

BUCKET = "lake1--pond1--x"
LINKED = NewWebhook(
    Place(bucket=BUCKET), "https://myapp.com/hook", ("object:created",), rules={"include_url_seconds": 60}
)


def links(world: World, base_url: str = "https://lake.example.com") -> ObjectLinks:
    return ObjectLinks(world.core, KEY, RootKey(), base_url, presign)


async def event(world: World, key: bytes = b"key", account_id: str = "root") -> Event:
    bucket = await world.bucket(BUCKET, account_id)
    await world.put(BUCKET, key)
    found = await world.core.read(lambda reader: events.get(reader, bucket.id, 1))
    assert found is not None
    return found


async def acme(world: World, *scopes: dict[str, Any]) -> None:
    await world.accounts.create(ROOT, "acme", "Acme", "a@b")
    for number, scope in enumerate(scopes):
        await world.accounts.create_key(ROOT, "acme", NewKey(f"ACME{number}", f"acme-secret-{number}", scope))


def verify(url: str, secret: str, now_ms: int) -> str:
    """The key that signed the URL, if the server takes it; raises `SignatureError`."""
    parts = urlsplit(url)
    headers = [(b"host", parts.netloc.encode())]
    credentials = sigv4.parse(parts.query.encode(), headers)
    assert credentials is not None
    key = sigv4.signing_key(secret, credentials.date, credentials.region)
    sigv4.verify(credentials, key, "GET", parts.path.encode(), parts.query.encode(), headers, now_ms)
    return credentials.access_key_id


@pytest.mark.parametrize("key", ["key", "größe ü/a b+c%?&=#.txt", "a//b/../c", "~(x)*'"])
async def test_root_signs_with_its_own_key(world: World, key: str) -> None:
    found = await event(world, key.encode())
    url = await links(world).url(found, "root", 60, world.clock.now_ms())
    assert url is not None
    assert url.startswith(f"https://lake.example.com/{BUCKET}/")
    assert url.isascii()
    assert verify(url, "root-secret", world.clock.now_ms() + 59_000) == "ROOTKEY"
    with pytest.raises(sigv4.SignatureError, match="expired"):
        verify(url, "root-secret", world.clock.now_ms() + 61_000)


@pytest.mark.parametrize(
    ("base", "begins"),
    [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/"),
        ("https://lake.example.com:443/", "https://lake.example.com/"),
        ("http://[::1]:80", "http://[::1]/"),
    ],
)
async def test_the_host_is_signed_as_clients_send_it(world: World, base: str, begins: str) -> None:
    url = await links(world, base).url(await event(world), "root", 60, world.clock.now_ms())
    assert url is not None
    assert url.startswith(begins)
    assert verify(url, "root-secret", world.clock.now_ms()) == "ROOTKEY"


async def test_a_version_is_linked_as_itself(world: World) -> None:
    found = replace(await event(world), version_id="v/1")
    url = await links(world).url(found, "root", 60, world.clock.now_ms())
    assert url is not None
    assert "versionId=v%2F1" in url
    assert verify(url, "root-secret", world.clock.now_ms()) == "ROOTKEY"


async def test_an_account_signs_with_a_key_that_may_read_the_object(world: World) -> None:
    await acme(world, {"permissions": ["write"]}, {"buckets": ["other"]}, {"prefixes": ["logs/"]}, {})
    found = await event(world, account_id="acme")
    now_ms = world.clock.now_ms()
    url = await links(world).url(found, "acme", 60, now_ms)
    assert url is not None
    assert verify(url, "acme-secret-3", now_ms) == "ACME3"
    of_log = await links(world).url(replace(found, key=b"logs/1"), "acme", 60, now_ms)
    assert of_log is not None
    assert verify(of_log, "acme-secret-2", now_ms) == "ACME2"
    # Keys come and go: the next attempt's link is another's, or nobody's.
    await world.accounts.delete_key(ROOT, "acme", "ACME3")
    assert await links(world).url(found, "acme", 60, now_ms) is None


async def test_a_link_that_nobody_could_sign_is_refused(world: World) -> None:
    await acme(world, {"permissions": ["write"]}, {"buckets": ["other"]})
    await event(world, account_id="acme")
    with pytest.raises(InvalidWebhook) as caught:
        await world.webhooks.create(ROOT, LINKED)
    assert caught.value.field == "includeUrl"
    assert "acme" in str(caught.value)
    plain, _ = await world.webhooks.create(ROOT, replace(LINKED, rules={}))
    with pytest.raises(InvalidWebhook, match="access key"):
        await world.webhooks.change(ROOT, plain.id, WebhookChange(rules={"include_url_seconds": 60}))
    await world.accounts.create_key(ROOT, "acme", NewKey("ACME9", scope={"prefixes": ["logs/"]}))
    linked = await world.webhooks.change(ROOT, plain.id, WebhookChange(rules={"include_url_seconds": 60}))
    # What was allowed once does not keep its owner from changing something else.
    await world.accounts.delete_key(ROOT, "acme", "ACME9")
    assert (await world.webhooks.change(ROOT, linked.id, WebhookChange(name="x"))).rules.include_url_seconds == 60


async def test_a_wider_webhook_needs_a_key_that_may_read_somewhere(world: World) -> None:
    await acme(world, {"buckets": ["other"]})
    await event(world, account_id="acme")
    made, _ = await world.webhooks.create(ROOT, replace(LINKED, place=Place(lake="lake1")))
    assert (made.account_id, made.rules.include_url_seconds) == ("acme", 60)


@pytest.mark.parametrize("seconds", [59, 604_801, 0, -1])
async def test_a_links_life_has_bounds(world: World, seconds: int) -> None:
    await event(world)
    with pytest.raises(InvalidWebhook) as caught:
        await world.webhooks.create(ROOT, replace(LINKED, rules={"include_url_seconds": seconds}))
    assert caught.value.field == "includeUrl"
