"""How `elasticlake serve` starts, and how it says that it cannot."""

from __future__ import annotations

import json
import os
import pty
import select
import socket
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

import pytest
from tests.integration.conftest import Spawn, s3_client
from tests.integration.receiver import eventually
from tests.integration.server import (
    ACCESS_KEY,
    API_TOKEN,
    CREDENTIALS,
    SECRET_KEY,
    Server,
    clean_environment,
    elasticlake,
)

NAMES = ["accessKeyId", "secretAccessKey", "apiToken", "dashboardPassword"]


def refusal_of(*options: str | Path, **variables: str) -> str:
    """The one line with which a server refuses to start."""
    ran = elasticlake("serve", "--listen", "127.0.0.1:0", *options, **variables)
    assert ran.returncode != 0
    assert "Traceback" not in ran.stderr
    assert ran.stderr.count("\n") == 1, ran.stderr
    return ran.stderr.strip()


def test_a_second_server_on_the_same_data_is_refused(server: Server) -> None:
    line = refusal_of("--data", server.data)
    assert line.startswith("elasticlake: another server")
    assert str(server.data) in line
    assert server.request("GET", "/v1/health")["status"] == "ok"


def test_a_port_in_use(server: Server, tmp_path: Path) -> None:
    ran = elasticlake("serve", "--data", tmp_path / "data", "--listen", server.address)
    assert (ran.returncode, ran.stderr) == (
        1, f"elasticlake: cannot listen at {server.address}: Address already in use; --listen takes another\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--workers", "0"], "workers"),
        (["--listen", "nowhere"], "listen"),
        (["--min-free-space", "much"], "min-free-space"),
        (["--egress-allow", "10.0.0.0/99"], "egress-allow"),
        (["--log-level", "loud"], "log-level"),
        (["--tls-cert", "cert.pem"], "--tls-key"),
        (["--tls-cert", "missing.pem", "--tls-key", "missing.pem"], "missing.pem"),
        (["--config", "missing.toml"], "missing.toml"),
        (["--master-key-file", "missing.key"], "missing.key"),
        (["--data", "/dev/null/data"], "/dev/null/data"),
    ],
)
def test_a_bad_option_is_one_line(tmp_path: Path, options: list[str], named: str) -> None:
    assert named in refusal_of("--data", tmp_path / "data", *options)


def test_a_bad_variable_or_line_of_the_file_is_one_line(tmp_path: Path) -> None:
    assert "workers" in refusal_of("--data", tmp_path / "data", ELASTICLAKE_WORKERS="many")
    assert "none.toml" in refusal_of("--data", tmp_path / "data", ELASTICLAKE_CONFIG="none.toml")
    (tmp_path / "bad.toml").write_text("wrkers = 2\n")
    assert "wrkers" in refusal_of("--data", tmp_path / "data", "--config", tmp_path / "bad.toml")
    (tmp_path / "broken.toml").write_text("workers = \n")
    assert "broken.toml" in refusal_of("--data", tmp_path / "data", "--config", tmp_path / "broken.toml")


def test_options_before_variables_before_the_file(spawn: Spawn, tmp_path: Path) -> None:
    config = tmp_path / "elasticlake.toml"
    config.write_text('access_log = true\nworkers = 3\nlog_format = "text"\ndomain = ["s3.test"]\n')
    server = spawn("--config", str(config), "--log-format", "json", env={**CREDENTIALS, "ELASTICLAKE_WORKERS": "2"})
    server.start()
    assert len(server.gateway_pids) == 2
    s3_client(server).list_buckets()
    line = eventually(lambda: server.log.splitlines())[-1]  # written after the answer is
    assert json.loads(line)["operation"] == "ListBuckets"


@pytest.mark.both_engines
def test_a_wrong_master_key_refuses_to_start(spawn: Spawn, tmp_path: Path) -> None:
    server = spawn()
    server.start()
    server.stop()
    line = refusal_of("--data", server.data, ELASTICLAKE_MASTER_KEY=b64encode(bytes(32)).decode(), **server.where)
    assert "master key" in line
    kept = (server.data / "master.key").rename(tmp_path / "kept.key")
    assert "master.key is missing" in refusal_of("--data", server.data, **server.where)
    moved = Server(server.data, "--master-key-file", str(kept), metadata=server.metadata).start()
    moved.close()


@pytest.mark.both_engines
def test_blobs_in_another_place_refuse_to_start(spawn: Spawn) -> None:
    """Each would answer for objects whose bodies it cannot find."""
    server = spawn()
    server.start()
    server.stop()
    line = refusal_of("--data", server.data, "--blobs", "s3://elsewhere/prefix", **server.where)
    assert "DATA/blobs" in line
    assert "s3://elsewhere/prefix" in line
    assert server.start().request("GET", "/v1/health")["status"] == "ok"


