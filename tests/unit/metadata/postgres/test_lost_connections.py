"""Connections that break: whoever waits learns it or is served after all, nothing is half done, and it heals."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

import pytest
from tests.postgres import Postgres
from tests.proxy import Proxy
from tests.unit.metadata.postgres.conftest import Open, end_sessions, fact_names, put_fact

from elasticlake.errors import OutcomeUnknown, Unavailable
from elasticlake.metadata.database import Reader, Touching, Transaction
from elasticlake.metadata.postgres import links
from elasticlake.metadata.postgres.database import PostgresDatabase

HEAL_SECONDS = 30.0
LINKS = 5 + 4 + 2
"""For reads, for groups of writes, and for long ones."""
OTHERS = Touching()


async def warmed(database: PostgresDatabase) -> PostgresDatabase:
    """Every link is open."""
    others = await database.read(_sessions) - 1
    while await database.read(_sessions) - others < LINKS:
        using = [asyncio.ensure_future(database.read(_wait_a_little, loose=True))]
        for _ in range(4):
            using.append(asyncio.ensure_future(database.read(_wait_a_little)))
            for long in (False, True):
                using.append(asyncio.ensure_future(database.write(_wait_a_little, touching=OTHERS, long=long)))
            await asyncio.sleep(0.01)
        await asyncio.gather(*using)
    return database


def _sessions(reader: Reader) -> int:
    sql = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'elasticlake'
    """
    return int(reader.rows(sql)[0][0])


def _wait_a_little(reader: Reader) -> None:
    reader.rows("SELECT pg_sleep(0.1)")


async def healed(database: PostgresDatabase) -> None:
    """Reads and writes succeed again."""
    give_up_at = time.monotonic() + HEAL_SECONDS
    while True:
        try:
            await database.read(fact_names)
            await database.read(fact_names, loose=True)
            await database.write(lambda tx: fact_names(tx), touching=OTHERS)
            return
        except Unavailable:
            assert time.monotonic() < give_up_at
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("loose", [False, True])
async def test_idle_sessions_that_ended_are_replaced_unnoticed(
    database: PostgresDatabase, url: str, loose: bool, caplog: pytest.LogCaptureFixture
) -> None:
    await warmed(database)
    assert end_sessions(url) == LINKS
    await asyncio.sleep(0.1)
    assert await database.read(fact_names, loose=loose) == []
    await database.write(put_fact("a"), touching=OTHERS)
    assert await database.read(fact_names, loose=loose) == ["a"]
    assert [record for record in caplog.records if record.name == "asyncio"] == []


@pytest.mark.parametrize("loose", [False, True])
async def test_a_read_whose_session_ends_is_made_again(
    database: PostgresDatabase, url: str, loose: bool, caplog: pytest.LogCaptureFixture
) -> None:
    tries = 0

    def query(reader: Reader) -> list[str]:
        nonlocal tries
        tries += 1
        if tries == 1:
            reader.rows("SELECT 1")
            assert end_sessions(url) >= 1
        return fact_names(reader)

    assert await database.read(query, loose=loose) == []
    assert tries == 2
    assert [record for record in caplog.records if record.name == "asyncio"] == []


async def test_a_mutation_whose_session_ends_before_its_commit_is_made_again(
    database: PostgresDatabase, url: str
) -> None:
    tries = 0

    def mutation(tx: Transaction) -> list[str]:
        nonlocal tries
        tries += 1
        put_fact("a")(tx)
        if tries == 1:
            end_sessions(url)
        return fact_names(tx)

    assert await database.write(mutation, touching=OTHERS) == ["a"]
    assert tries == 2
    assert await database.read(fact_names) == ["a"]


@pytest.mark.parametrize("long", [False, True])
async def test_a_connection_lost_at_its_commit_leaves_all_or_nothing(
    open_database: Open, url: str, far_url: str, proxy: Proxy, long: bool
) -> None:
    """Nobody can know which: the waiters hear that, and the group is not made again."""
    database = open_database(far_url)
    await warmed(database)
    tries = 0

    def mutation(tx: Transaction, names: tuple[str, str]) -> None:
        nonlocal tries
        tries += 1
        for name in names:
            put_fact(name)(tx)
        tx.before_commit("reset", lambda tx: loop.call_soon_threadsafe(proxy.reset_all))

    loop = asyncio.get_running_loop()
    pairs = [(f"{number}-a", f"{number}-b") for number in range(4)]
    outcomes = await asyncio.gather(
        *(database.write(partial(mutation, names=pair), touching=OTHERS, long=long) for pair in pairs),
        return_exceptions=True,
    )
    assert all(outcome is None or isinstance(outcome, Unavailable) for outcome in outcomes)
    await healed(database)
    stored = await open_database(url).read(fact_names)
    assert all((pair[0] in stored) == (pair[1] in stored) for pair in pairs)
    for pair, outcome in zip(pairs, outcomes, strict=True):
        assert pair[0] in stored or outcome is not None


async def test_a_commit_without_an_answer_is_told_from_one_that_was_never_sent(
    open_database: Open, url: str, far_url: str, proxy: Proxy
) -> None:
    database = await warmed(open_database(far_url))
    loop = asyncio.get_running_loop()

    def cut(tx: Transaction) -> None:
        proxy.cut()
        loop.call_later(0.2, proxy.reset_all)

    def cut_at_its_commit(tx: Transaction, name: str) -> None:
        put_fact(name)(tx)
        tx.before_commit("cut", cut)

    def end_always(tx: Transaction) -> None:
        end_sessions(url)
        fact_names(tx)

    at_commit = [database.write(partial(cut_at_its_commit, name=name), touching=OTHERS) for name in "ab"]
    outcomes = await asyncio.gather(*at_commit, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown, OutcomeUnknown]
    proxy.heal()
    await healed(database)
    with pytest.raises(Unavailable) as before:
        await database.write(end_always, touching=OTHERS)
    assert type(before.value) is Unavailable


