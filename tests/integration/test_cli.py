"""The command line against a real server, as a script would use it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.receiver import Receiver, eventually
from tests.integration.server import API_TOKEN, Server, clean_environment, elasticlake

from elasticlake import __version__


def failure(ran: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    """Exit code and the one line of a command that failed."""
    assert ran.stdout == ""
    assert ran.stderr.count("\n") == 1, ran.stderr
    return ran.returncode, ran.stderr.strip()


def test_health_needs_no_token(server: Server) -> None:
    ran = server.cli("health", "--json", token="")
    assert json.loads(ran.stdout) == {"status": "ok", "version": __version__, "role": "all"}


def test_lakes_ponds_and_buckets(server: Server) -> None:
    assert server.cli_json("lake", "create", "clilake", "--name", "Production")["name"] == "Production"
    assert server.cli_json("pond", "create", "clilake--clipond")["name"] == "clipond"
    made = server.cli_json("bucket", "create", "clilake--clipond--one", "--acl", "public-read")
    assert (made["bucket"], made["acl"], made["objects"]) == ("clilake--clipond--one", "public-read", 0)
    assert server.cli_json("lake", "rename", "clilake", "Staging")["name"] == "Staging"
    assert server.cli_json("pond", "rename", "clilake--clipond", "Papers")["name"] == "Papers"
    assert server.cli_json("bucket", "acl", "clilake--clipond--one", "private")["acl"] == "private"
    assert [pond["name"] for pond in server.cli_json("pond", "list", "clilake")] == ["Papers"]
    listed = server.cli_json("bucket", "list", "--lake", "clilake")
    assert [one["bucket"] for one in listed] == ["clilake--clipond--one"]
    assert "clilake" in [lake["lake"] for lake in server.cli_json("lake", "list")]
    table = server.cli("bucket", "list", "--pond", "clilake--clipond").stdout.splitlines()
    assert table[0].split()[:2] == ["BUCKET", "ACCOUNT"]
    assert table[1].split()[:3] == ["clilake--clipond--one", "root", "private"]
    code, line = failure(server.cli("lake", "delete", "clilake"))
    assert code == 1
    assert line.endswith("(409)")
    assert server.cli("bucket", "delete", "clilake--clipond--one").returncode == 0
    server.cli_json("lake", "create", "brief")
    server.cli_json("pond", "create", "brief--pond")
    assert server.cli("pond", "delete", "brief--pond").stdout == "deleted pond brief--pond\n"
    assert server.cli("lake", "delete", "brief").stdout == "deleted lake brief\n"
    assert failure(server.cli("lake", "show", "brief")) == (1, "elasticlake: no such lake brief (404)")


def test_accounts_keys_and_tokens(server: Server) -> None:
    account = server.cli_json("account", "create", "cliacc", "--display-name", "Ann", "--email", "ann@example.com")
    assert account["displayName"] == "Ann"
    key = server.cli_json("key", "create", "cliacc", "--bucket", "some-bucket", "--permission", "read")
    assert key["secretAccessKey"]
    assert key["scope"]["permissions"] == ["read"]
    listed = server.cli_json("key", "list", "cliacc")
    assert [one["accessKeyId"] for one in listed] == [key["accessKeyId"]]
    assert key["secretAccessKey"] not in json.dumps(listed)
    own = server.cli_json("key", "create", "cliacc", "--access-key-id", "MYOWN", "--secret-access-key", "my-own-secret")
    assert (own["accessKeyId"], own["secretAccessKey"]) == ("MYOWN", "my-own-secret")
    assert server.cli("key", "delete", "cliacc", "MYOWN").returncode == 0
    token = server.cli_json("token", "create", "--name", "ci", "--access", "read", "--account", "cliacc")
    assert token["token"]
    assert server.cli("account", "list", token=token["token"]).returncode == 0
    assert server.cli("token", "delete", token["id"]).returncode == 0
    assert failure(server.cli("lake", "list", token=token["token"]))[0] == 4


def test_a_webhook_from_creation_to_redelivery(server: Server, s3: Any, bucket: str, receiver: Receiver) -> None:
    made = server.cli_json(
        "webhook", "create", "--bucket", bucket, "--endpoint", receiver.url(), "--event", "object:created",
        "--retry-schedule", "0.2,0.2", "--timeout", "5", "--name", "mine",
    )  # fmt: skip
    webhook = made["id"]
    assert made["secret"].startswith("whsec_")
    shown = server.cli_json("webhook", "show", webhook)
    assert "secret" not in shown
    assert (shown["retrySchedule"], shown["timeoutSeconds"], shown["name"]) == ([0.2, 0.2], 5, "mine")
    assert [one["id"] for one in server.cli_json("webhook", "list", "--bucket", bucket)] == [webhook]

    assert server.cli_json("webhook", "test", webhook)["status"] == "delivered"
    receiver.answer = lambda _: 500
    s3.put_object(Bucket=bucket, Key="a b", Body=b"x")
    dead = eventually(lambda: server.cli_json("webhook", "deliveries", webhook, "--status", "dead"))[0]
    assert (dead["key"], dead["attempts"], dead["sequence"]) == ("a b", 3, 1)
    log = server.cli_json("webhook", "delivery", dead["id"])["attemptLog"]
    assert [(one["attempt"], one["statusCode"]) for one in log] == [(1, 500), (2, 500), (3, 500)]
    receiver.answer = lambda _: 200
    again = server.cli_json("webhook", "redeliver", dead["id"])
    assert again["id"] != dead["id"]
    last = receiver.wait_for(5)[-1]
    assert last.headers["x-elasticlake-redelivery"] == "true"
    assert last.headers["webhook-id"] == dead["eventId"]
    assert server.cli_json("webhook", "disable", webhook)["status"] == "disabled"
    assert server.cli_json("webhook", "enable", webhook)["status"] == "enabled"
    assert server.cli_json("webhook", "update", webhook, "--event", "object:deleted")["events"] == ["object:deleted"]
    assert server.cli("webhook", "delete", webhook).stdout == f"deleted webhook {webhook}\n"
    assert failure(server.cli("webhook", "show", webhook))[0] == 1


@pytest.fixture
def tail(server: Server, bucket: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "elasticlake", "events", "tail", bucket, "--json"]
    environment = clean_environment(ELASTICLAKE_URL=server.url, ELASTICLAKE_API_TOKEN=API_TOKEN)
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_events_tail_follows(s3: Any, bucket: str, tail: subprocess.Popen[str], server: Server) -> None:
    assert tail.stdout is not None
    s3.put_object(Bucket=bucket, Key="one", Body=b"1")
    first = json.loads(tail.stdout.readline())
    s3.delete_object(Bucket=bucket, Key="one")
    second = json.loads(tail.stdout.readline())
    assert (first["sequence"], first["event"]) == (1, "object:created")
    assert (second["sequence"], second["event"]) == (2, "object:deleted")
    lines = server.cli("events", "tail", bucket, "--no-follow", "--after", "1").stdout.splitlines()
    assert [line.split()[2:] for line in lines] == [["object:deleted", "1", "one"]]


def test_failures_have_a_line_and_a_code(server: Server) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        code, line = failure(elasticlake("lake", "list", ELASTICLAKE_URL=url, ELASTICLAKE_API_TOKEN="x"))
    assert code == 3
    assert line.startswith(f"elasticlake: cannot reach {url}: is the server running?")
    code, line = failure(server.cli("lake", "list", token="wrong"))
    assert code == 4
    assert "token" in line
    code, line = failure(server.cli("bucket", "create", "Not_Valid"))
    assert code == 1
    assert line.startswith("elasticlake: bucket:")
    assert server.cli("lake", "create").returncode == 2
    endpoint = ["--endpoint", "http://169.254.169.254/", "--event", "object:created"]
    code, line = failure(server.cli("webhook", "create", "--lake", "default", *endpoint))
    assert code == 1
    assert line.startswith("elasticlake: endpoint:")
