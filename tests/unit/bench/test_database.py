"""The database that a benchmark starts: one that keeps what it is told, and has been used as far as its log goes."""

from typing import Any

import psycopg
import pytest
from bench import database
from bench.processes import NotStarted

_AHEAD = "SELECT count(*) FROM pg_ls_waldir() WHERE name > pg_walfile_name(pg_current_wal_lsn())"
SHOWN = {
    "fsync": "on",
    "shared_buffers": "512MB",
    "min_wal_size": "2GB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
}


def asked(url: str, question: str) -> Any:
    with psycopg.connect(url) as connection:
        answer = connection.execute(question.encode()).fetchone()
    assert answer is not None
    return answer[0]


def test_it_has_log_files_to_write_into_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "USED_LOG_MIB", 64)
    with database.running_database(quick=True) as server:
        assert {name: asked(server.url, f"SHOW {name}") for name in SHOWN} == SHOWN
        assert asked(server.url, _AHEAD) <= 1
    with database.running_database() as server:
        assert asked(server.url, _AHEAD) >= 3


def test_what_it_cannot_write_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_FILL", "SELECT 1 / 0")
    with pytest.raises(NotStarted, match="cannot write its log: division by zero"), database.running_database():
        pass
