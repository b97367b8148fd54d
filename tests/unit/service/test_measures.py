"""How much lies at keys and under prefixes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.world import ROOT, World

from elasticlake.errors import AccessDenied, InvalidInput, NoSuchBucket
from elasticlake.model.accounts import Scope, Token
from elasticlake.service import measures
from elasticlake.service.measures import Measure

pytestmark = pytest.mark.both_engines
NAME = "lake1--pond1--bucket"


@pytest.fixture
async def filled(world: World) -> World:
    await world.bucket(NAME)
    for key, data in ((b"a", b"1"), (b"a/1", b"22"), (b"a/2", b"333"), (b"a0", b"4444"), (b"b\xc3\xbf", b"55555")):
        await world.put(NAME, key, data)
    return world


async def test_keys_and_prefixes_are_added_up(filled: World) -> None:
    caller = filled.request().caller
    of = filled.measures.of_selection
    assert await of(caller, NAME, [b"a", b"a0", b"gone"], [b"a/"]) == Measure(4, 10)
    assert await of(caller, NAME, [], [b""]) == Measure(5, 15)
    assert await of(caller, NAME, [], [b"nothing"]) == Measure(0, 0)
    assert await filled.measures.of_prefix(ROOT, NAME, b"a/") == Measure(2, 5)


@pytest.mark.parametrize(
    ("most", "expected"), [(5, Measure(5, 15)), (4, Measure(4, 10, True)), (1, Measure(1, 1, True))]
)
@pytest.mark.parametrize("at_once", [1, 2, 1000])
async def test_counting_has_a_bound(
    filled: World, monkeypatch: pytest.MonkeyPatch, most: int, expected: Measure, at_once: int
) -> None:
    monkeypatch.setattr(measures, "MAX_COUNTED", most)
    monkeypatch.setattr(measures, "_AT_ONCE", at_once)
    assert await filled.measures.of_prefix(ROOT, NAME, b"") == expected


async def test_beyond_the_bound_further_prefixes_still_count_as_more(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measures, "MAX_COUNTED", 2)
    caller = filled.request().caller
    assert await filled.measures.of_selection(caller, NAME, [], [b"a/", b"b"]) == Measure(2, 5, True)


async def test_only_what_the_caller_may_list(filled: World) -> None:
    caller = replace(filled.request().caller, scope=Scope(prefixes=("a/",)))
    assert await filled.measures.of_selection(caller, NAME, [b"a/1"], [b"a/"]) == Measure(3, 7)
    for keys, prefixes in (([b"b"], []), ([], [b""]), ([], [b"a"])):
        with pytest.raises(AccessDenied):
            await filled.measures.of_selection(caller, NAME, keys, prefixes)
    with pytest.raises(InvalidInput):
        await filled.measures.of_selection(filled.request().caller, NAME, [b""], [])
    with pytest.raises(NoSuchBucket):
        await filled.measures.of_prefix(Token("t", "t", ("other",), "read", 0), NAME, b"")


async def test_a_selection_of_very_many_folders_is_refused(filled: World) -> None:
    many = [b"%d/" % number for number in range(measures.MAX_PREFIXES + 1)]
    with pytest.raises(InvalidInput):
        await filled.measures.of_selection(filled.request().caller, NAME, [], many)
    assert await filled.measures.of_selection(filled.request().caller, NAME, [], many[:-1]) == Measure(0, 0)
