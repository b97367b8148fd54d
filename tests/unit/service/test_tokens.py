"""Bearer tokens."""

import pytest
from tests.unit.world import ROOT, ROOT_TOKEN_TEXT, World

from elasticlake.errors import AccessDenied, InvalidInput, NoSuchAccount, NoSuchToken
from elasticlake.service.pages import PageRequest
from elasticlake.service.tokens import require_write


async def test_the_root_token_reaches_everything(world: World) -> None:
    token = await world.tokens.authenticate(ROOT_TOKEN_TEXT)
    assert token.covers("anyone")
    require_write(token)


async def test_a_token_is_known_by_its_text_until_it_is_deleted(world: World) -> None:
    made, text = await world.tokens.create(ROOT, name="ci", access="read")
    assert await world.tokens.authenticate(text) == made
    with pytest.raises(AccessDenied):
        require_write(made)
    await world.tokens.delete(ROOT, made.id)
    with pytest.raises(AccessDenied):
        await world.tokens.authenticate(text)
    with pytest.raises(NoSuchToken):
        await world.tokens.delete(ROOT, made.id)


@pytest.mark.parametrize("text", ["", "root", "root-token ", "caf\xe9", "elt_" + "a" * 32])
async def test_nothing_else_is_a_token(world: World, text: str) -> None:
    with pytest.raises(AccessDenied):
        await world.tokens.authenticate(text)


async def test_the_text_is_not_stored(world: World) -> None:
    _, text = await world.tokens.create(ROOT, access="read")
    rows = await world.core.read(lambda reader: reader.rows("SELECT * FROM tokens"))
    assert text not in repr(rows)


async def test_a_limited_token_makes_no_tokens(world: World) -> None:
    await world.accounts.create(ROOT, "acme", "Acme", "a@b")
    limited, _ = await world.tokens.create(ROOT, account_ids=("acme", "acme"), access="write")
    assert limited.accounts == ("acme",)
    with pytest.raises(AccessDenied):
        await world.tokens.create(limited, access="write")
    with pytest.raises(AccessDenied):
        await world.tokens.list(limited, PageRequest())
    with pytest.raises(AccessDenied):
        await world.tokens.delete(limited, limited.id)


async def test_bad_fields(world: World) -> None:
    with pytest.raises(NoSuchAccount):
        await world.tokens.create(ROOT, account_ids=("nobody",), access="read")
    for arguments, field in (
        ({"account_ids": ()}, "accounts"),
        ({"access": "all"}, "access"),
        ({"name": "\n"}, "name"),
    ):
        with pytest.raises(InvalidInput) as caught:
            await world.tokens.create(ROOT, **{"access": "read", **arguments})  # type: ignore[arg-type]
        assert caught.value.field == field


async def test_pages(world: World) -> None:
    made = sorted([(await world.tokens.create(ROOT, access="read"))[0].id for _ in range(3)])
    first = await world.tokens.list(ROOT, PageRequest(limit=2))
    second = await world.tokens.list(ROOT, PageRequest(first.next_cursor, 2))
    assert [token.id for token in [*first.items, *second.items]] == made
    assert second.next_cursor is None
