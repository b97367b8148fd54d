"""Objects as the service sees them: reads, deletes, copies, and what each tells the log."""

from __future__ import annotations

import pytest
from tests.unit.service.test_intake import Pieces
from tests.unit.service.tracing import traced
from tests.unit.world import World

from elasticlake.errors import AccessDenied, NoSuchBucket, NoSuchKey, PreconditionFailed
from elasticlake.metadata import events
from elasticlake.model.accounts import ANONYMOUS, Caller, Scope
from elasticlake.model.events import Event
from elasticlake.model.objects import Acl, Attributes
from elasticlake.service.conditions import NONE, Conditions
from elasticlake.service.context import Request
from elasticlake.service.objects import CopySource, Found, Objects

BUCKET = "objects"


async def put(world: World, key: bytes, body: bytes = b"body", acl: Acl = "private", **attributes: str) -> None:
    objects = Objects(world.stores)
    bucket = await objects.authorize_put(world.request(), BUCKET, key)
    await objects.put(world.request(), bucket, key, Pieces([body]), Attributes(**attributes), acl=acl)


async def read(world: World, key: bytes, offset: int = 0, size_bytes: int = 2**40) -> bytes:
    objects = Objects(world.stores)
    found = await objects.find(world.request().caller, BUCKET, key)
    wanted = min(size_bytes, found.version.size_bytes - offset)
    return b"".join([piece async for piece in objects.read(found, offset, wanted)])


async def log(world: World) -> list[Event]:
    bucket = await world.buckets.get(world.request(), BUCKET, "list")
    return await world.core.read(lambda reader: list(events.after(reader, bucket.id, 0, 100)))


