"""A copy of a database is one moment of it, whoever writes meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from elasticlake.metadata.sqlite import connect
from elasticlake.metadata.sqlite_copy import STEP_PAGES, CopyFailed, copy_database, open_copy

ROWS = 4 * STEP_PAGES  # each fills more than half a page


def filled(path: Path, rows: int = ROWS) -> apsw.Connection:
    connection = connect(path, durable=False)
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)")
    with connection:
        connection.executemany("INSERT INTO t (body) VALUES (?)", ((bytes(3000),) for _ in range(rows)))
    return connection


def count(path: Path) -> int:
    with closing(open_copy(path)) as connection:
        return len(connection.execute("SELECT id FROM t").fetchall())


def quiet(_done: int, _total: int) -> None:
    pass


def test_commits_meanwhile_neither_get_in_nor_begin_it_anew(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with closing(filled(tmp_path / "source.db")) as writer:

        def write_more(done: int, total: int) -> None:
            told.append((done, total))
            writer.execute("INSERT INTO t (body) VALUES (?)", (bytes(3000),))

        size_bytes = copy_database(tmp_path / "source.db", tmp_path / "copy.db", write_more)
        assert writer.execute("SELECT count(*) FROM t").fetchall() == [(ROWS + len(told),)]
    assert len(told) >= 4
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1][0] == told[-1][1]
    assert count(tmp_path / "copy.db") == ROWS
    assert size_bytes == (tmp_path / "copy.db").stat().st_size


def test_it_has_what_lies_in_the_log_only_and_leaves_one_private_file(tmp_path: Path) -> None:
    with closing(filled(tmp_path / "source.db", 10)):
        assert (tmp_path / "source.db-wal").stat().st_size > 0
        (tmp_path / "out").mkdir()
        copy_database(tmp_path / "source.db", tmp_path / "out/copy.db", quiet)
    assert count(tmp_path / "out/copy.db") == 10
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["copy.db"]
    assert (tmp_path / "out/copy.db").stat().st_mode & 0o777 == 0o600
    with closing(connect(tmp_path / "out/copy.db")) as restored:
        restored.execute("INSERT INTO t (body) VALUES (x'00')")


def break_page(path: Path) -> None:
    """Overwrite a page in the middle of the table."""
    with path.open("r+b") as file:
        file.seek(200 * 4096)
        file.write(b"\xff" * 4096)


def cut_off(path: Path) -> None:
    path.write_bytes(b"no database")


@pytest.mark.parametrize("damage", [break_page, cut_off, Path.unlink])
def test_a_damaged_or_missing_database_is_no_backup(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    filled(tmp_path / "source.db", 400).close()
    damage(tmp_path / "source.db")
    with pytest.raises(CopyFailed, match=r"\.db"):
        copy_database(tmp_path / "source.db", tmp_path / "copy.db", quiet)


def test_it_never_overwrites(tmp_path: Path) -> None:
    filled(tmp_path / "source.db", 1).close()
    (tmp_path / "copy.db").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        copy_database(tmp_path / "source.db", tmp_path / "copy.db", quiet)
    assert (tmp_path / "copy.db").read_bytes() == b"mine"
