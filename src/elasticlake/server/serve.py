"""`elasticlake serve`: from settings to running processes."""

from __future__ import annotations

import errno
import json
import os
import socket
import ssl
import sys
from pathlib import Path

from elasticlake.config.credentials import FILE_NAME, RootCredentials, load_credentials
from elasticlake.config.settings import Settings
from elasticlake.errors import ElasticLakeError
from elasticlake.server.composition import Installation, agree_on_blobs, choose_engine, load_master_key, require_stores
from elasticlake.server.dispatcher import run_dispatcher
from elasticlake.server.folder import DataFolder
from elasticlake.server.gateway import run_gateway
from elasticlake.server.logs import configure_logs
from elasticlake.server.supervisor import Supervisor
from elasticlake.service import shared_metrics
from elasticlake.service.metrics import Metrics
from elasticlake.service.tracing import require_tracing


class CannotServe(ElasticLakeError):
    """The server cannot start; the message says why."""


def serve(settings: Settings, *, as_json: bool = False) -> int:
    """Run a whole server in the foreground; returns its exit code. Raises `ElasticLakeError` if it cannot start.

    `as_json`: where it is, is said to a program.
    """
    configure_logs(settings, "supervisor")
    # What the server writes is for its own user alone, whatever the folder's permissions are.
    os.umask(0o077)
    _require_usable_tls(settings)
    require_tracing()
    require_stores(settings)
    folder = DataFolder(settings.data)
    try:
        folder.create()
    except OSError as error:
        raise CannotServe(f"the data folder cannot be made: {error}") from None
    folder.lock()
    engine = choose_engine(settings.metadata, folder)
    master_key = load_master_key(settings, folder, engine)
    counted = Metrics()
    counted.positions_clamped(engine.prepare(master_key))
    shared_metrics.begin(folder.metrics, counted)
    if settings.role != "dispatcher":
        agree_on_blobs(settings, engine)
    listener = _listen(settings)
    # After everything that can fail: what is made is shown once, now.
    credentials, made = load_credentials(
        settings, engine.kept_credentials(master_key), lambda made: engine.keep_credentials(made, master_key)
    )
    port = listener.getsockname()[1]
    # From here on a signal to stop waits until it can be obeyed in order: whoever reads the announcement may send one.
    # Once we stop, whoever connects is refused as soon as the gateways take nobody any more.
    supervisor = Supervisor(listener.close)
    if as_json:
        _announce_to_program(settings, port)
    else:
        _announce(settings, port, credentials, made)
    installation = Installation(settings, folder, engine, credentials, master_key, port)
    if settings.role == "dispatcher":
        supervisor.add("dispatcher", lambda: run_dispatcher(installation, listener))
        return supervisor.run()
    if settings.role == "all":
        supervisor.add("dispatcher", lambda: _run_without(listener, installation))
    for number in range(settings.workers):
        supervisor.add(f"gateway-{number}", lambda number=number: run_gateway(installation, listener, number))  # type: ignore[misc]
    return supervisor.run()


def _run_without(listener: socket.socket, installation: Installation) -> None:
    """A dispatcher that keeps no port open which others have closed."""
    listener.close()
    run_dispatcher(installation)


def _require_usable_tls(settings: Settings) -> None:
    """Load the certificate once here: a gateway that cannot would only end and be started again, on and on."""
    if settings.tls_cert is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except OSError as error:
        files = f"{settings.tls_cert} and {settings.tls_key}"
        raise CannotServe(f"TLS cannot be served with {files}: {error.strerror or error}") from None


def _listen(settings: Settings) -> socket.socket:
    """The listening socket. It belongs to the supervisor, so connections wait in it while a gateway restarts."""
    host, port = settings.address
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        hint = "; --listen takes another" if error.errno == errno.EADDRINUSE else ""
        raise CannotServe(f"cannot listen at {settings.listen}: {error.strerror or error}{hint}") from None
    listener.set_inheritable(True)
    return listener


def _announce_to_program(settings: Settings, port: int) -> None:
    """The same in one line of JSON; without the credentials, which are in their file, if they are not given."""
    path = settings.data / FILE_NAME
    where = {"url": settings.local_url(port), "publicUrl": settings.public_url, "role": settings.role}
    print(json.dumps({**where, "credentials": str(path) if path.exists() else None}), flush=True)


def _announce(settings: Settings, port: int, credentials: RootCredentials, made: frozenset[str]) -> None:
    """Where the server is; at the first start on a terminal, also what was made and what to do next."""
    scheme = "https" if settings.tls_cert else "http"
    host = settings.address.host
    local = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    what = "health and metrics of a dispatcher" if settings.role == "dispatcher" else "S3, REST and the dashboard"
    print(f"ElasticLake serves {what} at {local}", flush=True)
    if settings.public_url is not None:
        print(f"Public URL: {settings.public_url}", flush=True)
    path = settings.data / FILE_NAME
    if made and sys.stdout.isatty():
        url = settings.public_url or settings.local_url(port)
        print(_first_steps(settings, url, path, credentials, made), flush=True)
    elif path.exists():
        print(f"Credentials: {path}", flush=True)


def _first_steps(settings: Settings, url: str, path: Path, credentials: RootCredentials, made: frozenset[str]) -> str:
    values = {
        "accessKeyId": ("access key id", credentials.access_key_id),
        "secretAccessKey": ("secret access key", credentials.secret),
        "apiToken": ("REST API token", credentials.api_token),
        "dashboardPassword": ("dashboard password", credentials.dashboard_password),
    }
    shown = "\n".join(f"  {label:18} {value}" for name, (label, value) in values.items() if name in made)
    endpoint = "http://127.0.0.1:5000" if settings.is_developers else "https://your-app.example"
    return _NEXT_STEPS.format(path=path, shown=shown, url=url, endpoint=endpoint)


# Read from the file, or from the variables that the operator gave: a secret is not typed into a shell's history.
_NEXT_STEPS = """
Made just now, kept in {path} and not shown again:

{shown}

Open {url} in a browser and sign in with the dashboard password: it leads to a first webhook in a minute.

Or try it in another terminal, with these as AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and ELASTICLAKE_API_TOKEN:

  export AWS_ENDPOINT_URL={url} AWS_DEFAULT_REGION=us-east-1
  aws s3 mb s3://lake1--pond1--my-bucket

  curl {url}/v1/webhooks -H "Authorization: Bearer $ELASTICLAKE_API_TOKEN" -H 'Content-Type: application/json' \\
    -d '{{"bucket": "lake1--pond1--my-bucket", "endpoint": "{endpoint}/webhooks/storage",
         "events": ["object:created", "object:deleted"], "secret": "my-webhook-secret"}}'

  echo hello | aws s3 cp - s3://lake1--pond1--my-bucket/hello.txt
"""
