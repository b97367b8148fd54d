import threading
import time
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from elasticlake.metadata.sqlite import PAGE_SIZE_BYTES, SqliteTransaction, connect


def pragma(connection: apsw.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_connection_is_durable_unless_asked_otherwise(tmp_path: Path) -> None:
    """I1: FULL syncs the log at every commit; NORMAL only at checkpoints."""
    with closing(connect(tmp_path / "a.db")) as durable, closing(connect(tmp_path / "b.db", durable=False)) as other:
        assert pragma(durable, "synchronous") == 2
        assert pragma(other, "synchronous") == 1


def test_a_new_file_has_the_settings_that_cannot_be_changed_later(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "a.db")) as connection:
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "page_size") == PAGE_SIZE_BYTES
        assert pragma(connection, "auto_vacuum") == 2


def test_a_readonly_connection_changes_nothing_and_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(apsw.CantOpenError):
        connect(tmp_path / "missing.db", readonly=True)
    connect(tmp_path / "a.db").close()
    with closing(connect(tmp_path / "a.db", readonly=True)) as connection, pytest.raises(apsw.ReadOnlyError):
        connection.execute("CREATE TABLE t (a)")


def test_double_quotes_are_names_never_strings(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "a.db")) as connection, pytest.raises(apsw.SQLError):
        connection.execute('SELECT "no such column"')


def test_a_connection_waits_while_another_writes(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "a.db")) as first:
        first.execute("CREATE TABLE t (a); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
        waited: list[float] = []

        def write() -> None:
            with closing(connect(tmp_path / "a.db")) as second:
                started = time.monotonic()
                second.execute("INSERT INTO t VALUES (2)")
                waited.append(time.monotonic() - started)

        writing = threading.Thread(target=write)
        writing.start()
        time.sleep(0.1)
        first.execute("COMMIT")
        writing.join()
        assert first.execute("SELECT a FROM t ORDER BY a").fetchall() == [(1,), (2,)]
        assert len(waited) == 1


def test_a_transaction_counts_its_changes_but_not_its_reads(tx: SqliteTransaction) -> None:
    tx.run("INSERT INTO facts (name, value) VALUES (?, ?)", ("a", "1"))
    assert tx.changing("DELETE FROM facts RETURNING name") == [("a",)]
    assert tx.row("SELECT 1 FROM facts") is None
    assert tx.changes == 2
