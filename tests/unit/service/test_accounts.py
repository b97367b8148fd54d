"""Accounts and their access keys."""

import pytest
from tests.unit.world import ROOT, World

from elasticlake.errors import (
    AccessDenied,
    AlreadyExists,
    Conflict,
    InvalidInput,
    NoSuchAccessKey,
    NoSuchAccount,
    NotEmpty,
)
from elasticlake.metadata import accounts
from elasticlake.model.accounts import Token
from elasticlake.service.accounts import MAX_LISTED, NewKey
from elasticlake.service.pages import PageRequest

ACME_ONLY = Token("t", "", ("acme",), "write", 0)
ALL = PageRequest(limit=100)


async def make(world: World, *names: str) -> None:
    for name in names:
        await world.accounts.create(ROOT, name, name.title(), f"{name}@example.com")


async def test_an_account_lives_and_dies(world: World) -> None:
    made = await world.accounts.create(ROOT, None, "Acme", "a@example.com")
    assert made.id.startswith("acct-")
    changed = await world.accounts.change(ROOT, made.id, email="b@example.com")
    assert (changed.display_name, changed.email) == ("Acme", "b@example.com")
    assert await world.accounts.get(ROOT, made.id) == changed
    await world.accounts.delete(ROOT, made.id)
    with pytest.raises(NoSuchAccount):
        await world.accounts.get(ROOT, made.id)