@pytest.mark.parametrize("size_bytes", [0, 1, 65_536, 65_537, 2_500_000])
async def test_ranges_of_any_size_of_object(world: World, size_bytes: int) -> None:
    await world.bucket(BUCKET)
    body = bytes(range(251)) * (size_bytes // 251 + 1)
    await put(world, b"key", body[:size_bytes])
    assert await read(world, b"key") == body[:size_bytes]
    for offset, length in ((0, 1), (size_bytes // 2, 100_000), (max(size_bytes - 1, 0), 1)):
        assert await read(world, b"key", offset, length) == body[offset : min(offset + length, size_bytes)]


async def test_what_strangers_learn(world: World) -> None:
    objects = Objects(world.stores)
    await world.bucket(BUCKET)
    await put(world, b"private")
    await put(world, b"public", acl="public-read")
    stranger = Caller("stranger", "AKID", Scope())
    for caller in (ANONYMOUS, stranger):
        assert (await objects.find(caller, BUCKET, b"public")).inline == b"body"
        for key in (b"private", b"missing"):
            with pytest.raises(AccessDenied):
                await objects.find(caller, BUCKET, key)
        with pytest.raises(NoSuchBucket):
            await objects.find(caller, "no-such-bucket", b"key")
    await world.buckets.set_acl(world.request(), BUCKET, "public-read")
    with pytest.raises(NoSuchKey):
        await objects.find(stranger, BUCKET, b"missing")
    with pytest.raises(AccessDenied):
        await objects.find(stranger, BUCKET, b"private")


async def test_a_batch_delete_has_an_outcome_for_each_key(world: World) -> None:
    objects = Objects(world.stores)
    await world.bucket(BUCKET)
    for key in (b"in/a", b"in/b", b"out/c"):
        await put(world, key)
    caller = Caller("root", "AKID", Scope(prefixes=("in/",)))
    wanted = [
        (b"in/a", Conditions()),
        (b"in/b", Conditions(if_match=("other",))),
        (b"in/missing", Conditions()),
        (b"out/c", Conditions()),
    ]
    outcomes = await objects.delete_many(Request(caller, "R"), BUCKET, wanted)
    assert [type(outcome) for outcome in outcomes] == [type(None), PreconditionFailed, type(None), AccessDenied]
    deleted = [event for event in await log(world) if event.type == "object:deleted"]
    assert [(event.key, event.reason) for event in deleted] == [(b"in/a", "DeleteObjects")]


@pytest.mark.parametrize("caller", [Caller("stranger", "AKID", Scope()), Caller("root", "A", Scope(prefixes=("in/",)))])
async def test_a_caller_who_may_delete_none_of_the_keys_writes_nothing(world: World, caller: Caller) -> None:
    await world.bucket(BUCKET)
    wanted = [(f"out/{number}".encode(), Conditions()) for number in range(20)]
    with traced(world.folder / "core.db") as statements:
        outcomes = await Objects(world.stores).delete_many(Request(caller, "R"), BUCKET, wanted)
    assert [type(outcome) for outcome in outcomes] == [AccessDenied] * 20
    assert not any(statement.sql.startswith("BEGIN IMMEDIATE") for statement in statements)


async def test_nobody_in_particular_is_refused_deletes_altogether(world: World) -> None:
    await world.buckets.create(world.request(), BUCKET, acl="public-read")
    with traced(world.folder / "core.db") as statements, pytest.raises(AccessDenied):
        await Objects(world.stores).delete_many(Request(ANONYMOUS, "R"), BUCKET, [(b"key", Conditions())])
    assert not any(statement.sql.startswith("BEGIN IMMEDIATE") for statement in statements)


async def test_a_copy_keeps_or_replaces_what_is_said(world: World) -> None:
    objects, request = Objects(world.stores), world.request()
    bucket = await world.bucket(BUCKET)
    await put(world, b"source", content_type="text/plain")
    source = CopySource(BUCKET, b"source")
    kept = await objects.copy(request, source, bucket, b"kept", attributes=None)
    changed = await objects.copy(request, source, bucket, b"changed", attributes=Attributes("image/png"))
    assert (kept.attributes.content_type, changed.attributes.content_type) == ("text/plain", "image/png")
    assert await read(world, b"kept") == await read(world, b"changed") == b"body"
    refused = CopySource(BUCKET, b"source", Conditions(if_match=("other",)))
    with pytest.raises(PreconditionFailed):
        await objects.copy(request, refused, bucket, b"refused", attributes=None)
    with pytest.raises(NoSuchKey):
        await objects.copy(request, CopySource(BUCKET, b"missing"), bucket, b"refused", attributes=None)


async def test_a_copy_has_a_storage_class_of_its_own(world: World) -> None:
    objects, request = Objects(world.stores), world.request()
    bucket = await world.bucket(BUCKET)
    headers = {"x-amz-storage-class": "GLACIER", "x-amz-website-redirect-location": "/x", "cache-control": "no-store"}
    await objects.put(request, bucket, b"source", Pieces([b"body"]), Attributes(headers=headers))
    source = CopySource(BUCKET, b"source")
    plain = await objects.copy(request, source, bucket, b"plain", attributes=None)
    assert plain.attributes.headers == {"cache-control": "no-store"}
    own = {"x-amz-storage-class": "STANDARD_IA"}
    classed = await objects.copy(request, source, bucket, b"classed", attributes=None, own_headers=own)
    assert classed.attributes.headers == {"cache-control": "no-store", **own}


async def test_a_copy_onto_itself_moves_no_bytes_and_is_an_update(world: World) -> None:
    objects, request = Objects(world.stores), world.request()
    bucket = await world.bucket(BUCKET)
    await put(world, b"key", bytes(100_000))
    before = [blob_id async for blob_id in world.stores.blobs.ids()]
    await objects.copy(request, CopySource(BUCKET, b"key"), bucket, b"key", attributes=Attributes("text/html"))
    assert [blob_id async for blob_id in world.stores.blobs.ids()] == before
    last = (await log(world))[-1]
    assert (last.type, last.reason, last.content_type) == ("object:updated", "CopyObject", "text/html")
    assert last.previous is not None


class Slow(Objects):
    """Another writer comes between finding a copy's source and copying it."""

    def __init__(self, world: World, acl: Acl = "private") -> None:
        super().__init__(world.stores)
        self._world, self._acl = world, acl

    async def find(self, caller: Caller, bucket_name: str, key: bytes, conditions: Conditions = NONE) -> Found:
        found = await super().find(caller, bucket_name, key, conditions)
        await put(self._world, key, b"another", acl=self._acl, content_type="text/css")
        return found


async def test_a_copy_onto_itself_is_of_the_object_that_its_conditions_named(world: World) -> None:
    bucket = await world.bucket(BUCKET)
    await put(world, b"key", acl="public-read", content_type="text/csv")
    found = await Objects(world.stores).find(ANONYMOUS, BUCKET, b"key")
    source = CopySource(BUCKET, b"key", Conditions(if_match=(found.version.etag,)))
    with pytest.raises(PreconditionFailed):
        await Slow(world).copy(world.request(), source, bucket, b"key", attributes=Attributes("text/html"))
    assert (await log(world))[-1].reason == "PutObject"


async def test_a_copy_onto_itself_keeps_what_is_said_of_the_object_that_is_there(world: World) -> None:
    bucket = await world.bucket(BUCKET)
    await put(world, b"key", content_type="text/csv")
    source = CopySource(BUCKET, b"key")
    copied = await Slow(world).copy(world.request(), source, bucket, b"key", attributes=None)
    assert (copied.attributes.content_type, await read(world, b"key")) == ("text/css", b"another")


async def test_a_copy_onto_itself_opens_nothing_that_its_caller_may_not_read(world: World) -> None:
    bucket = await world.bucket(BUCKET)
    await put(world, b"key", acl="public-read")
    writer = Request(Caller("root", "AKID", Scope(permissions=("write",))), "R")
    source = CopySource(BUCKET, b"key")
    with pytest.raises(AccessDenied):
        await Slow(world).copy(writer, source, bucket, b"key", attributes=Attributes(), acl="public-read")


async def test_events_of_an_object_s_life(world: World) -> None:
    objects, request = Objects(world.stores), world.request()
    await world.bucket(BUCKET)
    await put(world, b"key")
    await put(world, b"key", b"new")
    await objects.set_acl(request, BUCKET, b"key", "public-read")
    await objects.delete(request, BUCKET, b"key")
    assert await objects.delete(request, BUCKET, b"key") is None
    assert [(event.sequence, event.type, event.reason) for event in await log(world)] == [
        (1, "object:created", "PutObject"),
        (2, "object:updated", "PutObject"),
        (3, "object:updated", "PutObjectAcl"),
        (4, "object:deleted", "DeleteObject"),
    ]
