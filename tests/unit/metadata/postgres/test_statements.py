"""Statements that the server refuses: the guilty fail alone, and links stay usable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import psycopg
import pytest
from tests.unit.metadata.postgres.conftest import Open, fact_names, put_fact

from elasticlake.errors import InvalidInput, NoSuchKey
from elasticlake.metadata.database import Reader, Touching, Transaction
from elasticlake.metadata.postgres.database import PostgresDatabase
from elasticlake.metadata.postgres.link import StatementFailed

OTHERS = Touching()
UNSTORABLE = ["a\x00b", "\ud800", 2**63, -(2**63) - 1, 10**400]


def broken(tx: Reader) -> None:
    tx.rows("SELECT no_such_column FROM facts")


def breaks_later(tx: Transaction) -> None:
    """Its statement travels with the commit."""
    tx.run("INSERT INTO facts (name, value) VALUES (?, ?)", ("no value", None))


def refuses(tx: Transaction) -> None:
    put_fact("refused")(tx)
    fact_names(tx)
    raise NoSuchKey


@pytest.mark.parametrize("guilty", [broken, breaks_later, refuses])
@pytest.mark.parametrize("position", [0, 3, 6])
async def test_in_a_group_only_the_guilty_fail(
    database: PostgresDatabase, guilty: Callable[[Transaction], None], position: int
) -> None:
    mutations: list[Callable[[Transaction], None]] = [put_fact(str(number)) for number in range(6)]
    mutations.insert(position, guilty)
    outcomes = await asyncio.gather(
        *(database.write(mutation, touching=OTHERS) for mutation in mutations), return_exceptions=True
    )
    assert [isinstance(outcome, Exception) for outcome in outcomes] == [number == position for number in range(7)]
    assert await database.read(fact_names) == [str(number) for number in range(6)]


@pytest.mark.parametrize("loose", [False, True])
async def test_of_many_reads_only_the_guilty_fail(database: PostgresDatabase, loose: bool) -> None:
    await database.write(put_fact("a"))
    queries: list[Callable[[Reader], object]] = [broken if number % 3 == 1 else fact_names for number in range(12)]
    for _ in range(2):
        outcomes = await asyncio.gather(
            *(database.read(query, loose=loose) for query in queries), return_exceptions=True
        )
        assert [isinstance(outcome, StatementFailed) for outcome in outcomes] == [
            number % 3 == 1 for number in range(12)
        ]
        assert [outcome for outcome in outcomes if not isinstance(outcome, Exception)] == [["a"]] * 8


def look_for(reader: Reader, value: str | int) -> object:
    if isinstance(value, int):
        return reader.rows("SELECT blob_id FROM blob_intents WHERE created_at_ms = ?", (value,))
    return reader.rows("SELECT value FROM facts WHERE name = ?", (value,))


@pytest.mark.parametrize("value", UNSTORABLE)
async def test_what_cannot_be_stored_is_the_callers_own_fault(database: PostgresDatabase, value: str | int) -> None:
    for loose in (False, True):
        outcomes = await asyncio.gather(
            *(database.read(partial(look_for, value=one), loose=loose) for one in ("a", value, "b")),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [list, InvalidInput, list]

    def store(tx: Transaction) -> None:
        put_fact("before")(tx)
        if isinstance(value, int):
            tx.run("INSERT INTO blob_intents (blob_id, owner, created_at_ms) VALUES ('b', 'o', ?)", (value,))
        else:
            put_fact(value)(tx)

    mutations = (put_fact("a"), store, put_fact("b"))
    outcomes = await asyncio.gather(
        *(database.write(mutation, touching=OTHERS) for mutation in mutations), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), InvalidInput, type(None)]
    assert await database.read(fact_names) == ["a", "b"]


@pytest.mark.parametrize("value", ["a\x00b", "\ud800"])
@pytest.mark.parametrize("position", [0, 1, 2])
async def test_a_change_that_answers_and_cannot_be_sent_fails_alone(
    database: PostgresDatabase, value: str, position: int
) -> None:
    def change(tx: Transaction) -> None:
        put_fact("before")(tx)
        tx.changing("DELETE FROM facts WHERE name = ? RETURNING name", (value,))

    mutations = [put_fact("a"), put_fact("b")]
    mutations.insert(position, change)
    outcomes = await asyncio.gather(
        *(database.write(mutation, touching=OTHERS) for mutation in mutations), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [InvalidInput]
    assert isinstance(outcomes[position], InvalidInput)
    assert await database.read(fact_names) == ["a", "b"]


async def test_a_name_that_cannot_be_looked_up_fails_who_touches_it_alone(database: PostgresDatabase) -> None:
    names = ("first-bucket", "bad\x00bucket", "last-bucket")
    outcomes = await asyncio.gather(
        *(database.write(put_fact(name[:4]), touching=Touching(bucket=name)) for name in names), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), InvalidInput, type(None)]
    assert await database.read(fact_names) == ["firs", "last"]


# Who goes away.


@pytest.mark.parametrize("loose", [False, True])
async def test_a_reader_that_goes_away_leaves_the_links_usable(database: PostgresDatabase, loose: bool) -> None:
    await database.write(put_fact("a"))

    def query(reader: Reader) -> list[str]:
        reader.rows("SELECT pg_sleep(0.02)")
        return fact_names(reader)

    for pause_seconds in (0.0, 0.001, 0.005, 0.015, 0.03):
        reading = [asyncio.create_task(database.read(query, loose=loose)) for _ in range(12)]
        await asyncio.sleep(pause_seconds)
        for task in reading[::2]:
            task.cancel()
        assert await asyncio.wait_for(asyncio.gather(*reading[1::2]), 20) == [["a"]] * 6
        assert await asyncio.wait_for(database.read(fact_names, loose=loose), 20) == ["a"]


@pytest.mark.parametrize("long", [False, True])
async def test_a_writer_that_goes_away_takes_nobody_along(database: PostgresDatabase, long: bool) -> None:
    for number, pause_seconds in enumerate((0.0, 0.001, 0.005, 0.02)):
        names = [f"{number}-{one}" for one in range(8)]
        writing = [asyncio.create_task(database.write(put_fact(name), touching=OTHERS, long=long)) for name in names]
        await asyncio.sleep(pause_seconds)
        for task in writing[::2]:
            task.cancel()
        await asyncio.wait_for(asyncio.gather(*writing[1::2]), 20)
        assert set(names[1::2]) <= set(await database.read(fact_names))


# A schema that changes beneath.


@pytest.mark.parametrize("loose", [False, True])
async def test_a_read_of_a_table_that_changed_its_types_heals(
    database: PostgresDatabase, url: str, loose: bool
) -> None:
    """Prepared statements outlive a migration of another node."""

    def query(reader: Reader) -> list[object]:
        return [
            reader.rows("SELECT value FROM schema_test ORDER BY value"),
            reader.rows("SELECT value FROM schema_test WHERE value = ?", (1,)),
        ]

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE schema_test (value INTEGER)")
        connection.execute("INSERT INTO schema_test VALUES (1)")
        reading = [database.read(query, loose=loose) for _ in range(8)]
        assert await asyncio.gather(*reading) == [[[(1,)], [(1,)]]] * 8
        connection.execute("ALTER TABLE schema_test ALTER COLUMN value TYPE DOUBLE PRECISION")
        found = await asyncio.gather(*(database.read(query, loose=loose) for _ in range(8)))
        assert found == [[[(1.0,)], [(1.0,)]]] * 8
        assert isinstance(found[0][0][0][0], float)  # type: ignore[index]


async def test_a_mutation_of_a_table_that_changed_its_types_heals(open_database: Open, url: str) -> None:
    database = open_database(url)
    sql = "SELECT value FROM schema_test WHERE value >= ?"

    def mutation(tx: Transaction) -> list[object]:
        tx.run("INSERT INTO schema_test VALUES (?)", (2,))
        return [row[0] for row in tx.rows(sql, (1,))]

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE schema_test (value INTEGER)")
        connection.execute("INSERT INTO schema_test VALUES (1)")
        assert await database.write(mutation, touching=OTHERS) == [1, 2]
        connection.execute("ALTER TABLE schema_test ALTER COLUMN value TYPE DOUBLE PRECISION")
        assert await database.write(mutation, touching=OTHERS) == [1.0, 2.0, 2.0]
        assert await database.write(mutation, touching=OTHERS, long=True) == [1.0, 2.0, 2.0, 2.0]


async def test_a_statement_that_the_pooler_forgot_is_prepared_anew(database: PostgresDatabase) -> None:
    """As after DISCARD ALL."""
    await database.write(put_fact("a"))
    assert await database.read(fact_names, loose=True) == ["a"]
    await database.read(lambda reader: reader.rows("DEALLOCATE ALL"), loose=True)
    assert await database.read(fact_names, loose=True) == ["a"]
