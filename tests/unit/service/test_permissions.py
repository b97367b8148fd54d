"""A token with a scope: whatever a service shows or does agrees with what the scope allows."""

from __future__ import annotations

import random
from collections.abc import Awaitable
from typing import Any

import pytest
from tests.unit.world import ROOT, World

from elasticlake.api.services import CurrentCall
from elasticlake.errors import AccessDenied, NoSuchBucket, NoSuchWebhook, NotFound
from elasticlake.model.accounts import PERMISSIONS, Permission, Scope, Token
from elasticlake.model.filters import Filter
from elasticlake.model.names import parse_bucket_name
from elasticlake.model.positions import Positions
from elasticlake.model.webhooks import Webhook, WebhookScope
from elasticlake.service.accounts import NewKey
from elasticlake.service.explanations import Explanations, Question
from elasticlake.service.pages import PageRequest
from elasticlake.service.permissions import covers_place
from elasticlake.service.place_tail import Place as StreamPlace
from elasticlake.service.webhook_definitions import NewWebhook, Place, WebhookChange

BUCKETS = {
    "l1--p1--a": "root", "l1--p1--b": "root", "l1--p2--a": "root", "l2--p1--a": "acme", "plain": "root",
    "acmes": "acme",
}  # fmt: skip
LAKES = {"l1": "root", "l2": "acme", "default": "root"}
PONDS = ("l1--p1", "l1--p2", "l2--p1", "default--default")
ALL = PageRequest(limit=1000)


def token_of(scope: Scope | None, accounts: tuple[str, ...] | None = None) -> Token:
    return Token("AK1", "", accounts, "write", 0, "accessKey", scope)


def some(chance: random.Random, values: list[Any]) -> tuple[Any, ...]:
    return tuple(chance.sample(values, chance.choice((0, 0, 0, 1, 2))))


def any_token(chance: random.Random) -> Token:
    scope = Scope(
        some(chance, list(LAKES)),
        some(chance, [*PONDS[:3], "l1--none"]),
        some(chance, [*BUCKETS, "l9--p9--none"]),
        chance.choice(((), (), (), ("in/",))),
        chance.choice(
            (PERMISSIONS, PERMISSIONS, tuple(chance.sample(PERMISSIONS, 3)), ("admin",), ("read",), ("list",))
        ),
    )
    return token_of(scope, chance.choice((None, ("root",), ("acme",))))


def allows(token: Token, permission: Permission, name: str) -> bool:
    assert token.scope is not None
    return token.scope.allows(permission, parse_bucket_name(name))


def lies_within(token: Token, name: str) -> bool:
    """Whether the scope's places hold the bucket, whatever may be done there."""
    assert token.scope is not None
    places = Scope(token.scope.lakes, token.scope.ponds, token.scope.buckets)
    return places.allows("list", parse_bucket_name(name))


def unknown_bucket(place: WebhookScope) -> str:
    """A bucket of the place that no scope names: who may do something there may do it in all of the place."""
    if place.kind == "bucket" or place.name in ("default", "default--default"):
        return place.name if place.kind == "bucket" else "unknown"
    return f"{place.name}--unknown" if place.kind == "pond" else f"{place.name}--unknown--unknown"


async def outcome(asked: Awaitable[Any]) -> Any:
    """What was answered, or the kind of refusal."""
    try:
        return await asked
    except (AccessDenied, NotFound) as error:
        return type(error)


async def furnish(world: World) -> list[Webhook]:
    """Buckets of two accounts with an object each, and a webhook on every place."""
    await world.accounts.create(ROOT, "acme", "Acme", "a@b")
    for name, account_id in BUCKETS.items():
        await world.bucket(name, account_id)
        await world.put(name, b"in/key", b"x" * len(name))
    places = [Place(bucket=name) for name in BUCKETS] + [Place(pond=name) for name in PONDS]
    places += [Place(lake=name) for name in LAKES]
    made = [NewWebhook(place, "https://myapp.com/hook", ("object:created",)) for place in places]
    return [(await world.webhooks.create(ROOT, new))[0] for new in made]


@pytest.fixture(params=range(4))
def chance(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.param)


async def test_buckets_and_events_agree_with_the_scope(world: World, chance: random.Random) -> None:
    await furnish(world)
    for _ in range(40):
        token = any_token(chance)
        assert token.scope is not None
        for name, account_id in BUCKETS.items():
            exists = token.covers(account_id) and lies_within(token, name)
            for permission in PERMISSIONS:
                found = await outcome(world.hierarchy.get_bucket(token, name, permission))
                if not exists:
                    assert found is NoSuchBucket
                else:
                    assert (found is AccessDenied) == (not allows(token, permission, name)), (token, name, permission)
            read = await outcome(world.feed.after(token, name, None))
            is_read = not isinstance(read, type)
            assert is_read == (token.covers(account_id) and allows(token, "read", name))
        listed = await outcome(world.hierarchy.list_buckets(token, ALL))
        if listed is AccessDenied:
            assert not token.scope.allows("list", None)
        else:
            expected = {n for n, account_id in BUCKETS.items() if token.covers(account_id) and allows(token, "list", n)}
            assert {bucket.name.name for bucket in listed.items} == expected


