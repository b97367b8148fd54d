"""The tests' own PostgreSQL and network: what the cluster's tests rely on."""

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.ports import is_free, steady_port
from tests.postgres import Postgres, running_postgres
from tests.postgres_programs import INSTALLS, copy_programs, installed, programs, runner
from tests.proxy import Proxy

ROOT = Path(__file__).parents[2]
SILENCE_SECONDS = 0.3
PATIENCE_SECONDS = 10.0
LARGE = bytes(range(256)) * 64 * 1024  # 16 MiB: more than every buffer on the way


def value(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


class TestPostgres:
    def test_a_database_is_fresh_unicode_and_sorted_by_bytes(self, postgres_url: str) -> None:
        assert value(postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
        assert value(postgres_url, "SHOW server_encoding") == "UTF8"
        assert value(postgres_url, "SELECT 'Z' < 'a' AND 'é' > 'z'") is True

    def test_databases_are_separate(self, postgres: Postgres) -> None:
        one, other = postgres.create_database("same"), postgres.create_database("same")
        run(one, "CREATE TABLE mine (n int)")
        assert value(one, "SELECT to_regclass('mine') IS NOT NULL") is True
        assert value(other, "SELECT to_regclass('mine') IS NULL") is True
        postgres.drop_database(one)
        postgres.drop_database(other)

    def test_a_database_copies_its_template(self, postgres: Postgres, postgres_url: str) -> None:
        run(postgres_url, "CREATE TABLE mine AS SELECT 7 AS n")
        copy = postgres.create_database(template=urlsplit(postgres_url).path[1:])
        assert value(copy, "SELECT n FROM mine") == 7
        postgres.drop_database(copy)

    def test_dropping_ends_the_connections(self, postgres: Postgres) -> None:
        url = postgres.create_database()
        with psycopg.connect(url) as connection:
            postgres.drop_database(url)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        postgres.drop_database(url)

    def test_the_unix_socket_leads_to_the_same_server(self, postgres: Postgres) -> None:
        assert postgres.unix_url is not None
        started = "SELECT pg_postmaster_start_time()"
        assert value(postgres.unix_url, started) == value(postgres.url, started)

    @pytest.mark.parametrize("mode", ["fast", "immediate"])
    def test_a_restart_keeps_data_and_address(self, postgres: Postgres, postgres_url: str, mode: str) -> None:
        run(postgres_url, "CREATE TABLE kept AS SELECT 1 AS n")
        before = postgres.pid
        postgres.restart("fast" if mode == "fast" else "immediate")
        assert postgres.pid != before
        assert value(postgres_url, "SELECT n FROM kept") == 1

    def test_a_stopped_server_refuses(self, postgres: Postgres, postgres_url: str) -> None:
        postgres.stop()
        assert not postgres.is_running
        with pytest.raises(psycopg.OperationalError, match="refused"):
            psycopg.connect(postgres_url)
        assert postgres.start().is_running

    def test_kill_9_keeps_what_was_committed_and_nothing_else(self, postgres: Postgres, postgres_url: str) -> None:
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

    def test_kill_9_ends_a_backend_that_is_busy(self, postgres: Postgres, postgres_url: str) -> None:
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

    def test_settings_reach_the_server(self, postgres: Postgres) -> None:
        assert value(postgres.url, "SHOW fsync") == "off"
        assert value(postgres.url, "SHOW synchronous_commit") == "on"

    def test_a_given_folder_is_kept_however_long_its_path(self) -> None:
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

    def test_a_folder_out_of_reach_is_refused(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0)
        try:
            with pytest.raises((ValueError, PermissionError), match="closed"):
                Postgres(closed / "folder")
        finally:
            closed.chmod(0o700)

    def test_a_wrong_setting_is_said(self) -> None:
        with pytest.raises(RuntimeError, match='"no_such_setting"'), running_postgres(no_such_setting=1):
            pass

    def test_it_dies_with_the_process_that_started_it(self) -> None:
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

    def test_an_interrupt_leaves_nothing_behind(self) -> None:
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


class TestPrograms:
    @pytest.mark.parametrize("version", INSTALLS)
    def test_a_copy_runs_as_well(self, version: int) -> None:
        folder = runner().temporary()
        try:
            copied = copy_programs(installed(), version, folder) / "bin"
            for program in ("postgres", "initdb"):
                said = subprocess.check_output([copied / program, "--version"], cwd="/", **runner().identity)
                assert f"(PostgreSQL) {version}." in said.decode()
        finally:
            shutil.rmtree(folder)

    def test_the_runner_reaches_what_it_is_given(self) -> None:
        folder = runner().temporary()
        try:
            assert runner().may_enter(folder)
            assert runner().may_enter(programs(18, folder) / "postgres")
            assert not runner().may_enter(folder / "absent")
        finally:
            shutil.rmtree(folder)


class TestSuites:
    """Without a browser, as a fresh machine is."""

    def run(self, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", ROOT / "tests/browser", "-p", "no:cacheprovider"]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ELASTIC"))}
        return subprocess.run(
            command,
            cwd=ROOT,
            env=inherited | {"PATH": str(folder)} | environment,
            capture_output=True,
            text=True,
            timeout=100,
        )

    def test_what_is_left_out_is_named_in_the_last_line(self, tmp_path: Path) -> None:
        ended = self.run(tmp_path)
        assert ended.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
        assert ended.stdout.splitlines()[-1].startswith("Suites left out: chromium (no chromium): ")

    def test_where_all_must_run_it_does_not_begin(self, tmp_path: Path) -> None:
        ended = self.run(tmp_path, ELASTICLAKE_ALL_SUITES="1")
        assert ended.returncode == pytest.ExitCode.USAGE_ERROR
        assert "every suite must run, but tools are missing: " in ended.stderr