def test_two_servers_over_one_database_keep_blobs_in_one_place(
    server: Server, bucket: str, postgres_url: str, tmp_path: Path
) -> None:
    migrated = elasticlake("migrate", ELASTICLAKE_METADATA=postgres_url)
    assert migrated.returncode == 0, migrated.stderr
    remote = {**CREDENTIALS, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    blobs = ("--blobs", f"s3://{bucket}/blobs?endpoint={server.url}&region=eu-central-1")
    first = Server(tmp_path / "first", *blobs, env=remote, metadata=postgres_url).start()
    try:
        key = ("--master-key-file", first.data / "master.key")
        line = refusal_of("--data", tmp_path / "second", *key, **first.where)
        assert f"s3://{bucket}/blobs" in line
        assert "DATA/blobs" in line
    finally:
        first.close()


@pytest.mark.parametrize(
    ("place", "secret", "said"),
    [
        ("no-such-bucket-here/blobs", SECRET_KEY, "bucket does not exist"),
        ("{bucket}/blobs", "wrong", "refuses these credentials"),
    ],
)
def test_a_blob_store_that_cannot_be_used_is_one_line(
    server: Server, bucket: str, tmp_path: Path, place: str, secret: str, said: str
) -> None:
    blobs = f"s3://{place.format(bucket=bucket)}?endpoint={server.url}&region=eu-central-1"
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": secret}
    line = refusal_of("--data", tmp_path / "data", "--blobs", blobs, **keys)
    assert said in line
    assert place.format(bucket=bucket) in line
    # Whoever mends the option is not held to what it was.
    mended = Server(tmp_path / "data").start()
    mended.close()


def test_the_master_key_and_the_folder_are_private(spawn: Spawn) -> None:
    server = spawn()
    server.start()
    assert server.data.stat().st_mode & 0o777 == 0o700
    assert (server.data / "master.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.both_engines
def test_missing_credentials_are_made_and_kept(spawn: Spawn) -> None:
    server = spawn(env={})
    server.start()
    path = server.data / "credentials.json"
    made = json.loads(path.read_text())
    assert list(made) == NAMES
    assert path.stat().st_mode & 0o777 == 0o600
    assert str(path) in server.output
    for secret in made.values():
        assert secret not in server.output + server.log
    assert s3_client(server, made["accessKeyId"], made["secretAccessKey"]).list_buckets()["Buckets"] == []
    assert server.request("GET", "/v1/lakes", token=made["apiToken"])["items"] is not None
    server.stop()
    server.start()
    assert json.loads(path.read_text()) == made


def test_given_credentials_are_not_written_down(spawn: Spawn) -> None:
    server = spawn()
    server.start()
    assert not (server.data / "credentials.json").exists()
    partly = spawn(env={"ELASTICLAKE_API_TOKEN": API_TOKEN})
    partly.start()
    assert "apiToken" not in json.loads((partly.data / "credentials.json").read_text())
    assert partly.request("GET", "/v1/lakes")["items"] is not None


def test_a_damaged_credentials_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text('{"accessKeyId": 7}')
    assert "credentials.json is damaged" in refusal_of("--data", tmp_path)


def read_terminal(handle: int, until: bytes, seconds: float = 20) -> bytes:
    shown, give_up_at = b"", time.monotonic() + seconds
    while until not in shown:
        assert time.monotonic() < give_up_at, shown
        if select.select([handle], [], [], 0.1)[0]:
            shown += os.read(handle, 65536)
    return shown


def test_a_terminal_is_shown_new_credentials_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shown = [_start_on_terminal(data, until) for until in (b"hello.txt", b"credentials.json")]
    made = json.loads((data / "credentials.json").read_text())
    for secret in made.values():
        assert secret.encode() in shown[0]
        assert secret.encode() not in shown[1]


def _start_on_terminal(data: Path, until: bytes) -> bytes:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "elasticlake", "serve", "--data", str(data), "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(command, env=clean_environment(), stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        return read_terminal(ours, until)
    finally:
        process.terminate()
        process.wait(40)
        os.close(ours)


@pytest.mark.parametrize("host", ["[::1]", "localhost", "0.0.0.0"])
def test_other_addresses(spawn: Spawn, host: str) -> None:
    server = spawn(host=host)
    server.start()
    assert server.output.startswith(f"ElasticLake serves S3, REST and the dashboard at http://{host}:{server.port}\n")


def test_dead_processes_are_started_again(spawn: Spawn) -> None:
    server = spawn()
    server.start()
    s3 = s3_client(server)
    s3.create_bucket(Bucket="survivor")
    before = server.pids()
    for pid in (*server.gateway_pids, server.dispatcher_pid):
        os.kill(pid, 9)
    eventually(lambda: len(server.pids()) == len(before) and not set(server.pids()[1:]) & set(before))
    # The listening socket is the supervisor's, so a connection made meanwhile waits instead of being refused.
    with socket.create_connection(("127.0.0.1", server.port)):
        assert s3_client(server).head_bucket(Bucket="survivor")
