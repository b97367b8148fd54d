"""The tests' own PostgreSQL: what the cluster's tests rely on."""

import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.ports import is_free
from tests.postgres import Postgres, running_postgres
from tests.postgres_programs import INSTALLS, copy_programs, installed, programs, runner

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 10.0


def value(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_database_is_fresh_unicode_and_sorted_by_bytes(postgres_url: str) -> None:
    assert value(postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert value(postgres_url, "SHOW server_encoding") == "UTF8"
    assert value(postgres_url, "SELECT 'Z' < 'a' AND 'é' > 'z'") is True


def test_databases_are_separate(postgres: Postgres) -> None:
    one, other = postgres.create_database("same"), postgres.create_database("same")
    run(one, "CREATE TABLE mine (n int)")
    assert value(one, "SELECT to_regclass('mine') IS NOT NULL") is True
    assert value(other, "SELECT to_regclass('mine') IS NULL") is True
    postgres.drop_database(one)
    postgres.drop_database(other)


def test_a_database_copies_its_template(postgres: Postgres, postgres_url: str) -> None:
    run(postgres_url, "CREATE TABLE mine AS SELECT 7 AS n")
    copy = postgres.create_database(template=urlsplit(postgres_url).path[1:])
    assert value(copy, "SELECT n FROM mine") == 7
    postgres.drop_database(copy)


def test_dropping_ends_the_connections(postgres: Postgres) -> None:
    url = postgres.create_database()
    with psycopg.connect(url) as connection:
        postgres.drop_database(url)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    postgres.drop_database(url)


def test_the_unix_socket_leads_to_the_same_server(postgres: Postgres) -> None:
    assert postgres.unix_url is not None
    started = "SELECT pg_postmaster_start_time()"
    assert value(postgres.unix_url, started) == value(postgres.url, started)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_keeps_data_and_address(postgres: Postgres, postgres_url: str, mode: str) -> None:
    run(postgres_url, "CREATE TABLE kept AS SELECT 1 AS n")
    before = postgres.pid
    postgres.restart("fast" if mode == "fast" else "immediate")
    assert postgres.pid != before
    assert value(postgres_url, "SELECT n FROM kept") == 1


def test_a_stopped_server_refuses(postgres: Postgres, postgres_url: str) -> None:
    postgres.stop()
    assert not postgres.is_running
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(postgres_url)
    assert postgres.start().is_running


def test_kill_9_keeps_what_was_committed_and_nothing_else(postgres: Postgres, postgres_url: str) -> None:
    run(postgres_url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
    with psycopg.connect(postgres_url) as open_transaction:
        backend = open_transaction.info.backend_pid
        open_transaction.execute("INSERT INTO kept VALUES (2)")
        postgres.kill9()
        assert not postgres.is_running
        assert has_ended(backend)
        with pytest.raises(psycopg.OperationalError):
            open_transaction.execute("SELECT 1")
    postgres.start()
    assert value(postgres_url, "SELECT array_agg(n) FROM kept") == [1]
    assert "was not properly shut down" in postgres.log.read_text()


def test_kill_9_ends_a_backend_that_is_busy(postgres: Postgres, postgres_url: str) -> None:
    """One that computes does not look whether its postmaster lives, and would keep the data folder taken."""
    with psycopg.connect(postgres_url) as connection:
        busy = threading.Thread(target=compute, args=(connection,))
        busy.start()
        while value(postgres.url, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%999999999%'") != 2:
            time.sleep(0.01)
        postgres.kill9()
        busy.join(PATIENCE_SECONDS)
        assert not busy.is_alive()
    assert value(postgres.start().url, "SELECT 1") == 1


def test_settings_reach_the_server(postgres: Postgres) -> None:
    assert value(postgres.url, "SHOW fsync") == "off"
    assert value(postgres.url, "SHOW synchronous_commit") == "on"


def test_a_given_folder_is_kept_however_long_its_path() -> None:
    parent = runner().temporary()
    folder = parent / ("long" * 30)
    try:
        with running_postgres(folder, shared_buffers="8MB") as server:
            assert server.unix_url is None
            assert value(server.url, "SHOW fsync") == "on"
            run(server.url, "CREATE TABLE kept AS SELECT 1 AS n")
        with running_postgres(folder, shared_buffers="8MB") as server:
            assert value(server.url, "SELECT n FROM kept") == 1
    finally:
        shutil.rmtree(parent)


def test_a_folder_out_of_reach_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    try:
        with pytest.raises((ValueError, PermissionError), match="closed"):
            Postgres(closed / "folder")
    finally:
        closed.chmod(0o700)


def test_a_wrong_setting_is_said() -> None:
    with pytest.raises(RuntimeError, match='"no_such_setting"'), running_postgres(no_such_setting=1):
        pass


def test_it_dies_with_the_process_that_started_it() -> None:
    script = (
        "import sys; from tests.postgres import running_postgres\n"
        "with running_postgres(durable=False, shared_buffers='8MB') as server:\n"
        "    print(server.folder, server.pid, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        folder, pid = starter.stdout.readline().split()
        server = os.pidfd_open(int(pid))
        starter.kill()
    ended, _, _ = select.select([server], [], [], PATIENCE_SECONDS)
    os.close(server)
    shutil.rmtree(folder)
    assert ended


def test_an_interrupt_leaves_nothing_behind() -> None:
    script = (
        "import signal, time; from tests.postgres import running_postgres\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background ignores it
        "with running_postgres(durable=False, shared_buffers='8MB') as server:\n"
        "    print(server.folder, server.port, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as starter:
        assert starter.stdout is not None
        folder, port = starter.stdout.readline().split()
        os.killpg(starter.pid, signal.SIGINT)
        starter.wait(PATIENCE_SECONDS)
    assert not Path(folder).exists()
    assert is_free(int(port))


@pytest.mark.parametrize("version", INSTALLS)
def test_a_copy_runs_as_well(version: int) -> None:
    folder = runner().temporary()
    try:
        copied = copy_programs(installed(), version, folder) / "bin"
        for program in ("postgres", "initdb"):
            said = subprocess.check_output([copied / program, "--version"], cwd="/", **runner().identity)
            assert f"(PostgreSQL) {version}." in said.decode()
    finally:
        shutil.rmtree(folder)


def test_the_runner_reaches_what_it_is_given() -> None:
    folder = runner().temporary()
    try:
        assert runner().may_enter(folder)
        assert runner().may_enter(programs(18, folder) / "postgres")
        assert not runner().may_enter(folder / "absent")
    finally:
        shutil.rmtree(folder)


def compute(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.OperationalError):
        connection.execute("DO $$ BEGIN FOR i IN 1..999999999 LOOP END LOOP; END $$")


def has_ended(pid: int) -> bool:
    """Whether the process is gone, or dead and unreaped: init is not always there to reap."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True