async def test_streams_tell_of_what_may_be_read(world: World, chance: random.Random) -> None:
    await furnish(world)
    lake = await world.hierarchy.get_lake(ROOT, "l1")
    for _ in range(40):
        token = any_token(chance)
        tail = await outcome(world.feed.tail_place(token, StreamPlace("lake", lake.id), Positions.parse("0", "after")))
        assert token.scope is not None
        assert (tail is AccessDenied) == (not token.scope.allows("read", None))
        if tail is AccessDenied:
            continue
        told = set()
        while some_events := await tail.read(100, 0):
            told |= {one.event.bucket for one in some_events}
        tail.close()
        assert told == {
            n for n in BUCKETS if n.startswith("l1--") and token.covers("root") and allows(token, "read", n)
        }


async def test_lakes_and_ponds_are_there_as_far_as_the_scope_reaches(world: World, chance: random.Random) -> None:
    await furnish(world)
    for _ in range(40):
        token = any_token(chance)
        scope = token.scope
        assert scope is not None
        lakes = await outcome(world.hierarchy.list_lakes(token, ALL))
        if lakes is AccessDenied:
            assert not scope.allows("list", None)
            continue
        shown = {lake.slug: lake for lake in lakes.items}
        for slug, owner in LAKES.items():
            within = {n for n in BUCKETS if parse_bucket_name(n).lake == slug and allows(token, "list", n)}
            covers_all = scope.covers_lake(slug)
            reaches = token.covers(owner) or slug == "default"
            is_named = covers_all or bool(within) or any(pond.startswith(f"{slug}--") for pond in scope.ponds)
            assert (slug in shown) == (reaches and is_named), (token, slug)
            if slug not in shown:
                continue
            own = {n for n in within if token.covers(BUCKETS[n])}
            # Whoever owns a lake, or a pond as a whole, sees the sums over all in it, as without a scope.
            whole = {n for n in within if token.covers(owner) and scope.covers_pond(slug, parse_bucket_name(n).pond)}
            counted = own | whole
            sums = shown[slug].buckets, shown[slug].objects, shown[slug].size_bytes
            assert sums == (len(counted), len(counted), sum(map(len, counted))), (token, slug)
            ponds = (await world.hierarchy.list_ponds(token, slug, ALL)).items
            assert sum(pond.buckets for pond in ponds) == len(counted)
            for pond in ponds:
                assert await world.hierarchy.get_pond(token, slug, pond.slug) == pond
                assert scope.touches_pond(slug, pond.slug)
            assert await world.hierarchy.get_lake(token, slug) == shown[slug]


async def test_webhooks_agree_with_the_scope(world: World, chance: random.Random) -> None:
    made = await furnish(world)
    explanations = Explanations(world.core, world.clock)
    for _ in range(25):
        token = any_token(chance)
        assert token.scope is not None
        seen = set()
        for webhook in made:
            name = unknown_bucket(webhook.scope)
            exists = token.covers(webhook.account_id) and lies_within(token, name)
            is_seen = token.covers(webhook.account_id) and allows(token, "admin", name)
            found = await outcome(world.webhooks.get(token, webhook.id))
            assert (not isinstance(found, type)) == is_seen, (token, webhook.scope)
            assert isinstance(found, Webhook) or found is (AccessDenied if exists else NoSuchWebhook)
            seen |= {webhook.id} if is_seen else set()
            for asked in (
                world.deliveries.list(token, webhook.id, None, ALL),
                world.reconciling.page(token, webhook.id, None, "", ALL),
                world.webhooks.change(token, webhook.id, WebhookChange(name="n")),
                world.jobs.list(token, ALL, webhook.id),
            ):
                assert (not isinstance(await outcome(asked), type)) == is_seen
            if webhook.scope.kind == "bucket":
                explained = await outcome(explanations.of_webhook(token, webhook.id, Question()))
                may_read = is_seen and allows(token, "read", name)
                assert (not isinstance(explained, type)) == may_read
        listed = await outcome(world.webhooks.list(token, ALL))
        if listed is AccessDenied:
            assert not token.scope.allows("admin", None)
        else:
            assert {webhook.id for webhook in listed.items} == seen