@pytest.mark.parametrize(
    ("account_id", "name", "email", "field"),
    [
        ("", "n", "a@b", "id"),
        ("a b", "n", "a@b", "id"),
        ("a", "", "a@b", "displayName"),
        ("a", "\x00", "a@b", "displayName"),
        ("a", "n", "nobody", "email"),
        ("a", "n", "a@b\n", "email"),
        ("a", "n", "a@" + "b" * 300, "email"),
    ],
)
async def test_bad_fields_are_named(world: World, account_id: str, name: str, email: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await world.accounts.create(ROOT, account_id, name, email)
    assert caught.value.field == field


async def test_root_is_there_and_stays(world: World) -> None:
    assert (await world.accounts.get(ROOT, "root")).display_name == "root"
    with pytest.raises(AlreadyExists):
        await world.accounts.create(ROOT, "root", "r", "a@b")
    with pytest.raises(Conflict):
        await world.accounts.delete(ROOT, "root")
    with pytest.raises(Conflict):
        await world.accounts.change(ROOT, "root", display_name="x")


async def test_pages_hold_root_in_its_place(world: World) -> None:
    await make(world, "acme", "zebra", "beta")
    seen, cursor = [], None
    while True:
        page = await world.accounts.list(ROOT, PageRequest(cursor, 1))
        seen += [account.id for account in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ["acme", "beta", "root", "zebra"]
    assert [account.id for account in (await world.accounts.list(ACME_ONLY, ALL)).items] == ["acme"]


async def test_a_limited_token_knows_its_accounts_alone(world: World) -> None:
    await make(world, "acme", "beta")
    with pytest.raises(NoSuchAccount):
        await world.accounts.get(ACME_ONLY, "beta")
    with pytest.raises(NoSuchAccount):
        await world.accounts.create_key(ACME_ONLY, "beta", NewKey())
    with pytest.raises(AccessDenied):
        await world.accounts.create(ACME_ONLY, "new", "n", "a@b")
    assert (await world.accounts.create_key(ACME_ONLY, "acme", NewKey())).account_id == "acme"


async def test_an_owner_cannot_be_deleted(world: World) -> None:
    await make(world, "acme")
    await world.bucket("acme--docs--x", "acme")
    with pytest.raises(NotEmpty):
        await world.accounts.delete(ROOT, "acme")


async def test_deletion_ends_keys_and_tokens(world: World) -> None:
    await make(world, "acme", "beta")
    key = await world.accounts.create_key(ROOT, "acme", NewKey())
    _, only = await world.tokens.create(ROOT, account_ids=("acme",), access="write")
    _, both = await world.tokens.create(ROOT, account_ids=("acme", "beta"), access="write")
    await world.accounts.delete(ROOT, "acme")
    await make(world, "acme")
    with pytest.raises(NoSuchAccessKey):
        await world.accounts.find_key(key.id)
    with pytest.raises(AccessDenied):
        await world.tokens.authenticate(only)
    assert (await world.tokens.authenticate(both)).accounts == ("beta",)


async def test_a_key_is_stored_sealed_and_found_open(world: World) -> None:
    await make(world, "acme")
    new = NewKey("MYKEY", "my-own-secret", {"buckets": ["plain-bucket"], "permissions": ["read"]})
    made = await world.accounts.create_key(ROOT, "acme", new)
    found = await world.accounts.find_key("MYKEY")
    assert found == made
    assert found.secret == "my-own-secret"
    assert found.scope.permissions == ("read",)
    assert await world.accounts.find_key("MYKEY") is found
    stored = await world.core.read(lambda reader: accounts.get_key(reader, "MYKEY"))
    assert stored is not None
    assert b"my-own-secret" not in stored.ciphertext


async def test_a_deleted_key_stops_at_once_and_may_come_back(world: World) -> None:
    await make(world, "acme")
    await world.accounts.create_key(ROOT, "acme", NewKey("MYKEY", "first-secret"))
    assert (await world.accounts.find_key("MYKEY")).secret == "first-secret"
    await world.accounts.delete_key(ROOT, "acme", "MYKEY")
    with pytest.raises(NoSuchAccessKey):
        await world.accounts.find_key("MYKEY")
    with pytest.raises(NoSuchAccessKey):
        await world.accounts.delete_key(ROOT, "acme", "MYKEY")
    await world.accounts.create_key(ROOT, "acme", NewKey("MYKEY", "second-secret"))
    assert (await world.accounts.find_key("MYKEY")).secret == "second-secret"


async def test_a_key_id_is_taken_once(world: World) -> None:
    await make(world, "acme")
    await world.accounts.create_key(ROOT, "acme", NewKey("MYKEY"))
    for taken in ("MYKEY", "ROOTKEY"):
        with pytest.raises(AlreadyExists):
            await world.accounts.create_key(ROOT, "root", NewKey(taken))


async def test_roots_key_comes_from_the_configuration(world: World) -> None:
    found = await world.accounts.find_key("ROOTKEY")
    assert (found.account_id, found.secret) == ("root", "root-secret")
    listed = (await world.accounts.list_keys(ROOT, "root", ALL)).items
    assert [(key.id, key.secret) for key in listed] == [("ROOTKEY", "")]
    with pytest.raises(Conflict):
        await world.accounts.delete_key(ROOT, "root", "ROOTKEY")


async def test_lists_of_keys_show_no_secret(world: World) -> None:
    await make(world, "acme")
    for number in range(3):
        await world.accounts.create_key(ROOT, "acme", NewKey(f"KEY{number}"))
    first = await world.accounts.list_keys(ROOT, "acme", PageRequest(limit=2))
    second = await world.accounts.list_keys(ROOT, "acme", PageRequest(first.next_cursor, 2))
    assert [key.id for key in [*first.items, *second.items]] == ["KEY0", "KEY1", "KEY2"]
    assert second.next_cursor is None
    assert {key.secret for key in first.items} == {""}


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewKey("x"), "accessKeyId"),
        (NewKey(None, "short"), "secretAccessKey"),
        (NewKey(scope={"buckets": ["NO"]}), "scope.buckets"),
        (NewKey(scope={"ponds": ["lake1"]}), "scope.ponds"),
        (NewKey(scope={"colour": []}), "scope.colour"),
    ],
)
async def test_a_bad_key_names_its_field(world: World, new: NewKey, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await world.accounts.create_key(ROOT, "root", new)
    assert caught.value.field == field


async def test_a_scope_that_names_very_many_places_is_refused(world: World) -> None:
    many = [f"lake-{number}" for number in range(MAX_LISTED + 1)]
    with pytest.raises(InvalidInput) as refused:
        await world.accounts.create_key(ROOT, "root", NewKey(scope={"lakes": many}))
    assert refused.value.field == "scope.lakes"
    await world.accounts.create_key(ROOT, "root", NewKey(scope={"lakes": many[:-1]}))
