"""A real PostgreSQL for tests and benchmarks: started, stopped, killed and started again, without root or packages."""

from __future__ import annotations

import os
import secrets
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql
from tests.ports import steady_port
from tests.postgres_programs import programs, runner

USER = "elasticlake"
START_SECONDS = 60.0
STOP_SECONDS = 60.0
SOCKET_PATH_BYTES = 107  # of sockaddr_un, without its terminating NUL
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
STOP_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
# Ends the server when its standard input closes: when the process that holds the other end is gone, however it went.
GUARD = 'read -r _; kill -QUIT "$1"'

Setting = str | int


class Postgres:
    """One PostgreSQL server and its data in a folder. It never outlives the process that started it.

    Args:
        folder: where the data, the log and the Unix socket are; made if it is missing, kept at the end.
        durable: whether the server calls fsync. Without, it survives any kill of processes, but no power loss.
        version: the major version, 16 or 18.
        settings: PostgreSQL's own parameters, besides or instead of the ones here.

    Raises:
        ValueError: we are root, and the user who then runs PostgreSQL cannot reach the folder.
    """

    def __init__(self, folder: Path, *, durable: bool = True, version: int = 18, **settings: Setting) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        runner().give(self.folder)
        if not runner().may_enter(self.folder):
            raise ValueError(f"{folder}: nobody, who runs PostgreSQL for root, cannot reach it; leave the folder out")
        self.data = self.folder / "data"
        self.log = self.folder / "postgres.log"
        self.port = steady_port()
        self._has_socket = len(os.fsencode(self.folder / f".s.PGSQL.{self.port}")) <= SOCKET_PATH_BYTES
        self._programs = programs(version, self.folder / "programs")
        self._settings = self._defaults(durable) | settings
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    def _defaults(self, durable: bool) -> dict[str, Setting]:
        return {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": str(self.folder) if self._has_socket else "",
            "max_connections": 150,
            "shared_buffers": "128MB",
            "fsync": "on" if durable else "off",
            "synchronous_commit": "on",
            "log_line_prefix": "%m [%p] %d ",
        }

    # -- where it is

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The postmaster's process id.

        Raises:
            RuntimeError: the server was never started, or was stopped.
        """
        if self._process is None:
            raise RuntimeError("PostgreSQL is not running")
        return self._process.pid

    @property
    def url(self) -> str:
        """The database `postgres`, over TCP; the same as long as this object lives."""
        return self.url_of("postgres")

    @property
    def unix_url(self) -> str | None:
        """The database `postgres` over the Unix socket; None where the folder's path is too long for one."""
        if not self._has_socket:
            return None
        return f"postgresql://{USER}@/postgres?host={quote(str(self.folder), safe='')}&port={self.port}"

    def url_of(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    # -- its life

    def start(self) -> Self:
        """Start the server and wait until it takes connections; nothing if it runs.

        Raises:
            RuntimeError: it does not start; the message ends with its log's end.
        """
        if self.is_running:
            return self
        self._end_guard()
        self._make_data()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.data, *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=ENVIRONMENT,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop it in order
                **runner().identity,
            )
        self._start_guard(self._process.pid)
        self._wait_until_ready()
        return self

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server and wait until it is gone; nothing if it does not run.

        `fast` ends every session and writes a checkpoint; `immediate` leaves recovery to the next start.

        Raises:
            subprocess.TimeoutExpired: it does not stop.
        """
        if self._process is not None and self.is_running:
            self._process.send_signal(STOP_SIGNALS[mode])
            self._process.wait(STOP_SECONDS)
        self._end_guard()
        self._process = None

    def restart(self, mode: Literal["fast", "immediate"] = "fast") -> Self:
        self.stop(mode)
        return self.start()

    def kill9(self) -> None:
        """Kill every process of the server at one moment, without a chance to write anything more."""
        if self._process is None or not self.is_running:
            return
        self._process.send_signal(signal.SIGSTOP)  # so that it has no further child while we look
        _wait_until_stopped(self._process.pid)
        children = [os.pidfd_open(pid) for pid in _children(self._process.pid)]
        self._process.kill()
        for child in children:
            signal.pidfd_send_signal(child, signal.SIGKILL)
        for child in children:
            _wait_and_close(child)
        self._process.wait(STOP_SECONDS)
        self._end_guard()
        self._process = None

    # -- its databases

    def create_database(self, name: str = "test", *, template: str = "template0") -> str:
        """The address of a new database: empty, or a copy of `template`, which nobody may be connected to.

        Its name begins with `name` and is unique; UTF-8, and sorted by bytes.
        """
        unique = f"{name}_{secrets.token_hex(4)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8' LOCALE 'C'")
        self._administer(statement.format(sql.Identifier(unique), sql.Identifier(template)))
        return self.url_of(unique)

    def drop_database(self, url: str) -> None:
        """Drop the database at `url` with whatever is connected to it; nothing if it is gone."""
        name = urlsplit(url).path.removeprefix("/")
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    # -- its processes

    def _make_data(self) -> None:
        """Make the data folder; only its server's own writes need to reach the disk, so this does not wait for it."""
        if (self.data / "PG_VERSION").exists():
            return
        how = ["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        made = subprocess.run(
            [self._programs / "initdb", "--pgdata", self.data, "--no-instructions", *how],
            cwd=self.folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
            **runner().identity,
        )
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed: {made.stderr.strip()}")

    def _options(self) -> list[str]:
        return [argument for name, value in self._settings.items() for argument in ("-c", f"{name}={value}")]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if not self.is_running or time.monotonic() > deadline:
                self.stop("immediate")
                raise RuntimeError(f"PostgreSQL did not start: {self.log.read_text()[-1000:]}")
            time.sleep(0.01)

    def _is_ready(self) -> bool:
        """What the server itself says in its pid file; a killed one leaves its old file behind."""
        try:
            lines = (self.data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return lines[0] == str(self.pid) and len(lines) > 7 and lines[7].strip() == "ready"

    def _start_guard(self, pid: int) -> None:
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", str(pid)],
            stdin=subprocess.PIPE,
            cwd="/",
            start_new_session=True,
            **runner().identity,
        )

    def _end_guard(self) -> None:
        if self._guard is None or self._guard.stdin is None:
            return
        self._guard.kill()
        self._guard.wait()
        self._guard.stdin.close()
        self._guard = None


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the command's name: state, parent …; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _children(pid: int) -> list[int]:
    processes = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [process for process in processes if _stat(process)[1:2] == [str(pid)]]


