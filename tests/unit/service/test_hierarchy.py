"""Lakes and ponds."""

import pytest
from tests.unit.world import ROOT, World

from elasticlake.errors import (
    AccessDenied,
    AlreadyExists,
    Conflict,
    InvalidInput,
    NoSuchAccount,
    NoSuchBucket,
    NoSuchLake,
    NoSuchPond,
    NotEmpty,
)
from elasticlake.metadata import events
from elasticlake.model.accounts import Token
from elasticlake.service.pages import PageRequest

ACME = Token("t", "", ("acme",), "write", 0)
SEVERAL = Token("t", "", ("acme", "beta"), "write", 0)
ALL = PageRequest()


@pytest.fixture
async def accounts(world: World) -> None:
    for name in ("acme", "beta"):
        await world.accounts.create(ROOT, name, name, "a@b")


async def test_a_lake_and_its_pond(world: World) -> None:
    lake = await world.hierarchy.create_lake(ROOT, "lake1", "production")
    assert (lake.slug, lake.name, lake.account_id, lake.buckets) == ("lake1", "production", "root", 0)
    pond = await world.hierarchy.create_pond(ROOT, "lake1", "pond1")
    assert (pond.lake, pond.slug, pond.name) == ("lake1", "pond1", "pond1")
    await world.bucket("lake1--pond1--x")
    await world.put("lake1--pond1--x", b"key", b"12345")
    assert (await world.hierarchy.get_lake(ROOT, "lake1")).size_bytes == 5
    assert (await world.hierarchy.get_pond(ROOT, "lake1", "pond1")).objects == 1


async def test_a_new_name_is_in_the_next_event(world: World) -> None:
    bucket = await world.bucket("lake1--pond1--x")
    await world.put("lake1--pond1--x", b"a")
    assert (await world.hierarchy.rename_lake(ROOT, "lake1", "production")).name == "production"
    assert (await world.hierarchy.rename_pond(ROOT, "lake1", "pond1", "documents")).name == "documents"
    await world.put("lake1--pond1--x", b"b")
    logged = await world.core.read(lambda reader: events.after(reader, bucket.id, 0, 10))
    assert [(event.lake, event.pond) for event in logged] == [("lake1", "pond1"), ("production", "documents")]


async def test_what_is_used_is_not_deleted(world: World) -> None:
    await world.bucket("lake1--pond1--x")
    with pytest.raises(NotEmpty):
        await world.hierarchy.delete_lake(ROOT, "lake1")
    with pytest.raises(NotEmpty):
        await world.hierarchy.delete_pond(ROOT, "lake1", "pond1")
    await world.hierarchy.create_pond(ROOT, "lake1", "empty")
    await world.hierarchy.delete_pond(ROOT, "lake1", "empty")
    await world.hierarchy.create_lake(ROOT, "lake2")
    await world.hierarchy.delete_lake(ROOT, "lake2")
    with pytest.raises(NoSuchLake):
        await world.hierarchy.get_lake(ROOT, "lake2")
    with pytest.raises(NoSuchPond):
        await world.hierarchy.get_pond(ROOT, "lake1", "empty")


async def test_names_are_taken_once_and_well_formed(world: World) -> None:
    await world.hierarchy.create_lake(ROOT, "lake1")
    await world.hierarchy.create_pond(ROOT, "lake1", "pond1")
    with pytest.raises(AlreadyExists):
        await world.hierarchy.create_lake(ROOT, "lake1")
    with pytest.raises(AlreadyExists):
        await world.hierarchy.create_pond(ROOT, "lake1", "pond1")
    for slug in ("", "A", "a--b", "-a", "a" * 58):
        with pytest.raises(InvalidInput):
            await world.hierarchy.create_lake(ROOT, slug)
    with pytest.raises(InvalidInput):
        await world.hierarchy.rename_lake(ROOT, "lake1", " ")
    with pytest.raises(NoSuchLake):
        await world.hierarchy.create_pond(ROOT, "nowhere", "pond1")


