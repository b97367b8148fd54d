"""Starts what an example needs: an ElasticLake server, unless `ELASTICLAKE_URL` names one, and the example's processes.

Nothing here is for copying: your services are started by whatever starts your services.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from elasticlake import Client
from elasticlake.client import Conflict
from elasticlake.client.models import Webhook

RETRY_SECONDS = (1, 2, 5, 15, 60, 300, 1800, 7200, 36_000)
"""Sooner than the default: whoever tries something out does not wait for minutes."""
STOP_SECONDS = 20.0
AGAIN_SECONDS = 0.5
_ENVIRONMENT = "lake.env"


@contextmanager
def lake(data: Path) -> Iterator[Client]:
    """The server that `ELASTICLAKE_URL` names, else one of our own in `data/lake`, which ends with the block.

    What is started meanwhile has it in its environment, and `join` finds it.
    """
    data.mkdir(mode=0o700, exist_ok=True)
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.default_int_handler)
    if os.environ.get("ELASTICLAKE_URL"):
        (data / _ENVIRONMENT).unlink(missing_ok=True)
        with Client() as client:
            yield client
        return
    server = _spawn(data)
    try:
        _publish(data, _announced(server, data))
        with Client() as client:
            yield client
    finally:
        _hear_no_signals()
        _stop(server)


def join(data: Path) -> Client:
    """A client of the server that `lake` has started, or that `ELASTICLAKE_URL` names; so is the environment."""
    written = data / _ENVIRONMENT
    if not os.environ.get("ELASTICLAKE_URL") and written.exists():
        for word in shlex.split(written.read_text()):
            name, is_variable, value = word.partition("=")
            if is_variable:
                os.environ[name] = value
    return Client()


def make_buckets(client: Client, *names: str) -> None:
    """Make those that do not exist."""
    for name in names:
        with suppress(Conflict):
            client.buckets.create(name)


def subscribe(client: Client, name: str, endpoint: str, secret: str, scope: dict[str, Any], **options: Any) -> Webhook:
    """The webhook of that name, made, or changed to be so."""
    told = {"secret": secret, "retry_schedule": RETRY_SECONDS, **options}
    found = next((webhook for webhook in client.webhooks.list(**scope) if webhook.name == name), None)
    if found is None:
        return client.webhooks.create(endpoint, name=name, **scope, **told)
    return client.webhooks.change(found.id, endpoint=endpoint, status="enabled", **told)


def webhook_secret(data: Path) -> str:
    """`WEBHOOK_SECRET`, else one that was made once and is kept in `data`."""
    kept = data / "webhook-secret"
    if "WEBHOOK_SECRET" not in os.environ:
        if not kept.exists():
            _write_private(kept, secrets.token_urlsafe(32))
        os.environ["WEBHOOK_SECRET"] = kept.read_text()
    return os.environ["WEBHOOK_SECRET"]


def receiver_port() -> int:
    """`PORT`, else a free one."""
    if "PORT" not in os.environ:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            os.environ["PORT"] = str(probe.getsockname()[1])
    return int(os.environ["PORT"])


def receiver_url(port: int) -> str:
    """Where the server reaches the receiver: `RECEIVER_URL`, else this machine."""
    return os.environ.get("RECEIVER_URL", f"http://127.0.0.1:{port}").rstrip("/")


def keep_running(commands: Mapping[str, Sequence[str]], port: int, hint: str) -> None:
    """Run the commands, each again when it ends, until Ctrl-C. Says `hint` once somebody listens at the port."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            running[name] = _start(name, command)
        while True:
            for name in [name for name, process in running.items() if process.poll() is not None]:
                print(f"The {name} has ended.", flush=True)
                time.sleep(AGAIN_SECONDS)
                running[name] = _start(name, commands[name])
            if hint and _listens(port):
                print(hint, flush=True)
                hint = ""
            time.sleep(0.2)
    except KeyboardInterrupt:
        print("Stopping ...", flush=True)
    finally:
        _hear_no_signals()
        _stop(*running.values())


def _spawn(data: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "elasticlake", "serve", "--data", str(data / "lake"), "--listen", "127.0.0.1:0"]
    with (data / "lake.log").open("ab") as log:
        # In a session of its own a Ctrl-C does not reach it: it ends after those that use it.
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, start_new_session=True)


def _announced(server: subprocess.Popen[bytes], data: Path) -> str:
    """The URL that the server says it is at."""
    assert server.stdout is not None
    said = server.stdout.readline().decode().strip()
    if " at http" not in said:
        sys.exit(f"ElasticLake did not start:\n{(data / 'lake.log').read_text()[-2000:]}")
    print(said, flush=True)
    return said.split()[-1]


def _publish(data: Path, url: str) -> None:
    kept = json.loads((data / "lake/credentials.json").read_text())
    variables = {
        "ELASTICLAKE_URL": url,
        "ELASTICLAKE_API_TOKEN": kept["apiToken"],
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": kept["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": kept["secretAccessKey"],
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    os.environ.update(variables)
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    _write_private(data / _ENVIRONMENT, "".join(lines))


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _start(name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command, start_new_session=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    print(f"Started the {name}: process {process.pid}", flush=True)
    return process


def _stop(*processes: subprocess.Popen[bytes]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _hear_no_signals() -> None:
    """Whoever is impatient would leave processes behind."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
