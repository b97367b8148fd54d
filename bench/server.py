"""The ElasticLake server under test, spawned in a directory of its own; and the null server."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bench.control import Api
from bench.processes import NotStarted, child, free_port, python, search_path, wait_listening
from bench.target import Target

# glibc gives the heap's top back to the kernel after every large read and faults it in again at the next, which makes
# uvicorn's intake of bodies several times slower. A limit is what is possible, so the null server does without.
UNTRIMMED_HEAP = {"MALLOC_TOP_PAD_": str(16 * 1024 * 1024)}
UNANSWERED_NAMES = Path(__file__).resolve().parent / "unanswered_names"


@dataclass(frozen=True, slots=True)
class Server:
    """A server under load: where its S3 is, its REST API if it has ours, its root process if it is on this machine."""

    target: Target
    api: Api | None = None
    pid: int | None = None
    version: str = ""


@contextmanager
def spawned(
    directory: Path,
    region: str,
    *,
    history: bool = True,
    metadata: str | None = None,
    unanswered_names: bool = False,
) -> Iterator[Server]:
    """`elasticlake serve` on an empty data directory, stopped by SIGTERM. Raises NotStarted.

    `metadata` is the URL of an empty PostgreSQL database; without it the metadata is SQLite. With `unanswered_names`,
    the server's process waits in vain for the addresses of some names (`unanswered_names/sitecustomize.py`).
    """
    port, log, token = free_port(), directory / "server.log", secrets.token_urlsafe(24)
    target = Target("127.0.0.1", port, "BENCHACCESSKEY", secrets.token_urlsafe(30), region)
    env = {
        "ELASTICLAKE_ROOT_ACCESS_KEY": target.access_key,
        "ELASTICLAKE_ROOT_SECRET_KEY": target.secret_key,
        "ELASTICLAKE_API_TOKEN": token,
        "ELASTICLAKE_HISTORY": "on" if history else "off",
    }
    if metadata is not None:
        env["ELASTICLAKE_METADATA"] = metadata
    if unanswered_names:
        env["PYTHONPATH"] = search_path(UNANSWERED_NAMES)
    command = python("-m", "elasticlake", "serve", "--data", str(directory / "data"), "--listen", f"127.0.0.1:{port}")
    with child(command, log, env) as process:
        wait_listening(process, port, log)
        version = _wait_healthy(port, log)
        yield Server(target, Api(target.url, token), process.pid, version)


@contextmanager
def null_server(directory: Path, region: str) -> Iterator[Server]:
    """The bare ASGI application on one uvicorn process, with the same parser and loop as the real server."""
    port, log = free_port(), directory / "null.log"
    where = ("bench.null_server:app", "--host", "127.0.0.1", "--port", str(port))
    how = ("--http", "httptools", "--loop", "uvloop", "--lifespan", "off", "--no-access-log", "--log-level", "error")
    command = python("-m", "uvicorn", *where, *how)
    with child(command, log, UNTRIMMED_HEAP) as process:
        wait_listening(process, port, log)
        yield Server(Target("127.0.0.1", port, "null", "null", region), pid=process.pid)


def _wait_healthy(port: int, log: Path, seconds: float = 30.0) -> str:
    """Wait for the health check; the version it tells."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError, HTTPException, ValueError):
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/v1/health")
            answer = connection.getresponse()
            body = json.loads(answer.read())
            connection.close()
            if answer.status == 200:
                return str(body.get("version", ""))
        time.sleep(0.05)
    raise NotStarted(f"GET /v1/health never answered 200\n{log.read_text(errors='replace')[-2000:]}")