async def test_default_is_there_from_the_start_and_stays(world: World) -> None:
    assert (await world.hierarchy.get_pond(ROOT, "default", "default")).name == "default"
    assert [lake.account_id for lake in (await world.hierarchy.list_lakes(ROOT, ALL)).items] == ["root"]
    with pytest.raises(Conflict):
        await world.hierarchy.delete_lake(ROOT, "default")
    with pytest.raises(Conflict):
        await world.hierarchy.delete_pond(ROOT, "default", "default")
    with pytest.raises(AlreadyExists):
        await world.hierarchy.create_lake(ROOT, "default")


@pytest.mark.usefixtures("accounts")
async def test_a_lake_belongs_to_its_maker(world: World) -> None:
    assert (await world.hierarchy.create_lake(ACME, "lake1")).account_id == "acme"
    assert (await world.hierarchy.create_lake(SEVERAL, "lake2", account_id="beta")).account_id == "beta"
    with pytest.raises(InvalidInput) as caught:
        await world.hierarchy.create_lake(SEVERAL, "lake3")
    assert caught.value.field == "account"
    for token in (ACME, ROOT):
        with pytest.raises(NoSuchAccount):
            await world.hierarchy.create_lake(token, "lake3", account_id="gamma")
    with pytest.raises(NoSuchLake):
        await world.hierarchy.get_lake(ACME, "lake2")
    with pytest.raises(NoSuchLake):
        await world.hierarchy.create_pond(ACME, "lake2", "pond1")
    with pytest.raises(AlreadyExists):
        await world.hierarchy.create_lake(ACME, "lake2")
    assert [lake.slug for lake in (await world.hierarchy.list_lakes(ACME, ALL)).items] == ["default", "lake1"]


@pytest.mark.usefixtures("accounts")
async def test_default_shows_a_limited_token_its_own_sums(world: World) -> None:
    await world.bucket("of-root")
    await world.bucket("of-acme", "acme")
    await world.put("of-root", b"a", b"12345")
    await world.put("of-acme", b"a", b"1")
    assert (await world.hierarchy.get_lake(ROOT, "default")).size_bytes == 6
    lake = await world.hierarchy.get_lake(ACME, "default")
    assert (lake.buckets, lake.objects, lake.size_bytes) == (1, 1, 1)
    assert (await world.hierarchy.list_lakes(ACME, ALL)).items == [lake]
    assert [pond.size_bytes for pond in (await world.hierarchy.list_ponds(ACME, "default", ALL)).items] == [1]
    await world.hierarchy.create_pond(ACME, "default", "pond1")
    with pytest.raises(AccessDenied):
        await world.hierarchy.rename_lake(ACME, "default", "mine")
    with pytest.raises(AccessDenied):
        await world.hierarchy.delete_pond(ACME, "default", "pond1")


@pytest.mark.usefixtures("accounts")
async def test_buckets_by_place_and_reach(world: World) -> None:
    await world.bucket("plain")
    await world.bucket("lake1--pond1--a", "acme")
    await world.bucket("lake1--pond2--b", "acme")

    async def names(token: Token, **place: str) -> list[str]:
        return [bucket.name.name for bucket in (await world.hierarchy.list_buckets(token, ALL, **place)).items]

    assert await names(ROOT) == ["lake1--pond1--a", "lake1--pond2--b", "plain"]
    assert await names(ACME) == ["lake1--pond1--a", "lake1--pond2--b"]
    assert await names(ROOT, lake="default") == ["plain"]
    assert await names(ROOT, pond="lake1--pond2") == ["lake1--pond2--b"]
    assert await names(ROOT, pond="lake1--pond2", lake="default") == []
    assert await names(ACME, lake="default") == []
    with pytest.raises(NoSuchPond):
        await names(ROOT, pond="lake1--pond3")
    with pytest.raises(InvalidInput):
        await names(ROOT, pond="lake1")
    with pytest.raises(NoSuchBucket):
        await world.hierarchy.get_bucket(ACME, "plain")


async def test_pages_of_lakes(world: World) -> None:
    for number in range(5):
        await world.hierarchy.create_lake(ROOT, f"lake{number}")
    seen, request = [], PageRequest(limit=2)
    while True:
        page = await world.hierarchy.list_lakes(ROOT, request)
        seen += [lake.slug for lake in page.items]
        if page.next_cursor is None:
            break
        request = PageRequest(page.next_cursor, 2)
    assert seen == ["default", "lake0", "lake1", "lake2", "lake3", "lake4"]
