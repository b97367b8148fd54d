"""Buckets: made, found, listed, removed."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.service.tracing import traced
from tests.unit.world import ROOT, World

from elasticlake.errors import (
    AccessDenied,
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    InvalidBucketName,
    NoSuchBucket,
)
from elasticlake.metadata import blob_records, uploads
from elasticlake.metadata.database import Transaction
from elasticlake.model.accounts import ANONYMOUS, Caller, Scope
from elasticlake.model.objects import Attributes, Part
from elasticlake.service.context import Request
from elasticlake.service.multipart import Multipart


@pytest_asyncio.fixture(autouse=True)
async def accounts(world: World) -> None:
    for name in ("alice", "bob"):
        await world.accounts.create(ROOT, name, name, f"{name}@example.com")


NAMES = ["aaa", "aab", "aab-1", "aab.1", "l1--p1--aab", "zzz"]


async def test_making_a_bucket_makes_its_lake_and_pond(world: World) -> None:
    bucket = await world.bucket("lake1--pond1--x", "alice")
    assert (bucket.lake_name, bucket.pond_name, bucket.account_id) == ("lake1", "pond1", "alice")
    plain = await world.bucket("plain", "alice")
    assert (plain.lake_name, plain.pond_name) == ("default", "default")


async def test_names_in_use(world: World) -> None:
    await world.bucket("taken", "alice")
    with pytest.raises(BucketAlreadyOwnedByYou):
        await world.bucket("taken", "alice")
    with pytest.raises(BucketAlreadyExists):
        await world.bucket("taken", "bob")
    with pytest.raises(InvalidBucketName):
        await world.bucket("No Name")


async def test_another_account_s_lake(world: World) -> None:
    await world.bucket("lake1--pond1--x", "alice")
    with pytest.raises(AccessDenied):
        await world.bucket("lake1--pond2--y", "bob")
    await world.bucket("lake1--pond2--y", "root")


@pytest.mark.parametrize(
    "caller",
    [ANONYMOUS, Caller("alice", "A", Scope(permissions=("write",))), Caller("alice", "A", Scope(lakes=("l",)))],
)
async def test_who_may_not_make_one(world: World, caller: Caller) -> None:
    with pytest.raises(AccessDenied):
        await world.buckets.create(Request(caller, "R"), "plain")
    assert await world.buckets.list_page(world.request().caller) == []


async def test_a_key_of_prefixes_has_no_say_over_buckets(world: World) -> None:
    await world.bucket("bucket", "alice")
    request = Request(Caller("alice", "A", Scope(prefixes=("in/",))), "R")
    for call in (
        world.buckets.create(request, "another"),
        world.buckets.delete(request, "bucket"),
        world.buckets.set_acl(request, "bucket", "public-read"),
        world.buckets.get(request, "bucket", "admin"),
        world.buckets.get(request, "bucket", "admin", b"out/key"),
    ):
        with pytest.raises(AccessDenied):
            await call
    assert (await world.buckets.get(request, "bucket", "admin", b"in/key")).acl == "private"


async def test_only_an_empty_bucket_goes(world: World) -> None:
    first = await world.bucket("bucket")
    await world.put("bucket", b"key")
    with pytest.raises(BucketNotEmpty):
        await world.buckets.delete(world.request(), "bucket")
    with pytest.raises(AccessDenied):
        await world.buckets.delete(world.request("other"), "bucket")
    await world.remove("bucket", b"key")
    await world.buckets.delete(world.request(), "bucket")
    with pytest.raises(NoSuchBucket):
        await world.buckets.get(world.request(), "bucket", "list")
    again = await world.bucket("bucket")
    assert again.id != first.id
    assert again.sequence == 2, "the name's log goes on where it ended"


@pytest.mark.embedded
async def test_a_bucket_s_many_uploads_go_in_a_few_statements_beside_the_event_loop(world: World) -> None:
    bucket = await world.bucket("bucket")
    multipart = Multipart(world.stores)
    made = [await multipart.create(world.request(), "bucket", b"key", Attributes()) for _ in range(5)]

    def put_parts(tx: Transaction) -> None:
        for upload in made:
            for number in range(1, 11):
                blob_id = f"{upload.id}-{number}" if number > 1 else ""
                uploads.put_part(tx, upload.id, Part(number, "etag", 5, blob_id, 1, None))

    await world.core.write(put_parts)
    with traced(world.folder / "core.db") as statements:
        await world.buckets.delete(world.request(), "bucket")
    changes = [statement for statement in statements if statement.changes_rows]
    assert 0 < len(changes) < 10
    assert not any(statement.on_event_loop for statement in changes)
    due_ms = world.clock.now_ms() + world.stores.blob_grace_ms
    assert len(await world.core.read(lambda reader: blob_records.due_deletions(reader, due_ms, 99))) == 5 * 9
    assert not await world.core.read(lambda reader: uploads.any_in_bucket(reader, bucket.id))


@pytest.mark.embedded
async def test_a_bucket_without_uploads_goes_with_its_group(world: World) -> None:
    await world.bucket("bucket")
    with traced(world.folder / "core.db") as statements:
        await world.buckets.delete(world.request(), "bucket")
    changes = [statement for statement in statements if statement.changes_rows]
    assert [statement.sql.split()[1] for statement in changes] == ["buckets", "INTO"], (
        "the row, and what is noted of it"
    )
    assert all(statement.on_event_loop for statement in changes)


@pytest.mark.embedded
async def test_an_acl_is_not_given_to_a_new_bucket_of_the_name(world: World) -> None:
    await world.bucket("bucket")
    outcomes = await asyncio.gather(
        world.buckets.delete(world.request(), "bucket"),
        world.bucket("bucket", "alice"),
        world.buckets.set_acl(world.request(), "bucket", "public-read"),
        return_exceptions=True,
    )
    assert isinstance(outcomes[2], NoSuchBucket)
    bucket = await world.buckets.get(world.request("alice"), "bucket", "list")
    assert (bucket.account_id, bucket.acl) == ("alice", "private")


@given(
    st.sampled_from(["", "a", "aa", "aab", "aab-", "l1--", "zzz", "zzzz", "\0", "\ue000", "\U0010ffff", "aa\0"]),
    st.integers(1, 4),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_pages(world: World, prefix: str, limit: int) -> None:
    caller = Caller("alice", "A", Scope())
    if not await world.buckets.list_page(caller):
        for name in NAMES:
            await world.bucket(name, "alice")
        await world.bucket("aac", "bob")
    names: list[str] = []
    while page := await world.buckets.list_page(caller, names[-1] if names else "", limit, prefix):
        assert len(page) <= limit
        names += [bucket.name.name for bucket in page]
    assert names == [name for name in NAMES if name.startswith(prefix)]


async def test_a_key_sees_the_buckets_of_its_scope(world: World) -> None:
    for name in NAMES:
        await world.bucket(name, "alice")
    scoped = Caller("alice", "A", Scope(lakes=("l1",)))
    assert [bucket.name.name for bucket in await world.buckets.list_page(scoped)] == ["l1--p1--aab"]
    assert await world.buckets.list_page(scoped, prefix="aab") == []
    assert await world.buckets.list_page(Caller("bob", "B", Scope()), prefix="aab") == []
    with pytest.raises(AccessDenied):
        await world.buckets.list_page(ANONYMOUS)
