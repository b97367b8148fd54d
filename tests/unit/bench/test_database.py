"""The database that a benchmark starts: one that has been used, as far as its log goes."""

import psycopg
import pytest
from bench import database

_AHEAD = "SELECT count(*) FROM pg_ls_waldir() WHERE name > pg_walfile_name(pg_current_wal_lsn())"


def files_ahead(*, quick: bool) -> int:
    with database.running_database(quick=quick) as server, psycopg.connect(server.url) as connection:
        shown = connection.execute("SHOW min_wal_size").fetchone()
        assert shown == ("2GB",)
        ahead = connection.execute(_AHEAD).fetchone()
    assert ahead is not None
    return int(ahead[0])


def test_it_has_log_files_to_write_into_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "USED_LOG_MIB", 64)
    assert files_ahead(quick=True) <= 1
    assert files_ahead(quick=False) >= 3
