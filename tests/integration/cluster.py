"""Many machines on one: gateways and dispatchers over one PostgreSQL and one S3-speaking blob store, each with network
lines of its own that a test can cut."""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
from tests.integration.conftest import s3_client
from tests.integration.receiver import eventually
from tests.integration.server import ACCESS_KEY, CREDENTIALS, SECRET_KEY, Server, elasticlake
from tests.ports import steady_port
from tests.postgres import Postgres, running_postgres
from tests.proxy import Proxy

BLOB_BUCKET = "blobs--cluster--b1"
READY_SECONDS = 40.0
# What obstore looks for: the blob store's root credentials.
_BLOB_VARIABLES = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_DEFAULT_REGION": "eu-central-1",
}


class Node:
    """One machine: a server of one role, and its lines to the database and to the blob store."""

    def __init__(self, server: Server, name: str, lines: Sequence[Proxy]) -> None:
        self.server = server
        self.name = name
        self.lines = lines

    @property
    def worker_pid(self) -> int:
        """The process that does the work, below its supervisor."""
        return int(eventually(lambda: self.server.pids()[1:2])[0])

    @property
    def is_ready(self) -> bool:
        try:
            return bool(self.server.request("GET", "/v1/health/ready", timeout_seconds=5)["status"] == "ok")
        except (OSError, HTTPException):
            return False

    def kill9(self) -> None:
        """The machine loses its power."""
        self.server.kill9_all()

    def kill9_supervisor(self) -> None:
        """The supervisor alone; what it left behind ends by itself."""
        assert self.server.process is not None
        self.server.process.kill()
        self.server.process.wait()

    def kill9_worker(self) -> None:
        """The process that works; its supervisor, which starts another, only if there is none yet."""
        for pid in self.server.pids()[1:] or self.server.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def cut(self) -> None:
        for line in self.lines:
            line.cut()

    def heal(self) -> None:
        for line in self.lines:
            line.heal()

    def mend(self) -> None:
        """Start the server if it does not run."""
        if not self.server.is_running:
            self.server.spawn()


class Cluster:
    """Three gateways and two dispatchers; a connection to the database and one to the blob store for each."""

    def __init__(self, folder: Path, postgres: Postgres, options: Sequence[str] = ()) -> None:
        self._folder = folder
        self.postgres = postgres
        self.url = postgres.create_database("cluster")
        self.store = Server(folder / "store", port=steady_port())
        self._key_file = folder / "master.key"
        self._key_file.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
        self._options = options
        self._proxies: list[Proxy] = []
        self.gateways = [self._node(folder, "gateway", number) for number in range(3)]
        self.dispatchers = [self._node(folder, "dispatcher", number) for number in range(2)]

    @property
    def nodes(self) -> list[Node]:
        return self.gateways + self.dispatchers

    @property
    def database_lines(self) -> list[Proxy]:
        """The lines of all nodes to the database."""
        return [node.lines[0] for node in self.nodes]

    @property
    def blob_lines(self) -> list[Proxy]:
        """The lines of the gateways to the blob store."""
        return [node.lines[1] for node in self.gateways]

    def start(self) -> None:
        self.store.start()
        s3_client(self.store).create_bucket(Bucket=BLOB_BUCKET)
        self.mend()

    def mend(self) -> None:
        """Undo every cut, start what does not run, and wait until all is ready."""
        self.postgres.start()
        for node in self.nodes:
            node.heal()
        eventually(self._are_all_ready, seconds=READY_SECONDS)

    def _are_all_ready(self) -> bool:
        # One that was started while its line was cut says so and ends.
        self.revive()
        return all(node.is_ready for node in self.nodes)

    def revive(self) -> None:
        """Start what does not run, and wait for nothing."""
        if not self.store.is_running:
            self.store.spawn()
        for node in self.nodes:
            node.mend()

    def owner(self, client_port: int, server_port: int) -> str:
        """The dispatcher's process that made this TCP connection; "" if it is no more."""
        inode = _socket_inode(client_port, server_port)
        for node in self.dispatchers:
            for pid in node.server.pids()[1:]:
                if inode and inode in _sockets_of(pid):
                    return f"{node.name}/{pid}"
        return ""

    def postgres_connection(self) -> psycopg.Connection[Any]:
        """A connection of the test's own, past every proxy."""
        return psycopg.connect(self.url, autocommit=True)

    def check(self) -> list[str]:
        """The findings of `elasticlake check`."""
        ran = elasticlake(
            "check", "--metadata", self.url, "--blobs", _blob_url(self.store.port), "--json", **_BLOB_VARIABLES
        )
        assert ran.stdout, ran.stderr
        found: list[str] = json.loads(ran.stdout)["findings"]
        return found

    def close(self) -> None:
        for node in self.nodes:
            node.heal()
        for server in [*(node.server for node in self.nodes), self.store]:
            if server.is_running:
                server.kill9_all()
        for pid in _servers_below(self._folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for proxy in self._proxies:
            proxy.close()

    def _node(self, folder: Path, role: str, number: int) -> Node:
        database = self._line(self.postgres.port)
        blobs = self._line(self.store.port)
        options = [
            *("--role", role),
            *("--metadata", f"postgresql://elasticlake@127.0.0.1:{database.port}{urlsplit(self.url).path}"),
            *("--blobs", _blob_url(blobs.port)),
            *("--master-key-file", str(self._key_file)),
            *("--log-format", "json"),
            *self._options,
        ]
        name = f"{role}{number}"
        server = Server(folder / name, *options, env={**CREDENTIALS, **_BLOB_VARIABLES}, port=steady_port())
        return Node(server, name, (database, blobs))

    def _line(self, port: int) -> Proxy:
        self._proxies.append(Proxy("127.0.0.1", port))
        return self._proxies[-1]


@contextmanager
def running_cluster(folder: Path, *options: str) -> Iterator[Cluster]:
    """A started cluster over a PostgreSQL of its own, both gone in the end."""
    with running_postgres() as postgres:
        cluster = Cluster(folder, postgres, options)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.close()


def _blob_url(port: int) -> str:
    endpoint = quote(f"http://127.0.0.1:{port}", safe="")
    return f"s3://{BLOB_BUCKET}/data?endpoint={endpoint}&region=eu-central-1"


def _servers_below(folder: Path) -> list[int]:
    """Processes whose data is in the folder: some whose supervisors were killed may still be finishing."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and f"{folder}/".encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def _socket_inode(port: int, peer_port: int) -> str:
    """The inode of the socket that is bound to `port` and connected to `peer_port`."""
    ends = (f":{port:04X}", f":{peer_port:04X}")
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(ends[0]) and fields[2].endswith(ends[1]):
            return fields[9]
    return ""


def _sockets_of(pid: int) -> set[str]:
    found: set[str] = set()
    try:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(os.readlink(handle).removeprefix("socket:[").removesuffix("]"))
    except OSError:  # the process ended meanwhile
        return found
    return found