def compute(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.OperationalError):
        connection.execute("DO $$ BEGIN FOR i IN 1..999999999 LOOP END LOOP; END $$")


def has_ended(pid: int) -> bool:
    """Whether the process is gone, or dead and unreaped: init is not always there to reap."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Echo:
    """A server that sends back what it gets, and passes on the end."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        try:
            with connection:
                while data := connection.recv(65_536):
                    connection.sendall(data)
        except OSError:
            pass  # reset, as the tests ask

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy("127.0.0.1", echo.port) as proxy:
        yield proxy


def dial(proxy: Proxy, timeout_seconds: float = PATIENCE_SECONDS) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout_seconds)


def ask(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    return connection.recv(65_536)


def send_all(connection: socket.socket, data: bytes) -> None:
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def assert_silent(connection: socket.socket) -> None:
    connection.settimeout(SILENCE_SECONDS)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    connection.settimeout(PATIENCE_SECONDS)


class TestProxy:
    def test_it_forwards_everything_up_to_the_end(self, proxy: Proxy) -> None:
        with dial(proxy) as connection:
            sender = threading.Thread(target=send_all, args=(connection, LARGE))
            sender.start()
            assert read_all(connection) == LARGE
            sender.join()

    def test_a_cut_stalls_and_heals_without_loss(self, proxy: Proxy) -> None:
        with dial(proxy) as connection:
            assert ask(connection, b"before") == b"before"
            proxy.cut()
            connection.sendall(b"meanwhile")
            assert_silent(connection)
            proxy.heal()
            assert connection.recv(65_536) == b"meanwhile"
            assert ask(connection, b"after") == b"after"

    def test_a_cut_stops_a_transfer_in_the_middle(self, proxy: Proxy) -> None:
        with dial(proxy) as connection:
            sender = threading.Thread(target=connection.sendall, args=(LARGE,))
            sender.start()
            begun = connection.recv(65_536)
            proxy.cut()
            arrived = begun + until_silent(connection)
            assert len(arrived) < len(LARGE)
            assert sender.is_alive()
            proxy.heal()
            while len(arrived) < len(LARGE):
                arrived += connection.recv(1 << 20)
            sender.join()
            assert arrived == LARGE

    def test_an_end_is_not_told_through_a_cut(self, proxy: Proxy) -> None:
        with dial(proxy) as connection:
            ask(connection, b"established")
            proxy.cut()
            connection.shutdown(socket.SHUT_WR)
            assert_silent(connection)
            proxy.heal()
            assert connection.recv(1) == b""

    def test_nobody_connects_through_a_cut(self, proxy: Proxy) -> None:
        proxy.cut()
        with pytest.raises(TimeoutError):
            dial(proxy, SILENCE_SECONDS)
        waiting: list[bytes] = []

        def wait() -> None:
            with dial(proxy) as connection:
                waiting.append(ask(connection, b"patience"))

        patient = threading.Thread(target=wait)
        patient.start()
        patient.join(SILENCE_SECONDS)
        assert waiting == []
        proxy.heal()
        patient.join()
        assert waiting == [b"patience"]
        assert ended(proxy)

    def test_a_reset_is_seen_by_both_sides(self, proxy: Proxy) -> None:
        with dial(proxy) as one, dial(proxy) as other:
            for connection in (one, other):
                ask(connection, b"established")
            proxy.reset_all()
            for connection in (one, other):
                with pytest.raises(ConnectionResetError):
                    connection.recv(1)
        assert proxy.connections == 0
        with dial(proxy) as connection:
            assert ask(connection, b"again") == b"again"

    def test_a_reset_reaches_through_a_cut(self, proxy: Proxy) -> None:
        with dial(proxy) as connection:
            ask(connection, b"established")
            proxy.cut()
            proxy.reset_all()
            with pytest.raises(ConnectionResetError):
                connection.recv(1)

    def test_refusing_leaves_what_is_connected(self, proxy: Proxy) -> None:
        with dial(proxy) as connection:
            ask(connection, b"established")
            proxy.refuse()
            with pytest.raises(ConnectionRefusedError):
                dial(proxy)
            assert ask(connection, b"still") == b"still"
        proxy.accept()
        with dial(proxy) as connection:
            assert ask(connection, b"again") == b"again"

    def test_an_absent_target_resets(self) -> None:
        # The reset may be faster than the dialler's look at its connection.
        with Proxy("127.0.0.1", steady_port()) as proxy, pytest.raises(ConnectionResetError), dial(proxy) as connection:
            ask(connection, b"anybody")

    def test_states_change_in_any_order_from_any_thread(self, proxy: Proxy) -> None:
        def change() -> None:
            for act in (proxy.cut, proxy.refuse, proxy.heal, proxy.accept, proxy.reset_all) * 3:
                act()

        threads = [threading.Thread(target=change) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        proxy.accept()
        proxy.heal()
        with dial(proxy) as connection:
            assert ask(connection, b"sane") == b"sane"

    def test_postgresql_works_through_it(self, postgres: Postgres, postgres_url: str) -> None:
        with Proxy("127.0.0.1", postgres.port) as proxy:
            url = postgres_url.replace(f":{postgres.port}/", f":{proxy.port}/")
            with psycopg.connect(url) as connection:
                proxy.cut()
                with pytest.raises(psycopg.OperationalError, match="timeout"):
                    psycopg.connect(url, connect_timeout=1)  # libpq rounds up to two seconds
                proxy.heal()
                assert connection.execute("SELECT 1").fetchone() == (1,)
                proxy.reset_all()
                with pytest.raises(psycopg.OperationalError):
                    connection.execute("SELECT 1")


def until_silent(connection: socket.socket) -> bytes:
    received = []
    connection.settimeout(SILENCE_SECONDS)
    try:
        while data := connection.recv(1 << 20):
            received.append(data)
    except TimeoutError:
        pass
    connection.settimeout(PATIENCE_SECONDS)
    return b"".join(received)


def ended(proxy: Proxy) -> bool:
    """Whether every connection ends: each client has closed its own."""
    patience = threading.Event()
    return any(proxy.connections == 0 or patience.wait(0.01) for _ in range(1000))
