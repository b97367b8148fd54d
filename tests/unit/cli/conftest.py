"""The REST server that the commands talk to, and two ways to run them: in this process and as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.unit.cli.rest_server import TOKEN, RestServer, http_server
from typer.testing import CliRunner, Result

from elasticlake.cli.main import app

Run = Callable[..., Result]
Spawn = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def _empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the developer's own, and no credentials file but a test's."""
    for name in [name for name in os.environ if name.startswith("ELASTICLAKE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def server() -> Iterator[RestServer]:
    state = RestServer()
    http = http_server(state)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    yield state
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def run(server: RestServer) -> Run:
    """Run a command against the server with a good token."""

    def run_command(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["--url", server.url, "--token", TOKEN, *arguments], prog_name="elasticlake")

    return run_command


@pytest.fixture
def spawn(tmp_path: Path) -> Spawn:
    """Run `elasticlake` as a process in an empty directory; `env` adds to its environment."""

    def run_process(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "elasticlake", *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
        )

    return run_process