async def test_making_and_renaming_needs_admin_over_all_of_it(world: World, chance: random.Random) -> None:
    await furnish(world)
    for _ in range(40):
        token = any_token(chance)
        scope = token.scope
        assert scope is not None
        may_make = scope.allows("admin", parse_bucket_name("l3--unknown--unknown"))
        new_lake = await outcome(world.hierarchy.create_lake(token, "l3", account_id=(token.accounts or ("root",))[0]))
        assert (not isinstance(new_lake, type)) == may_make
        if may_make:
            await world.hierarchy.delete_lake(ROOT, "l3")
        renamed = await outcome(world.hierarchy.rename_lake(token, "l1", "L"))
        may_rename = token.covers("root") and allows(token, "admin", "l1--unknown--unknown")
        assert (not isinstance(renamed, type)) == may_rename
        pond = await outcome(world.hierarchy.rename_pond(token, "l1", "p1", "P"))
        assert (not isinstance(pond, type)) == (token.covers("root") and allows(token, "admin", "l1--p1--unknown"))
        for place, name, owner in (
            (Place(bucket="l1--p1--a"), "l1--p1--a", "root"),
            (Place(pond="l1--p1"), "l1--p1--unknown", "root"),
            (Place(lake="l2"), "l2--unknown--unknown", "acme"),
        ):
            new = NewWebhook(place, "https://myapp.com/hook", ("object:created",))
            hook = await outcome(world.webhooks.create(token, new))
            assert (not isinstance(hook, type)) == (token.covers(owner) and allows(token, "admin", name))
            if not isinstance(hook, type):
                await world.webhooks.delete(ROOT, hook[0].id)


async def test_the_account_itself_is_for_whoever_has_all_of_it(world: World, chance: random.Random) -> None:
    await furnish(world)
    for _ in range(60):
        token = any_token(chance)
        scope = token.scope
        assert scope is not None
        is_whole = scope.allows("admin", None) and not scope.is_limited_to_places and not scope.prefixes
        for asked in (world.activities.list(token, ALL), world.accounts.list(token, ALL)):
            assert (not isinstance(await outcome(asked), type)) == is_whole
        keys = await outcome(world.accounts.list_keys(token, "root", ALL))
        assert (not isinstance(keys, type)) == (is_whole and token.covers("root"))
        tokens = await outcome(world.tokens.list(token, ALL))
        assert (not isinstance(tokens, type)) == (is_whole and token.accounts is None)


async def test_nobody_gives_away_what_he_lacks(world: World) -> None:
    manager = token_of(Scope(permissions=("admin", "list")))
    await world.accounts.create_key(manager, "root", NewKey(scope={"permissions": ["list"]}))
    with pytest.raises(AccessDenied, match="lacks the permission read, so"):
        await world.accounts.create_key(manager, "root", NewKey())
    with pytest.raises(AccessDenied):
        await world.tokens.create(manager, access="read")
    await world.tokens.create(token_of(Scope()), access="read")


async def test_links_to_objects_are_for_those_who_may_read(world: World) -> None:
    await world.bucket("plain")
    await world.accounts.create_key(ROOT, "root", NewKey())
    linking = NewWebhook(
        Place(bucket="plain"), "https://myapp.com/hook", ("object:created",), rules={"include_url_seconds": 600}
    )
    manager = token_of(Scope(permissions=("admin",)))
    with pytest.raises(AccessDenied, match="permission read"):
        await world.webhooks.create(manager, linking)
    webhook, _ = await world.webhooks.create(token_of(Scope(permissions=("admin", "read"))), linking)
    change = WebhookChange(rules={"include_url_seconds": 700})
    with pytest.raises(AccessDenied):
        await world.webhooks.change(manager, webhook.id, change)
    await world.webhooks.change(manager, webhook.id, WebhookChange(rules={"filter": Filter(prefix=("a",))}))


async def test_refusals_say_why(world: World) -> None:
    await world.bucket("l1--p1--a")
    for scope, reason in (
        (Scope(permissions=("list",)), "lacks the permission read"),
        (Scope(prefixes=("in/",)), "limited to prefixes"),
    ):
        with pytest.raises(AccessDenied, match=reason):
            await world.feed.after(token_of(scope), "l1--p1--a", None)
    part = token_of(Scope(buckets=("l1--p1--a",)))
    with pytest.raises(AccessDenied, match="a part of lake l1"):
        await world.hierarchy.rename_lake(part, "l1", "L")
    with pytest.raises(AccessDenied, match="limited to some places"):
        await world.activities.list(part, ALL)


async def test_without_a_scope_nothing_is_refused(world: World) -> None:
    made = await furnish(world)
    free = token_of(None)
    assert all(covers_place(free, webhook.scope) for webhook in made)
    assert len((await world.webhooks.list(free, ALL)).items) == len(made)
    assert await world.hierarchy.get_lake(free, "l1") == await world.hierarchy.get_lake(ROOT, "l1")


async def test_on_behalf_of_an_account_the_scope_goes_along(world: World) -> None:
    token = token_of(Scope(buckets=("l1--p1--a",)), ("root",))
    request = CurrentCall(None, token, "REQ").on_behalf_of("root")  # type: ignore[arg-type]
    await world.buckets.create(request, "l1--p1--a")
    with pytest.raises(AccessDenied):
        await world.buckets.create(request, "l1--p1--b")
    (entry, *_) = (await world.activities.list(ROOT, ALL)).items
    assert (entry.actor.kind, entry.actor.id, entry.actor.request_id) == ("accessKey", "AK1", "REQ")
