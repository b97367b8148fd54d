"""Kept connections: the newest first, apart by key, not for long."""

from __future__ import annotations

import asyncio
from typing import cast

from elasticlake.delivery.connection import Connection
from elasticlake.delivery.pool import Pool


class Kept:
    """What the pool asks of a connection."""

    def __init__(self) -> None:
        self.silent = True

    def is_silent(self) -> bool:
        return self.silent

    def abort(self) -> None:
        self.silent = False


def kept() -> Connection:
    return cast(Connection, Kept())


def close(connection: Connection) -> None:
    cast(Kept, connection).silent = False


async def test_the_one_used_last_is_taken_first():
    pool, first, second = Pool(), kept(), kept()
    pool.keep("a", first)
    pool.keep("a", second)
    assert [pool.take("a"), pool.take("a"), pool.take("a")] == [second, first, None]
    pool.keep("a", second)
    assert pool.take("a") is second
    pool.close()


async def test_nobody_gets_what_was_kept_for_another():
    pool, connection = Pool(), kept()
    pool.keep("a", connection)
    assert pool.take("b") is None
    assert pool.take("a") is connection
    pool.close()


async def test_one_that_has_ended_is_passed_over():
    pool, first, second = Pool(), kept(), kept()
    pool.keep("a", first)
    pool.keep("a", second)
    close(second)
    assert pool.take("a") is first
    assert len(pool) == 0
    pool.close()


async def test_the_idle_are_closed_in_time():
    pool, old, new = Pool(idle_seconds=0.2), kept(), kept()
    pool.keep("a", old)
    await asyncio.sleep(0.12)
    pool.keep("b", new)
    await asyncio.sleep(0.12)
    assert (old.is_silent(), len(pool)) == (False, 1)
    await asyncio.sleep(0.12)
    assert (new.is_silent(), len(pool)) == (False, 0)
    pool.keep("a", kept())
    await asyncio.sleep(0.3)
    assert len(pool) == 0


async def test_closing_closes_all():
    pool, connections = Pool(), [kept() for _ in range(5)]
    for number, connection in enumerate(connections):
        pool.keep(number % 2, connection)
    pool.close()
    assert not any(connection.is_silent() for connection in connections)
    assert len(pool) == 0
