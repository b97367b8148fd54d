"""Everything of a folder comes to PostgreSQL, however often the move is interrupted; what differs is seen."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.unit.server.migration.filled_folder import (
    CREDENTIALS,
    KNOWN_TABLES,
    ROWS,
    blob_id,
    fill,
    tables_of,
    write_blob,
)

from elasticlake.config.master_key import MasterKey
from elasticlake.config.settings import Settings
from elasticlake.errors import ElasticLakeError
from elasticlake.metadata.attempt_search import Wanted
from elasticlake.metadata.history import HistoryReader
from elasticlake.metadata.moved_tables import CORE, DELIVERY, HISTORY
from elasticlake.metadata.postgres.blocking import connect as connect_postgres
from elasticlake.metadata.postgres.history import PostgresHistoryReader
from elasticlake.metadata.postgres.migrations import SCHEMAS, migrate_postgres
from elasticlake.metadata.postgres.transfer import NotFinished
from elasticlake.metadata.sqlite import SqliteReader, connect
from elasticlake.server.embedded import EmbeddedEngine
from elasticlake.server.folder import DataFolder, DataMoved
from elasticlake.server.migration import rows as rows_module
from elasticlake.server.migration.faults import MoveRefused
from elasticlake.server.migration.move import Move, Moved, move
from elasticlake.server.scaled import ScaledEngine

KEY_TABLES = (*CORE, *DELIVERY)


class Killed(BaseException):
    """Ends a move where it is."""


class Progress:
    """Interrupts the move at its n-th step."""

    def __init__(self, steps: int = -1) -> None:
        self.steps_left = steps
        self.seen: list[tuple[str, int, int]] = []

    def __call__(self, stage: str, done: int, total: int) -> None:
        self.seen.append((stage, done, total))
        if self.steps_left == 0:
            raise Killed
        self.steps_left -= 1


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return fill(tmp_path / "data")


@pytest.fixture
def folder(settings: Settings) -> DataFolder:
    return DataFolder(settings.data)


@pytest.fixture
def database(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    with closing(connect_postgres(postgres_url)) as connection:
        yield connection


def run(settings: Settings, url: str, progress: Progress | None = None, **options: Any) -> Moved:
    # The rows are of every kind and mean nothing, so only the sides are compared.
    return move(Move(settings, url, **{"checks": False, **options}), progress or Progress())


def contents(database: psycopg.Connection[Any], tables: tuple[str, ...] = KEY_TABLES) -> dict[str, set[str]]:
    found = {}
    for table in tables:
        columns = columns_of(database, table)
        rows = database.execute(f"SELECT {', '.join(columns)} FROM {table}".encode()).fetchall()
        found[table] = set(map(repr, rows))
    return found


def columns_of(database: psycopg.Connection[Any], table: str) -> list[str]:
    sql = "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY column_name"
    return [row[0] for row in database.execute(sql, (table,)).fetchall()]


def source_contents(folder: DataFolder, database: psycopg.Connection[Any]) -> dict[str, set[str]]:
    found = {}
    for path, tables in ((folder.metadata, CORE), (folder.delivery, DELIVERY)):
        with closing(connect(path)) as connection:
            for table in tables:
                sql = f"SELECT {', '.join(columns_of(database, table))} FROM {table}"
                found[table] = set(map(repr, SqliteReader(connection).rows(sql)))
    return found


def test_every_table_is_moved_or_left_behind_on_purpose(folder: DataFolder, database: psycopg.Connection[Any]) -> None:
    assert tables_of(folder.metadata) | tables_of(folder.delivery) == KNOWN_TABLES
    migrate_postgres(database)
    sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    assert {row[0] for row in database.execute(sql).fetchall()} == KNOWN_TABLES | {"schema_versions", *HISTORY}


def test_all_rows_come_and_the_folder_serves_no_more(
    settings: Settings, folder: DataFolder, postgres_url: str, database: psycopg.Connection[Any]
) -> None:
    progress = Progress()
    moved = run(settings, postgres_url, progress)
    assert moved.is_whole
    assert moved.blobs == 2 * ROWS
    assert moved.rows == {
        **dict.fromkeys(KEY_TABLES, ROWS),
        "facts": ROWS + 2,
        "attempts": ROWS,
        "attempt_statistics": 1,
    }
    expected = source_contents(folder, database)
    found = contents(database)
    key = MasterKey.parse(folder.master_key.read_text())
    engine = ScaledEngine(postgres_url, folder)
    assert engine.kept_credentials(key) == CREDENTIALS
    assert len(found["facts"] - expected["facts"]) == 1, "the root credentials, and nothing else"
    assert {**found, "facts": found["facts"] & expected["facts"]} == expected
    assert engine.prepare(key) == 0
    with pytest.raises(DataMoved, match="moved to postgresql://elasticlake@127"):
        EmbeddedEngine(folder).prepare(key)
    assert {stage: (done, total) for stage, done, total in progress.seen}["rows"][0] == sum(moved.rows.values())


def test_ids_go_on_where_they_were_even_of_rows_that_are_gone(
    settings: Settings, folder: DataFolder, postgres_url: str, database: psycopg.Connection[Any]
) -> None:
    with closing(connect(folder.metadata)) as core:
        core.execute("INSERT INTO lakes (id, slug, account_id, name, created_at_ms) VALUES (90, 'x', '', '', 0)")
        core.execute("DELETE FROM lakes WHERE id = 90")
        core.execute("INSERT INTO inline_bodies (id, body) VALUES (1000, x'00')")
    announced = (
        "INSERT INTO operational_events ({}event_id, account_id, type, time_ms, document) VALUES ({}'', '', '', 0, '')"
    )
    with closing(connect(folder.delivery)) as state:
        state.execute(announced.format("id, ", "80, "))
        state.execute("DELETE FROM operational_events WHERE id = 80")
    assert run(settings, postgres_url).is_whole
    made = "INSERT INTO lakes (slug, account_id, name, created_at_ms) VALUES ('new', '', '', 0) RETURNING id"
    assert database.execute(made).fetchone() == (91,)
    assert database.execute(f"{announced.format('', '')} RETURNING id".encode()).fetchone() == (81,)
    assert database.execute("SELECT nextval('inline_body_ids')").fetchone() == (1001,)
    assert database.execute("SELECT nextval('attempt_ids')").fetchone() == (ROWS + 1,)


def test_history_comes_along_or_stays(settings: Settings, postgres_url: str, database: psycopg.Connection[Any]) -> None:
    moved = run(settings, postgres_url, history=False).rows
    for table in HISTORY:
        assert table not in moved
        assert database.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)


def test_statistics_are_as_before(settings: Settings, folder: DataFolder, postgres_url: str) -> None:
    run(settings, postgres_url)
    with closing(HistoryReader(folder.history)) as before, closing(PostgresHistoryReader(postgres_url)) as after:
        (step,) = before.statistics(["wh_1"], 0, 2**32, 1)
        assert step.counts.delivered == ROWS
        assert after.statistics(["wh_1"], 0, 2**32, 1) == [step]


def test_attempts_are_found_as_before(settings: Settings, postgres_url: str) -> None:
    assert run(settings, postgres_url).is_whole
    reader = PostgresHistoryReader(postgres_url)
    try:
        assert [one.response_body for one in reader.of_delivery("wh_1", 1, 3, 0)] == [b"caf\xe9"]
        assert [one.sequence for one in reader.search("wh_1", Wanted(), None, 3).hits] == [7, 6, 5]
    finally:
        reader.close()


def test_interrupted_anywhere_it_ends_with_the_same(
    settings: Settings,
    folder: DataFolder,
    postgres_url: str,
    database: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rows_module, "BATCH_ROWS", 3)
    key = MasterKey.parse(folder.master_key.read_text())
    steps, interruptions = 0, 0
    while True:
        progress = Progress(steps)
        try:
            moved = run(settings, postgres_url, progress)
            break
        except Killed:
            interruptions += 1
            with pytest.raises(NotFinished):
                ScaledEngine(postgres_url, folder).prepare(key)
        # The first runs get hardly anywhere; each of the later ones somewhat further.
        steps = min(steps + 1, 12) if not any(stage == "compare" for stage, _, _ in progress.seen) else steps + 5
    assert moved.is_whole
    assert interruptions > 10
    expected, found = source_contents(folder, database), contents(database)
    assert {**found, "facts": found["facts"] & expected["facts"]} == expected
    ScaledEngine(postgres_url, folder).prepare(key)


def test_what_is_done_is_not_done_again(settings: Settings, folder: DataFolder, postgres_url: str) -> None:
    first = run(settings, postgres_url)
    folder.moved.unlink()
    progress = Progress()
    again = run(settings, postgres_url, progress)
    assert (again.rows, again.blobs, again.was_done, progress.seen) == (first.rows, first.blobs, True, [])
    assert folder.moved.exists(), "a run that was killed in its last step may not have said so"


def test_rows_that_differ_are_seen_and_the_target_stays_closed(
    settings: Settings, folder: DataFolder, postgres_url: str, database: psycopg.Connection[Any]
) -> None:
    with pytest.raises(Killed):
        run(settings, postgres_url, Progress(24))
    database.execute("DELETE FROM accounts WHERE created_at_ms = 1")
    database.execute("UPDATE tokens SET name = 'other' WHERE created_at_ms = 1")
    moved = run(settings, postgres_url)
    assert moved.differences == (
        f"accounts: {ROWS} rows in the folder, {ROWS - 1} in the target",
        f"tokens: {ROWS} rows on both sides, but not the same ones",
    )
    assert not folder.moved.exists()
    with pytest.raises(NotFinished):
        ScaledEngine(postgres_url, folder).prepare(MasterKey.parse(folder.master_key.read_text()))


def test_a_blob_that_is_missing_is_named_and_when_it_is_back_the_move_ends(
    settings: Settings, folder: DataFolder, postgres_url: str
) -> None:
    lost, short = blob_id("manifests", 3), blob_id("parts", 5)
    (folder.blobs / lost[:2] / lost).unlink()
    write_blob(folder, short, 1)
    assert sorted(run(settings, postgres_url).differences) == sorted(
        (f"blob {lost}: nothing instead of 3 bytes", f"blob {short}: 1 bytes instead of 5 bytes")
    )
    write_blob(folder, lost, 3)
    write_blob(folder, short, 5)
    assert run(settings, postgres_url).is_whole


def test_what_the_check_finds_keeps_the_target_closed(settings: Settings, postgres_url: str) -> None:
    moved = run(settings, postgres_url, checks=True)
    assert not moved.differences
    assert moved.findings
    assert moved.checked_objects == ROWS


def test_text_that_postgresql_cannot_hold_is_changed_alike_on_both_sides(
    settings: Settings, folder: DataFolder, postgres_url: str, database: psycopg.Connection[Any]
) -> None:
    with closing(connect(folder.metadata)) as core:
        core.execute("UPDATE lakes SET name = 'a' || char(0) || 'b' WHERE id = 2")
    assert run(settings, postgres_url).is_whole
    assert database.execute("SELECT name FROM lakes WHERE id = 2").fetchone() == ("a\ufffdb",)


def test_a_folder_that_changed_since_is_not_mixed_with_what_it_was(
    settings: Settings, folder: DataFolder, postgres_url: str
) -> None:
    with pytest.raises(Killed):
        run(settings, postgres_url, Progress(5))
    with closing(connect(folder.metadata)) as core:
        core.execute("UPDATE buckets SET sequence = sequence + 1 WHERE id = 1")
    with pytest.raises(MoveRefused, match="before it changed"):
        run(settings, postgres_url)


def test_a_target_with_anything_else_in_it_is_refused(
    settings: Settings, folder: DataFolder, postgres_url: str, database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    database.execute("CREATE TABLE customers (id INT)")
    with pytest.raises(MoveRefused, match=r"tables of something else \(customers\)"):
        run(settings, postgres_url)
    database.execute("DROP TABLE customers")
    ScaledEngine(postgres_url, folder).prepare(MasterKey.parse(folder.master_key.read_text()))
    with pytest.raises(MoveRefused, match=r"another ElasticLake \(in facts\)"):
        run(settings, postgres_url)
    database.execute("DELETE FROM facts")
    assert run(settings, postgres_url).is_whole
    with pytest.raises(MoveRefused, match="moved from another folder"):
        run(fill(tmp_path / "other"), postgres_url)


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize(("version", "said"), [(0, "Run: elasticlake migrate"), (1000, "Upgrade it")])
def test_a_target_of_another_version_is_refused(
    settings: Settings, postgres_url: str, database: psycopg.Connection[Any], schema: str, version: int, said: str
) -> None:
    migrate_postgres(database)
    database.execute("UPDATE schema_versions SET version = %s WHERE schema = %s", (version, schema))
    with pytest.raises(ElasticLakeError, match=said):
        run(settings, postgres_url)


def test_a_server_and_another_move_are_kept_out(
    settings: Settings, folder: DataFolder, postgres_url: str, database: psycopg.Connection[Any], monkeypatch: Any
) -> None:
    handle = folder.lock()
    try:
        with pytest.raises(MoveRefused, match=r"is using .*; stop it first"):
            run(settings, postgres_url)
    finally:
        os.close(handle)
    database.execute("SELECT pg_advisory_lock(7238003)")
    monkeypatch.setattr("elasticlake.server.migration.target._PATIENCE_SECONDS", 0)
    with pytest.raises(MoveRefused, match="another elasticlake migrate-data"):
        run(settings, postgres_url)


def test_the_notes_do_not_outlive_the_move(
    settings: Settings, postgres_url: str, database: psycopg.Connection[Any]
) -> None:
    run(settings, postgres_url)
    assert database.execute("SELECT count(*) FROM data_migration_parts").fetchone() == (0,)
    [(summary,)] = database.execute("SELECT summary FROM data_migrations").fetchall()
    assert json.loads(summary)["blobs"] == 2 * ROWS
