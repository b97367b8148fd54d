"""A server outgrows its folder: everything goes on over PostgreSQL and an object store, where it had stopped."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.integration.conftest import Spawn, s3_client
from tests.integration.receiver import Receiver, eventually
from tests.integration.server import ACCESS_KEY, CREDENTIALS, SECRET_KEY, Server, clean_environment, elasticlake
from tests.integration.test_backup import PART_BYTES, body_of, put_objects
from tests.postgres import Postgres

from elasticlake.signing import page_signature

# A move begins in a folder, and each says itself where it wants PostgreSQL.
pytestmark = pytest.mark.embedded

BUCKET = "lake1--pond1--backup"
SECRET = "webhook-secret-of-the-move"
BACKLOG = 120
STORE = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


@pytest.fixture
def store(spawn: Spawn, tmp_path: Path) -> str:
    """The URL of an object store: a second ElasticLake."""
    server = spawn(data=tmp_path / "store").start()
    s3_client(server).create_bucket(Bucket="blobs")
    return f"s3://blobs/lake?endpoint={server.url}&region=us-east-1"


def move(source: Server, *options: str) -> subprocess.CompletedProcess[str]:
    return elasticlake("migrate-data", "--from", source.data, *options, **STORE)


def moved(source: Server, *options: str) -> dict[str, Any]:
    """What the move says of itself; it must succeed."""
    ran = move(source, "--json", *options)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def serve(spawn: Spawn, source: Server, data: Path, *options: str, with_credentials: bool = True) -> Server:
    """A server over what was moved, with a folder of its own and the same master key."""
    environment = {**STORE, **(CREDENTIALS if with_credentials else {})}
    key = str(source.data / "master.key")
    return spawn("--master-key-file", key, *options, data=data, env=environment).start()


def findings(data: Path, *options: str) -> list[str]:
    ran = elasticlake("check", "--data", data, "--json", *options, **STORE)
    assert ran.stdout, ran.stderr
    found: list[str] = json.loads(ran.stdout)["findings"]
    return found


def is_moving(url: str) -> bool:
    """Whether a move has got hold of the database."""
    with psycopg.connect(url) as database:
        held = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 7238003 AND granted"
        return database.execute(held).fetchone() is not None


def content(s3: Any, key: str) -> tuple[bytes, dict[str, Any]]:
    answer = s3.get_object(Bucket=BUCKET, Key=key)
    kept = ("ETag", "ContentType", "CacheControl", "Metadata", "LastModified", "ContentLength")
    return answer["Body"].read(), {name: answer.get(name) for name in kept}


def test_everything_goes_on_where_it_stopped(
    spawn: Spawn, store: str, postgres_url: str, receiver: Receiver, tmp_path: Path
) -> None:
    source = spawn().start()
    s3 = s3_client(source)
    s3.create_bucket(Bucket=BUCKET)
    s3.create_bucket(Bucket="plain-bucket", ACL="public-read")
    put_objects(s3)
    s3.put_object(
        Bucket=BUCKET,
        Key="described/é \x7f",
        Body=b"small",
        ContentType="text/x-mine",
        CacheControl="max-age=7",
        Metadata={"owner": "ann"},
        ACL="public-read",
        ChecksumAlgorithm="SHA256",
    )
    s3.put_object(Bucket=BUCKET, Key="gone", Body=b"x")
    s3.delete_object(Bucket=BUCKET, Key="gone")
    source.request("POST", "/v1/accounts", {"id": "ann", "displayName": "Ann", "email": "ann@example.com"})
    key = source.request("POST", "/v1/accounts/ann/keys", {})
    token = source.request("POST", "/v1/tokens", {"name": "reader", "access": "read"})["token"]
    upload = {"Bucket": BUCKET, "Key": "continued"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    first = s3.upload_part(**upload, PartNumber=1, Body=body_of(1, PART_BYTES))["ETag"]
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    before = {name: content(s3, name) for name in keys}

    # It has delivered half of its backlog when its server stops.
    receiver.answer = lambda earlier: 200 if earlier < BACKLOG // 2 else 503
    definition = {"bucket": BUCKET, "endpoint": receiver.url("/half"), "events": ["object:created"], "secret": SECRET}
    source.request("POST", "/v1/webhooks", {**definition, "ordering": "bucket"})
    for number in range(BACKLOG):
        s3.put_object(Bucket=BUCKET, Key=f"backlog/{number}", Body=b"%d" % number)
    receiver.wait_for(BACKLOG // 2 + 1, "/half")
    assert source.stop() == 0
    before_move = receiver.at("/half")
    delivered = [one.event["sequence"] for one in before_move[: BACKLOG // 2]]

    summary = moved(source, "--to", postgres_url, "--to-blobs", store)
    assert (summary["differences"], summary["findings"], summary["wasDone"]) == ([], [], False)
    assert summary["blobs"] >= 10
    assert summary["checkedObjects"] == len(keys) + BACKLOG
    assert summary["rows"]["attempts"] >= BACKLOG // 2

    receiver.answer = lambda _: 200
    target = serve(spawn, source, tmp_path / "node", "--metadata", postgres_url, "--blobs", store)
    s3 = s3_client(target)
    assert {name: content(s3, name) for name in keys} == before
    s3_client(target, key["accessKeyId"], key["secretAccessKey"]).list_buckets()
    assert target.request("GET", "/v1/buckets", token=token)["items"]
    assert target.refusal("POST", "/v1/lakes", {"lake": "x1", "name": "X"}, token=token)["status"] == 403
    second = s3.upload_part(**upload, PartNumber=2, Body=b"end")["ETag"]
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate((first, second), 1)]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert content(s3, "continued")[0] == body_of(1, PART_BYTES) + b"end"

    # The rest of the backlog, the failed one first; the new event last, its sequence the next one.
    rest = BACKLOG - len(delivered) + 1
    arrived = receiver.wait_for(len(before_move) + rest, "/half")[len(before_move) :]
    sequences = [one.event["sequence"] for one in arrived if one.event["object"]["key"].startswith("backlog/")]
    assert delivered + sequences == list(range(delivered[0], delivered[0] + BACKLOG))
    assert all(one.headers["x-elasticlake-signature"] == page_signature(SECRET, one.body) for one in arrived)
    assert arrived[-1].event["object"]["key"] == "continued"
    assert arrived[-1].event["sequence"] == sequences[-1] + 1
    for one in (before_move[0], arrived[0]):
        delivery = target.request("GET", f"/v1/deliveries/{one.headers['x-elasticlake-delivery']}")
        assert delivery["status"] == "delivered"
        assert delivery["attemptLog"], "its history came along"
    assert target.stop() == 0
    assert len(receiver.at("/half")) == len(before_move) + rest, "nothing came twice"
    assert findings(tmp_path / "node", "--metadata", postgres_url, "--blobs", store) == []


def test_blobs_may_stay_and_generated_credentials_come_along(spawn: Spawn, postgres_url: str, tmp_path: Path) -> None:
    source = spawn(env={}).start()
    kept = json.loads((source.data / "credentials.json").read_text())
    s3 = s3_client(source, kept["accessKeyId"], kept["secretAccessKey"])
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="large", Body=body_of(1, 70_000))
    assert source.stop() == 0
    assert moved(source, "--to", postgres_url)["blobsAt"] == str(source.data / "blobs")

    ran = elasticlake("serve", "--data", source.data, "--listen", "127.0.0.1:0")
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "was moved to postgresql://" in ran.stderr
    (source.data / "credentials.json").unlink()
    target = serve(spawn, source, source.data, "--metadata", postgres_url, with_credentials=False)
    s3 = s3_client(target, kept["accessKeyId"], kept["secretAccessKey"])
    assert content(s3, "large")[0] == body_of(1, 70_000)
    s3.put_object(Bucket=BUCKET, Key="later", Body=body_of(2, 70_000))
    assert target.stop() == 0
    assert findings(source.data, "--metadata", postgres_url) == []


def test_killed_at_any_moment_it_goes_on(spawn: Spawn, store: str, postgres: Postgres, tmp_path: Path) -> None:
    source = spawn().start()
    s3 = s3_client(source)
    s3.create_bucket(Bucket=BUCKET)
    digests = put_objects(s3)
    for number in range(40):
        s3.put_object(Bucket=BUCKET, Key=f"blob/{number}", Body=body_of(number, 70_000))
    assert source.stop() == 0
    url = postgres.create_database()
    options = ["--from", str(source.data), "--to", url, "--to-blobs", store, "--json"]
    command = [sys.executable, "-m", "elasticlake", "migrate-data", *options]
    chance, killed = random.Random(7), 0
    for _ in range(5):
        running = subprocess.Popen(command, env=clean_environment(**STORE), stdout=subprocess.PIPE)
        eventually(lambda: is_moving(url) or running.poll() is not None)  # noqa: B023
        time.sleep(chance.uniform(0, 0.4))
        running.send_signal(signal.SIGKILL)
        running.communicate()
        killed += running.returncode == -signal.SIGKILL
    assert killed, "every run had ended before its time: nothing is proven"
    summary = moved(source, "--to", url, "--to-blobs", store)
    assert (summary["rows"]["objects"], summary["blobs"]) == (len(digests) + 40, summary["rows"]["manifests"])
    target = serve(spawn, source, tmp_path / "node", "--metadata", url, "--blobs", store)
    assert content(s3_client(target), "blob/39")[0] == body_of(39, 70_000)
    assert target.stop() == 0
    assert findings(tmp_path / "node", "--metadata", url, "--blobs", store) == []
    postgres.drop_database(url)


def test_a_refusal_is_one_line(spawn: Spawn, postgres_url: str, tmp_path: Path) -> None:
    source = spawn().start()
    for options, said in (
        (("--to", postgres_url), "stop it first"),
        (("--to", "mysql://x/y"), "write postgresql://"),
        (("--to", postgres_url, "--to-blobs", "ftp://x"), "--to-blobs: write s3://"),
    ):
        ran = move(source, *options)
        assert ran.returncode in (1, 2)
        assert (ran.stdout, ran.stderr.count("\n")) == ("", 1)
        assert said in ran.stderr
    assert source.stop() == 0
    ran = move(source, "--to", "postgresql://elasticlake@127.0.0.1:1/none")
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "cannot be reached" in ran.stderr
    ran = elasticlake("migrate-data", "--from", tmp_path / "nowhere", "--to", postgres_url)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "there is no ElasticLake data in" in ran.stderr
