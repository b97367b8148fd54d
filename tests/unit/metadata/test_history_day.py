"""A day's file, whoever made it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import apsw
from tests.unit.world import START_MS, attempt

from elasticlake.metadata.attempt_statistics import SLOT_MS
from elasticlake.metadata.history import COLUMNS, HistoryReader, HistoryWriter
from elasticlake.metadata.history_day import DAY_MS, day_name, day_number, open_day
from elasticlake.metadata.sqlite import connect
from elasticlake.model.timings import Timings

DAY = START_MS // DAY_MS
SLOT = START_MS // SLOT_MS
OLD_SCHEMA = """
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY, webhook_id TEXT NOT NULL, bucket_id INTEGER NOT NULL, sequence INTEGER NOT NULL,
    generation INTEGER NOT NULL, attempt INTEGER NOT NULL, event_id TEXT NOT NULL, event TEXT NOT NULL,
    key BLOB NOT NULL, started_at_ms INTEGER NOT NULL, duration_ms REAL NOT NULL, status_code INTEGER,
    error_class TEXT, error TEXT, request_headers TEXT NOT NULL, request_body BLOB NOT NULL,
    response_headers TEXT NOT NULL, response_body BLOB NOT NULL, status TEXT NOT NULL, next_attempt_at_ms INTEGER
);
INSERT INTO attempts VALUES (
    1, 'wh_1', 1, 7, 0, 1, 'evt_7', 'object:created', x'6b', %d, 2.5, 200, NULL, NULL, '[]', x'', '[]', x'',
    'delivered', NULL
);
"""


def old_file(folder: Path) -> Path:
    """A day's file as the versions made it that knew no statistics."""
    path = folder / f"{day_name(DAY)}.db"
    with closing(connect(path, durable=False)) as connection:
        connection.execute(OLD_SCHEMA % START_MS)
    return path


def test_an_old_file_is_read_and_written_on(tmp_path: Path) -> None:
    old_file(tmp_path)
    new = attempt("wh_1", 1, 8)
    new.timings, new.address = Timings(1.0, 2.0, None, 4.0), "192.0.2.1"
    with closing(HistoryReader(tmp_path)) as reader, closing(HistoryWriter(tmp_path)) as writer:
        (before,) = reader.of_delivery("wh_1", 1, 7, 0)
        assert (before.event_id, before.address, before.timings) == ("evt_7", None, None)
        assert reader.statistics(["wh_1"], SLOT, SLOT + 1, 1) == []
        writer.append([new])
        assert reader.of_delivery("wh_1", 1, 8, 0) == [new]
        (step,) = reader.statistics(["wh_1"], SLOT, SLOT + 1, 1)
        assert step.counts.delivered == 1


def test_a_file_is_completed_once_whoever_opens_it(tmp_path: Path) -> None:
    path = old_file(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        for connection in threads.map(open_day, [path] * 16):
            assert len(connection.execute(f"SELECT {COLUMNS} FROM attempts").fetchall()) == 1
            connection.close()


def test_a_version_that_knows_less_goes_on_writing(tmp_path: Path) -> None:
    """After a step back to an older version."""
    path = tmp_path / f"{day_name(DAY)}.db"
    open_day(path).close()
    columns = COLUMNS.partition("address")[0].strip().rstrip(",")
    with closing(connect(path, durable=False)) as connection:
        values = (
            "'wh_1', 1, 7, 0, 1, 'e', 'object:created', x'', 0, 1.0, 200, NULL, NULL, '[]', x'', '[]', x'', 'dead', 1"
        )
        connection.execute(f"INSERT INTO attempts ({columns}) VALUES ({values})")
    with closing(HistoryReader(tmp_path)) as reader:
        assert [one.timings for one in reader.of_delivery("wh_1", 1, 7, 0)] == [None]


def test_a_completion_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    with closing(connect(path, durable=False)) as connection:
        connection.execute("CREATE TABLE attempt_statistics (x)")
        connection.execute("CREATE TABLE attempts (address)")
    try:
        open_day(path).close()
    except apsw.SQLError:
        pass
    else:
        raise AssertionError("a table that is none of ours was taken for one")
    with closing(connect(path, durable=False)) as connection:
        assert connection.execute("PRAGMA user_version").fetchall() == [(0,)]
        assert len(connection.execute("PRAGMA table_info(attempts)").fetchall()) == 1


def test_a_day_has_the_number_of_its_name() -> None:
    assert [day_number(day_name(day)) for day in (0, DAY, 20_000)] == [0, DAY, 20_000]
    assert day_name(20_000) == "2024-10-04"
