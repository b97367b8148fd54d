"""The demo's server: a process of its own on a free port, with a data folder that goes with it unless it is kept."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from elasticlake.cli.errors import CommandFailed
from elasticlake.cli.signals import undisturbed

START_SECONDS = 60.0
STOP_SECONDS = 40.0
# A demo's few bytes fit on a small disk, too.
OPTIONS = ("--listen", "127.0.0.1:0", "--json", "--log-format", "text", "--min-free-space", "1MiB")


@dataclass(frozen=True, slots=True)
class DemoServer:
    """A server that runs, and the root credentials that open it."""

    url: str
    data: Path
    started_in_seconds: float
    access_key_id: str
    secret: str = field(repr=False)
    api_token: str = field(repr=False)
    dashboard_password: str = field(repr=False)


@contextmanager
def demo_server(data: Path | None) -> Iterator[DemoServer]:
    """A server on `data`, or on a folder that is removed in the end. Raises `CommandFailed` if it does not start."""
    with tempfile.TemporaryDirectory(prefix="elasticlake-demo-") as temporary:
        folder, log = data or Path(temporary, "data"), Path(temporary, "server.log")
        started = time.monotonic()
        with _process(folder, log) as process:
            url = _announced(process, log)
            yield DemoServer(url, folder, time.monotonic() - started, **_credentials(folder))


@contextmanager
def _process(folder: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-P", "-m", "elasticlake", "serve", "--data", str(folder), *OPTIONS]
    # What is set for a server of one's own, such as its database, is not for this one.
    env = {name: value for name, value in os.environ.items() if not name.startswith("ELASTICLAKE_")}
    # In a session of its own a terminal's Ctrl-C reaches the demo alone, which then ends it.
    with log.open("wb") as errors, subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            with undisturbed():
                _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _announced(process: subprocess.Popen[bytes], log: Path) -> str:
    """The URL that the server says."""
    assert process.stdout is not None, "it was asked for a pipe"
    readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline() if readable else b""
    if not line:
        said = log.read_text(errors="replace").strip().splitlines()
        reason = said[-1].removeprefix("elasticlake: ") if said else f"it said nothing in {START_SECONDS:.0f} s"
        raise CommandFailed(f"the server did not start: {reason}")
    return str(json.loads(line)["url"])


def _credentials(folder: Path) -> dict[str, str]:
    names = {
        "access_key_id": "accessKeyId",
        "secret": "secretAccessKey",
        "api_token": "apiToken",
        "dashboard_password": "dashboardPassword",
    }
    try:
        kept = json.loads((folder / "credentials.json").read_bytes())
        return {ours: str(kept[name]) for ours, name in names.items()}
    except (OSError, ValueError, KeyError, TypeError):
        raise CommandFailed(f"{folder} has no credentials.json with all credentials: take another folder") from None