def _wait_until_stopped(pid: int) -> None:
    while (state := _stat(pid)[:1]) and state[0] not in "TtZ":
        time.sleep(0.001)


def _wait_and_close(pidfd: int) -> None:
    """Wait for the process to end, reaped or not: whoever inherits a killed server's children may not care."""
    try:
        ended = select.poll()
        ended.register(pidfd, select.POLLIN)
        if not ended.poll(STOP_SECONDS * 1000):
            raise TimeoutError("a process of PostgreSQL does not die")
    finally:
        os.close(pidfd)


@contextmanager
def running_postgres(
    folder: Path | None = None, *, durable: bool = True, version: int = 18, **settings: Setting
) -> Iterator[Postgres]:
    """A started server, stopped at the end; without a folder it has one of its own, which goes with it."""
    home = folder or runner().temporary()
    try:
        server = Postgres(home, durable=durable, version=version, **settings)
        try:
            yield server.start()
        finally:
            server.stop("fast" if folder else "immediate")
    finally:
        if folder is None:
            shutil.rmtree(home)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server that tests share, each in a database of its own. It calls no fsync."""
    with running_postgres(durable=False) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """An empty database, gone after the test; the server is started again if a test left it down."""
    url = postgres.start().create_database()
    yield url
    postgres.start().drop_database(url)
