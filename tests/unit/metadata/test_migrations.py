from contextlib import closing
from pathlib import Path

import apsw
import pytest

from elasticlake.metadata import migrations
from elasticlake.metadata.migrations import Schema, SchemaTooNew, migrate_sqlite
from elasticlake.metadata.sqlite import connect


def tables(connection: apsw.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return {row[0] for row in rows}


@pytest.mark.parametrize(("schema", "table"), [("core", "objects"), ("delivery", "lanes")])
def test_a_new_database_gets_every_step_and_an_up_to_date_one_none(tmp_path: Path, schema: Schema, table: str) -> None:
    with closing(connect(tmp_path / "new.db", durable=False)) as connection:
        version = migrate_sqlite(connection, schema)
        assert version >= 1
        assert table in tables(connection)
        changes = connection.total_changes()
        assert migrate_sqlite(connection, schema) == version
        assert connection.total_changes() == changes


def test_data_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "newer.db", durable=False)) as connection:
        connection.execute("PRAGMA user_version=1000")
        with pytest.raises(SchemaTooNew, match="1000"):
            migrate_sqlite(connection, "core")
        assert tables(connection) == set()


def test_a_step_that_fails_half_way_leaves_the_version_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = ["CREATE TABLE one (a)", "CREATE TABLE two (a); CREATE TABLE one (a)"]
    monkeypatch.setattr(migrations, "steps", lambda schema, engine: steps)
    with closing(connect(tmp_path / "half.db", durable=False)) as connection:
        with pytest.raises(apsw.SQLError):
            migrate_sqlite(connection, "core")
        assert tables(connection) == {"one"}
        steps[1] = "CREATE TABLE two (a)"
        assert migrate_sqlite(connection, "core") == 2
        assert tables(connection) == {"one", "two"}
