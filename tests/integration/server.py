"""A real `elasticlake serve` in a process tree of its own, as a user would run it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from elasticlake.metadata.database import Database
from elasticlake.server.composition import choose_engine
from elasticlake.server.dispatcher import NICENESS
from elasticlake.server.folder import DataFolder

ACCESS_KEY = "INTEGRATIONROOTKEY01"
SECRET_KEY = "integration-root-secret-0123456789abcdef"
API_TOKEN = "integration-root-token-0123456789abcdef"
DASHBOARD_PASSWORD = "integration-dashboard-password"

CREDENTIALS = {
    "ELASTICLAKE_ROOT_ACCESS_KEY": ACCESS_KEY,
    "ELASTICLAKE_ROOT_SECRET_KEY": SECRET_KEY,
    "ELASTICLAKE_API_TOKEN": API_TOKEN,
    "ELASTICLAKE_DASHBOARD_PASSWORD": DASHBOARD_PASSWORD,
}

LEAST_NICENESS = 19
START_SECONDS = 30.0
STOP_SECONDS = 40.0
_ANNOUNCED = re.compile(r"^ElasticLake serves .+ at https?://\S+?(?::(\d+))?$", re.MULTILINE)


def clean_environment(**variables: str) -> dict[str, str]:
    """This process's environment without what would lead a server or a client elsewhere, and with `variables`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ELASTICLAKE_", "AWS_")) and not name.lower().endswith("_proxy")
    }
    return {**kept, "NO_PROXY": "*", **variables}


def free_port() -> int:
    """A port that nobody listens at just now; for a server that does not tell which one it took."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def elasticlake(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    command = [sys.executable, "-m", "elasticlake", *map(str, arguments)]
    return subprocess.run(
        command, env=clean_environment(**variables), capture_output=True, text=True, timeout=60, check=False
    )


class Server:
    """One server on its data folder; it may be started again after it stopped, and keeps its port."""

    def __init__(
        self,
        data: Path,
        *options: str,
        env: Mapping[str, str] | None = None,
        scheme: str = "http",
        host: str = "127.0.0.1",
        port: int = 0,
        metadata: str | None = None,
    ) -> None:
        self.data = data
        self.metadata = metadata
        self.options = options
        self.env = clean_environment(**(CREDENTIALS if env is None else env), **self.where)
        self.scheme = scheme
        self.host = host
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None
        self._log = data.with_name(data.name + ".log")
        self._output = data.with_name(data.name + ".out")

    @property
    def where(self) -> dict[str, str]:
        return {"ELASTICLAKE_METADATA": self.metadata} if self.metadata is not None else {}

    def open_core(self) -> Database:
        """The server's metadata, opened once more inside an event loop; to be closed by whoever opens it."""
        return choose_engine(self.metadata, DataFolder(self.data)).open_core()

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.address}"

    @property
    def log(self) -> str:
        """All that the server wrote to standard error, over every start."""
        return self._log.read_text()

    @property
    def output(self) -> str:
        """What the last start wrote to standard output."""
        return self._output.read_text()

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the process and return at once."""
        command = [sys.executable, "-m", "elasticlake", "serve", "--data", str(self.data), "--listen", self.address]
        with self._output.open("wb") as output, self._log.open("ab") as log:
            self.process = subprocess.Popen([*command, *self.options], env=self.env, stdout=output, stderr=log)
        return self.process

    def start(self) -> Server:
        """Start, and wait until it answers; raises AssertionError if it ends instead."""
        self.spawn()
        return self.wait_until_ready()

    def wait_until_ready(self) -> Server:
        """Wait until the started server answers."""
        process = self.process
        assert process is not None
        give_up_at = time.monotonic() + START_SECONDS
        while not self._answers():
            assert process.poll() is None, f"the server ended with {process.returncode}:\n{self.log}"
            assert time.monotonic() < give_up_at, f"no answer in {START_SECONDS} s:\n{self.log}"
            time.sleep(0.02)
        return self

    def _answers(self) -> bool:
        announced = _ANNOUNCED.search(self.output)
        if announced is None:
            return False
        self.port = int(announced[1] or self.port)  # a public URL names no port of this machine
        if self.scheme == "https":
            return True  # the socket listens, and only the test knows the certificate
        try:
            return bool(self.request("GET", "/v1/health")["status"] == "ok")
        except OSError:
            return False

    def stop(self) -> int:
        """SIGTERM, and wait for the whole tree; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def pids(self) -> list[int]:
        """The supervisor and every process below it, while they live."""
        assert self.process is not None
        found = [self.process.pid] if self.is_running else []
        for pid in found:
            found += _children(pid)
        return found

    @property
    def dispatcher_pid(self) -> int:
        """The process that leaves the processor to the others, as soon as one does."""
        give_up_at = time.monotonic() + START_SECONDS
        while True:
            for pid in self.pids():
                if _niceness(pid) == min(LEAST_NICENESS, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS):
                    return pid
            assert time.monotonic() < give_up_at, "no dispatcher"
            time.sleep(0.02)

    @property
    def gateway_pids(self) -> list[int]:
        """The processes that serve S3 and REST."""
        dispatcher_pid = self.dispatcher_pid
        return [pid for pid in self.pids()[1:] if pid != dispatcher_pid]

    def kill9_all(self) -> None:
        """What a power switch would do to the processes: SIGKILL to all, the supervisor first."""
        assert self.process is not None
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(STOP_SECONDS)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def request(
        self, method: str, path: str, body: Any = None, *, token: str = API_TOKEN, timeout_seconds: float = 40
    ) -> Any:
        """A REST call's document (None for 204); raises `urllib.error.HTTPError`."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with _OPENER.open(request, timeout=timeout_seconds) as response:
            content = response.read()
        return json.loads(content) if content else None

    def refusal(self, method: str, path: str, body: Any = None, *, token: str = API_TOKEN) -> dict[str, Any]:
        """The problem document of a REST call that must fail."""
        try:
            answer = self.request(method, path, body, token=token)
        except urllib.error.HTTPError as error:
            refused = error
        else:
            raise AssertionError(f"{method} {path} was not refused: {answer}")
        assert refused.headers["Content-Type"] == "application/problem+json"
        problem: dict[str, Any] = json.loads(refused.read())
        assert problem["status"] == refused.code
        return problem

    def cli(self, *arguments: str, token: str = API_TOKEN) -> subprocess.CompletedProcess[str]:
        """Run a command of `elasticlake` against this server."""
        return elasticlake(*arguments, ELASTICLAKE_URL=self.url, ELASTICLAKE_API_TOKEN=token)

    def cli_json(self, *arguments: str) -> Any:
        """The JSON that a command prints; it must succeed."""
        ran = self.cli(*arguments, "--json")
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    def check(self) -> dict[str, Any]:
        """What `elasticlake check` says of the data."""
        ran = elasticlake("check", "--data", self.data, "--json", **self.where)
        assert ran.stdout, ran.stderr
        found: dict[str, Any] = json.loads(ran.stdout)
        assert (ran.returncode != 0) == bool(found["findings"])
        return found

    def close(self) -> None:
        """Stop it if it runs, and demand that its data is what the invariants promise."""
        if self.is_running:
            assert self.stop() == 0, self.log
        if self.metadata is not None or (self.data / "metadata.db").exists():
            assert self.check()["findings"] == []


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _niceness(pid: int) -> int:
    try:
        return os.getpriority(os.PRIO_PROCESS, pid)
    except ProcessLookupError:  # it ended meanwhile
        return 0
