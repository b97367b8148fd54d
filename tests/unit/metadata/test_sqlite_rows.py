"""Tables are read in the order of their keys, from any row on."""

from __future__ import annotations

import apsw
import pytest
from tests.unit.metadata.conftest import insert_bucket

from elasticlake.metadata.moved_tables import CORE
from elasticlake.metadata.sqlite import SqliteTransaction
from elasticlake.metadata.sqlite_rows import count, greatest_id, rows_beyond, shape_of


@pytest.fixture
def parts(connection: apsw.Connection) -> list[tuple[str, int]]:
    """Rows of a table whose key has two columns, inserted in no order."""
    keys = [("b", 2), ("a", 10), ("b", 1), ("a", 9), ("é", 1)]
    for upload_id, number in keys:
        connection.execute("INSERT INTO parts VALUES (?, ?, '', 0, '', 0, 'a' || char(0))", (upload_id, number))
    return sorted(keys)


def test_rows_come_by_key_and_go_on_behind_any(connection: apsw.Connection, parts: list[tuple[str, int]]) -> None:
    shape = shape_of(connection, "parts")
    rows = list(rows_beyond(connection, shape, None))
    assert [shape.key_of(row) for row in rows] == parts
    for place, row in enumerate(rows):
        assert list(rows_beyond(connection, shape, shape.key_of(row))) == rows[place + 1 :]
    assert count(connection, "parts") == len(parts)


@pytest.mark.usefixtures("parts")
def test_what_postgresql_cannot_hold_is_replaced(connection: apsw.Connection) -> None:
    assert {row[-1] for row in rows_beyond(connection, shape_of(connection, "parts"), None)} == {"a\ufffd"}


@pytest.mark.parametrize("table", CORE)
def test_every_table_has_a_key(connection: apsw.Connection, table: str) -> None:
    shape = shape_of(connection, table)
    assert shape.key
    assert list(rows_beyond(connection, shape, None)) == []


def test_ids_that_were_given_out_count_though_their_rows_are_gone(
    connection: apsw.Connection, tx: SqliteTransaction
) -> None:
    assert greatest_id(connection, "buckets", "id") == 0
    first, second = insert_bucket(tx, "one-bucket"), insert_bucket(tx, "two-bucket")
    tx.run("DELETE FROM buckets WHERE id = ?", (second.id,))
    assert (first.id, greatest_id(connection, "buckets", "id")) == (1, 2)
    tx.run("INSERT INTO inline_bodies (id, body) VALUES (7, x'00')", ())
    assert greatest_id(connection, "inline_bodies", "id") == 7
