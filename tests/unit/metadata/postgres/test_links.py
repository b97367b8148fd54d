"""A bounded number of connections, whoever goes away while he waits for one."""

from __future__ import annotations

import asyncio
import time

import psycopg
import pytest
from tests.proxy import Proxy
from tests.unit.metadata.postgres.conftest import end_sessions

from elasticlake.metadata.postgres import link, links
from elasticlake.metadata.postgres.link import Link, LinkLost
from elasticlake.metadata.postgres.links import Links

SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'elasticlake' AND datname = current_database()"
)


def sessions(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(SESSIONS).fetchone()
    assert row is not None
    return int(row[0])


async def test_they_are_at_most_so_many_and_used_again(url: str) -> None:
    links = Links(url, 2)
    used: list[Link] = []

    async def use() -> None:
        async with links.one() as link:
            used.append(link)
            await asyncio.sleep(0.01)

    await asyncio.gather(*(use() for _ in range(20)))
    assert (len(used), len({id(link) for link in used})) == (20, 2)
    assert sessions(url) == 2
    links.close()


@pytest.mark.parametrize("when", ["while it waits", "when its turn came"])
async def test_who_goes_away_passes_his_turn_on(url: str, when: str) -> None:
    links = Links(url, 1)
    held = await links.take()
    leaving, staying = (asyncio.create_task(links.take()) for _ in range(2))
    await asyncio.sleep(0)
    if when == "when its turn came":
        links.give_back(held)
        leaving.cancel()
    else:
        leaving.cancel()
        await asyncio.sleep(0)
        links.give_back(held)
    assert await asyncio.wait_for(staying, 5) is held
    assert leaving.cancelled()
    links.close()


async def test_a_lost_one_makes_room_for_another(url: str) -> None:
    links = Links(url, 1)
    first = await links.take()
    waiting = asyncio.create_task(links.take())
    await asyncio.sleep(0)
    end_sessions(url)
    first.send("SELECT 1")
    with pytest.raises(LinkLost):
        await first.sync()
    links.give_back(first)
    second = await asyncio.wait_for(waiting, 5)
    assert second is not first
    assert not second.lost
    links.close()


async def test_a_server_that_cannot_be_reached_is_asked_once_for_all_who_wait(
    proxy: Proxy, far_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the machine takes from one to the next: else they would wait one after the other."""
    monkeypatch.setattr(link, "CONNECT_SECONDS", 2)
    monkeypatch.setattr(links, "PAUSE_SECONDS", 0.0)
    proxy.cut()
    began_at = time.monotonic()
    few = Links(far_url, 1)
    outcomes = await asyncio.gather(*(few.take() for _ in range(4)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {LinkLost}
    assert time.monotonic() - began_at < 2 * 2
    few.close()


async def test_after_the_end_there_are_none(url: str) -> None:
    links = Links(url, 1)
    held = await links.take()
    waiting = asyncio.create_task(links.take())
    await asyncio.sleep(0)
    links.close()
    links.give_back(held)
    for late in (waiting, asyncio.create_task(links.take())):
        with pytest.raises(LinkLost):
            await asyncio.wait_for(late, 5)
    await asyncio.sleep(0.1)
    assert sessions(url) == 0
