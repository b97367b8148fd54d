"""The guard in SQLite: across restarts, processes and forks."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from elasticlake.webhooks import BeingHandled, SqliteGuard

PROCESSES, EVENTS = 3, 60


def contend(path: Path, start: multiprocessing.Barrier, won: multiprocessing.Queue) -> None:
    guard = SqliteGuard(path)
    start.wait()
    for number in range(EVENTS):
        try:
            claim = guard.begin(f"evt_{number}")
        except BeingHandled:
            continue
        if claim is not None:
            guard.complete(claim)
            won.put(claim.id)
    guard.close()


def handle(guard: SqliteGuard, event_id: str = "evt_1") -> bool:
    claim = guard.begin(event_id)
    if claim is not None:
        guard.complete(claim)
    return claim is not None


def test_it_remembers_over_a_restart(tmp_path: Path) -> None:
    with closing(SqliteGuard(tmp_path / "guard.db")) as guard:
        assert handle(guard)
        assert guard.begin("evt_2") is not None
    with closing(SqliteGuard(tmp_path / "guard.db")) as guard:
        assert not handle(guard)
        with pytest.raises(BeingHandled):
            guard.begin("evt_2")


def test_of_many_processes_one_begins(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, won = context.Barrier(PROCESSES), context.Queue()
    arguments = (tmp_path / "guard.db", start, won)
    processes = [context.Process(target=contend, args=arguments) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    found = sorted(won.get(timeout=60) for _ in range(EVENTS))
    for process in processes:
        process.join(60)
    assert won.empty()
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    assert found == sorted(f"evt_{number}" for number in range(EVENTS))


def test_events_are_forgotten_in_time(tmp_path: Path) -> None:
    now = 1000.0
    guard = SqliteGuard(tmp_path / "guard.db", keep_seconds=100, claim_seconds=10, now=lambda: now)
    with closing(guard):
        assert handle(guard, "evt_1")
        assert guard.begin("evt_2") is not None
        now = 1099.0
        assert not handle(guard, "evt_1")
        now = 1100.0
        assert handle(guard, "evt_3")
        with closing(sqlite3.connect(tmp_path / "guard.db")) as look:
            assert look.execute("SELECT id FROM elasticlake_events").fetchall() == [("evt_3",)]
        assert handle(guard, "evt_1")


def test_it_shares_a_database_that_there_is(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE mine (x)")
        theirs.commit()
        with closing(SqliteGuard(str(path))) as guard:
            assert handle(guard)
            theirs.execute("INSERT INTO mine VALUES (1)")
            theirs.commit()
            assert not handle(guard)


def test_it_opens_nothing_before_it_is_used(tmp_path: Path) -> None:
    """A server makes its application, and then forks."""
    guard = SqliteGuard(tmp_path / "guard.db")
    assert os.listdir(tmp_path) == []
    guard.close()
    assert handle(guard)
    guard.close()
    assert not handle(guard)
    guard.close()


def test_a_database_that_fails_is_told(tmp_path: Path) -> None:
    guard = SqliteGuard(tmp_path / "no folder" / "guard.db")
    with pytest.raises(sqlite3.Error):
        guard.begin("evt_1")
