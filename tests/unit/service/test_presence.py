"""A node among nodes: how long its word is good, who is the eldest, and what it learns when it was taken for dead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from tests.unit.faulty_database import Faulty
from tests.unit.world import StillClock, open_database

from elasticlake.metadata import nodes
from elasticlake.metadata.nodes import LEASE_MS, Role
from elasticlake.metadata.sqlite_database import SqliteDatabase
from elasticlake.service import presence as module
from elasticlake.service.presence import LEASE_SECONDS, Presence


@pytest_asyncio.fixture
async def state(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    database = open_database(tmp_path / "delivery.db", "delivery")
    yield database
    await database.close()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


async def joined(state: SqliteDatabase, clock: StillClock, name: str, role: Role = "gateway") -> Presence:
    presence = Presence(state, role, name, clock)
    assert await presence.beat()
    return presence


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(5000):
        if holds():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("not within ten seconds")


async def fall_silent(state: SqliteDatabase, presence: Presence) -> None:
    epoch = presence.epoch
    sql = "UPDATE nodes SET heartbeat_at_ms = heartbeat_at_ms - ? WHERE epoch = ?"
    await state.write(lambda tx: tx.run(sql, (LEASE_MS + 1000, epoch)))


async def test_nothing_is_certain_before_the_first_beat(state: SqliteDatabase, clock: StillClock) -> None:
    presence = Presence(state, "gateway", "a", clock)
    assert (presence.epoch, presence.is_certain, presence.is_eldest, presence.may_reap) == (0, False, False, False)
    assert presence.names == frozenset()


async def test_its_word_is_good_for_less_than_the_lease(state: SqliteDatabase, clock: StillClock) -> None:
    presence = await joined(state, clock, "a")
    assert LEASE_SECONDS * 1000 < LEASE_MS
    clock.time_ms += int(LEASE_SECONDS * 1000) - 1
    assert presence.is_certain
    clock.time_ms += 1
    assert not presence.is_certain
    assert not presence.is_eldest
    assert await presence.beat()
    assert presence.is_certain


async def test_the_eldest_of_a_role_is_one(state: SqliteDatabase, clock: StillClock) -> None:
    other = await joined(state, clock, "d", "dispatcher")
    first, second = await joined(state, clock, "b"), await joined(state, clock, "a")
    assert [presence.is_eldest for presence in (other, first, second)] == [True, True, False]
    assert second.names == {"a", "b", "d"}
    assert [node.name for node in second.living("gateway")] == ["b", "a"]
    await first.leave()
    await second.beat()
    assert [presence.is_eldest for presence in (first, second)] == [False, True]
    assert second.names == {"a", "d"}


async def test_a_successor_of_the_same_name_takes_its_predecessors_place(
    state: SqliteDatabase, clock: StillClock
) -> None:
    before = await joined(state, clock, "a")
    after = await joined(state, clock, "a")
    assert [node.epoch for node in after.nodes] == [after.epoch]
    assert after.epoch > before.epoch


async def test_one_that_was_reaped_joins_anew_and_is_told(state: SqliteDatabase, clock: StillClock) -> None:
    reaped, other = await joined(state, clock, "a"), await joined(state, clock, "b")
    await fall_silent(state, reaped)
    assert await state.write(nodes.reap) == ["a"]
    epoch = reaped.epoch
    assert await reaped.beat() is False
    assert reaped.epoch > other.epoch > epoch
    assert reaped.is_certain
    assert await reaped.beat() is True


async def test_only_who_was_heard_of_all_the_time_may_reap(state: SqliteDatabase, clock: StillClock) -> None:
    presence = await joined(state, clock, "a")
    for _ in range(int(LEASE_SECONDS) + 1):
        assert not presence.may_reap
        clock.time_ms += 1000
        await presence.beat()
    assert presence.may_reap
    clock.time_ms += 10_000
    assert not presence.may_reap
    await presence.beat()
    assert not presence.may_reap


async def test_a_gateway_reaps_the_silent(state: SqliteDatabase, clock: StillClock) -> None:
    silent, presence = await joined(state, clock, "silent", "dispatcher"), await joined(state, clock, "a")
    await fall_silent(state, silent)
    for _ in range(int(LEASE_SECONDS) + 1):
        clock.time_ms += 1000
        await presence.beat()
    running = asyncio.create_task(presence.run())
    for _ in range(1000):
        if len(await state.read(nodes.all_nodes)) == 1:
            break
        await asyncio.sleep(0.01)
    running.cancel()
    assert [node.name for node in await state.read(nodes.all_nodes)] == ["a"]


async def test_it_counts_those_that_it_heard_of_within_the_lease(state: SqliteDatabase, clock: StillClock) -> None:
    presence = Presence(state, "gateway", "a", clock)
    assert presence.heard_of("dispatcher") is None
    await presence.beat()
    assert presence.heard_of("dispatcher") == 0
    first, _ = await joined(state, clock, "d", "dispatcher"), await joined(state, clock, "e", "dispatcher")
    await presence.beat()
    assert presence.heard_of("dispatcher") == 2
    await fall_silent(state, first)
    await presence.beat()
    assert (presence.heard_of("dispatcher"), presence.heard_of("gateway")) == (1, 1)
    clock.time_ms += int(LEASE_SECONDS * 1000)
    assert presence.heard_of("dispatcher") is None


async def test_an_outage_is_told_when_it_begins_and_when_it_ends(
    state: SqliteDatabase, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.001)
    faulty = Faulty(state)
    presence = Presence(faulty, "gateway", "a", clock)
    with capture_logs() as logs:
        running = asyncio.create_task(presence.run())
        await until(lambda: faulty.refusals >= 3)
        faulty.is_away = False
        await until(lambda: len(logs) >= 2)
        running.cancel()
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("no heartbeat", "warning"),
        ("heartbeats again", "info"),
    ]


async def test_who_never_joined_has_nothing_to_leave(state: SqliteDatabase, clock: StillClock) -> None:
    presence, other = Presence(state, "gateway", "a", clock), await joined(state, clock, "b")
    await presence.leave()
    await other.leave()
    await other.leave()
    assert await state.read(nodes.all_nodes) == []