async def test_whatever_was_acknowledged_through_breaking_connections_is_there_once(
    open_database: Open, url: str, far_url: str, proxy: Proxy
) -> None:
    database = await warmed(open_database(far_url))
    acknowledged: set[str] = set()

    async def write_on(writer: int) -> None:
        for number in range(60):
            name = f"{writer}-{number}"
            try:
                await database.write(put_fact(name), touching=OTHERS)
            except Unavailable:
                await asyncio.sleep(0.01)
            else:
                acknowledged.add(name)

    writing = asyncio.gather(*(write_on(writer) for writer in range(8)))
    for _ in range(8):
        await asyncio.sleep(0.05)
        await asyncio.to_thread(proxy.reset_all)
    await writing
    await healed(database)
    assert acknowledged
    assert acknowledged <= set(await open_database(url).read(fact_names))


@pytest.mark.parametrize("how", [Postgres.restart, lambda server: server.restart("immediate"), Postgres.kill9])
async def test_a_server_that_leaves_and_comes_back(
    database: PostgresDatabase, postgres: Postgres, how: Callable[[Postgres], object]
) -> None:
    await warmed(database)
    acknowledged: list[str] = []
    faults: list[Exception] = []
    stop = False

    async def use(number: int) -> None:
        count = 0
        while not stop:
            name = f"{number}-{count}"
            count += 1
            try:
                await database.write(put_fact(name), touching=OTHERS)
                acknowledged.append(name)
                assert name in await database.read(fact_names, loose=bool(number % 2))
            except Unavailable:
                await asyncio.sleep(0.02)
            except Exception as error:
                faults.append(error)

    using = [asyncio.create_task(use(number)) for number in range(6)]
    await asyncio.sleep(0.2)
    before = len(acknowledged)
    await asyncio.to_thread(how, postgres)
    if not postgres.is_running:
        await asyncio.to_thread(postgres.start)
    await healed(database)
    await asyncio.sleep(0.2)
    stop = True
    await asyncio.gather(*using)
    assert faults == []
    assert 0 < before < len(acknowledged)
    assert set(acknowledged) <= set(await database.read(fact_names))


async def test_without_a_server_everybody_hears_so_soon(database: PostgresDatabase, postgres: Postgres) -> None:
    await warmed(database)
    await asyncio.to_thread(postgres.stop, "immediate")
    began_at = time.monotonic()
    outcomes = await asyncio.gather(
        *(database.read(fact_names, loose=bool(number % 2)) for number in range(200)),
        *(database.write(put_fact(str(number)), touching=OTHERS) for number in range(200)),
        *(database.write(put_fact(f"long {number}"), touching=OTHERS, long=True) for number in range(20)),
        return_exceptions=True,
    )
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert time.monotonic() - began_at < links.SILENT_SECONDS
    await asyncio.to_thread(postgres.start)
    await healed(database)
    assert await database.read(fact_names) == []


async def test_a_cut_network_ends_requests_and_lets_go_of_their_locks(
    open_database: Open, url: str, far_url: str, proxy: Proxy
) -> None:
    far, near = await warmed(open_database(far_url)), await warmed(open_database(url))
    await near.write(put_fact("contended"))
    holding = asyncio.Event()

    def hold_and_lose(tx: Transaction) -> None:
        tx.rows("SELECT name FROM facts WHERE name = ? FOR UPDATE", ("contended",))
        proxy.cut()
        holding.set()
        fact_names(tx)

    cut_at = time.monotonic()
    ended: list[float] = []

    async def timed(work) -> object:  # type: ignore[no-untyped-def]
        try:
            return await work
        except Exception as error:
            return error
        finally:
            ended.append(time.monotonic() - cut_at)

    holder = asyncio.create_task(timed(far.write(hold_and_lose, touching=OTHERS)))
    await holding.wait()
    others = [
        asyncio.create_task(timed(work))
        for number in range(20)
        for work in (
            far.read(fact_names),
            far.read(fact_names, loose=True),
            far.write(put_fact(f"lost {number}"), touching=OTHERS),
            far.write(put_fact(f"lost, long {number}"), touching=OTHERS, long=True),
        )
    ]
    update = "UPDATE facts SET value = ? WHERE name = ?"
    await near.write(lambda tx: tx.run(update, ("taken over", "contended")), touching=OTHERS)
    taken_over_after = time.monotonic() - cut_at
    outcomes = await asyncio.gather(holder, *others)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    # The limits are 5 and 8 seconds; a busy machine adds to them.
    assert taken_over_after < 8
    assert max(ended) < 10, "everybody at once: nobody opens a connection, for 3 seconds more, after the loss is known"
    assert await near.read(fact_names) == ["contended"]
    proxy.heal()
    await healed(far)
    assert await near.read(fact_names) == ["contended"]


async def test_a_long_statement_may_take_its_time(
    open_database: Open, far_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One over millions of rows is silent for long, and not lost."""
    monkeypatch.setattr(links, "ASK_SECONDS", 0.2)
    database = await warmed(open_database(far_url))

    def slowly(tx: Transaction) -> None:
        tx.rows("SELECT 1 FROM pg_sleep(2.5)")
        put_fact("slow")(tx)

    await database.write(slowly, touching=OTHERS, long=True)
    assert await database.read(fact_names) == ["slow"]
