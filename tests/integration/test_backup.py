"""A backup that is made under load becomes a server; a log older than its positions skips nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import Spawn, s3_client
from tests.integration.kill_load import Writer, stored_digest
from tests.integration.receiver import Receiver, eventually
from tests.integration.server import Server, elasticlake

from elasticlake.signing import page_signature

pytestmark = pytest.mark.embedded

BUCKET = "lake1--pond1--backup"
SECRET = "webhook-secret-of-the-backup"
SIZES_BYTES = (0, 10, 65_536, 70_000, 3_000_000)
PART_BYTES = 5 * 1024 * 1024


def body_of(number: int, size_bytes: int) -> bytes:
    return hashlib.shake_128(f"{number}/{size_bytes}".encode()).digest(size_bytes)


def put_objects(s3: Any) -> dict[str, str]:
    """Objects small and large, and one of two parts; the digest of each by its key."""
    bodies = {f"stays/{number}": body_of(number, size) for number, size in enumerate(SIZES_BYTES * 4)}
    for key, body in bodies.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    parts = [body_of(99, PART_BYTES), b"end"]
    upload = {"Bucket": BUCKET, "Key": "parts"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    etags = [s3.upload_part(**upload, PartNumber=n, Body=part)["ETag"] for n, part in enumerate(parts, 1)]
    listed = [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": listed})
    bodies["parts"] = b"".join(parts)
    return {key: hashlib.md5(body, usedforsecurity=False).hexdigest() for key, body in bodies.items()}


def make_webhook(server: Server, receiver: Receiver) -> str:
    definition = {"bucket": BUCKET, "endpoint": receiver.url(), "events": ["object:created"], "secret": SECRET}
    return str(server.request("POST", "/v1/webhooks", definition)["id"])


def back_up(server: Server, destination: Path, *options: str) -> dict[str, Any]:
    ran = elasticlake("backup", destination, "--data", server.data, "--json", *options)
    assert ran.returncode == 0, ran.stderr
    summary: dict[str, Any] = json.loads(ran.stdout)
    return summary


def findings(data: Path) -> list[str]:
    ran = elasticlake("check", "--data", data, "--json")
    found: list[str] = json.loads(ran.stdout)["findings"]
    return found


@pytest.fixture
def loaded(spawn: Spawn) -> Iterator[tuple[Server, list[Writer]]]:
    """A server with a bucket, and clients that change their own keys in it all the time."""
    server = spawn().start()
    s3_client(server).create_bucket(Bucket=BUCKET)
    writers = [Writer(server, BUCKET, number, seed=3) for number in range(3)]
    for writer in writers:
        writer.start()
    yield server, writers
    for writer in writers:
        writer.stop()


def test_a_backup_under_load_is_a_whole_server(
    loaded: tuple[Server, list[Writer]], spawn: Spawn, receiver: Receiver, tmp_path: Path
) -> None:
    server, writers = loaded
    make_webhook(server, receiver)
    server.request("POST", "/v1/accounts", {"id": "ann", "displayName": "Ann", "email": "ann@example.com"})
    key = server.request("POST", "/v1/accounts/ann/keys", {})
    digests = put_objects(s3_client(server))
    acknowledged = sum(writer.acknowledged for writer in writers)
    summary = back_up(server, tmp_path / "backup", "--with-master-key")
    for writer in writers:
        writer.stop()
    assert sum(writer.acknowledged for writer in writers) > acknowledged > 0, "no load beside it: nothing is proven"
    assert sum(writer.unanswered for writer in writers) == 0
    assert summary["masterKey"]
    assert summary["databases"][:2] == ["delivery.db", "metadata.db"]
    assert summary["blobs"] >= 10
    server.close()

    assert findings(tmp_path / "backup") == []
    restored = spawn(data=tmp_path / "backup").start()
    s3 = s3_client(restored)
    assert {name: stored_digest(s3, BUCKET, name) for name in digests} == digests
    # The secrets of keys and webhooks are read back.
    s3_client(restored, key["accessKeyId"], key["secretAccessKey"]).list_buckets()
    s3.put_object(Bucket=BUCKET, Key="after", Body=b"x")
    last = eventually(lambda: [one for one in list(receiver.requests) if one.event["object"]["key"] == "after"])[0]
    assert last.headers["x-elasticlake-signature"] == page_signature(SECRET, last.body)
    assert "clamped" not in restored.log


def test_without_the_master_key_no_server_starts_on_it(spawn: Spawn, tmp_path: Path) -> None:
    server = spawn().start()
    assert not back_up(server, tmp_path / "backup")["masterKey"]
    assert not (tmp_path / "backup/master.key").exists()
    ran = elasticlake("serve", "--listen", "127.0.0.1:0", "--data", tmp_path / "backup")
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "master.key is missing" in ran.stderr
    shutil.copy(server.data / "master.key", tmp_path / "backup/master.key")
    spawn(data=tmp_path / "backup").start()


def test_the_data_of_a_server_that_was_killed_can_be_backed_up(spawn: Spawn, tmp_path: Path) -> None:
    server = spawn().start()
    s3 = s3_client(server)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"x")
    server.kill9_all()
    assert (server.data / "metadata.db-wal").stat().st_size > 0
    back_up(server, tmp_path / "backup")
    ran = elasticlake("check", "--data", tmp_path / "backup", "--json")
    assert json.loads(ran.stdout) == {"objects": 1, "events": 1, "findings": [], "notes": []}


def test_after_an_older_log_is_restored_the_next_event_arrives(
    spawn: Spawn, receiver: Receiver, tmp_path: Path
) -> None:
    server = spawn().start()
    s3 = s3_client(server)
    s3.create_bucket(Bucket=BUCKET)
    webhook = make_webhook(server, receiver)
    s3.put_object(Bucket=BUCKET, Key="before", Body=b"x")
    receiver.wait_for(1)
    back_up(server, tmp_path / "backup")
    for number in range(5):
        s3.put_object(Bucket=BUCKET, Key=f"lost/{number}", Body=b"x")
    receiver.wait_for(6)
    assert server.stop() == 0
    shutil.copy(tmp_path / "backup/metadata.db", server.data / "metadata.db")
    assert {path.name for path in server.data.glob("*.db*")} == {"metadata.db", "delivery.db"}

    server.start()
    s3.put_object(Bucket=BUCKET, Key="after", Body=b"x")
    event = receiver.wait_for(7)[-1].event
    assert (event["object"]["key"], event["sequence"]) == ("after", 2)
    clamped = [json.loads(line) for line in server.log.splitlines() if "clamped" in line]
    assert [(one["level"], one["webhook"], one["from_sequence"], one["to_sequence"]) for one in clamped] == [
        ("warning", webhook, 6, 1)
    ]
    server.stop()
    server.start()
    assert server.log.count("clamped") == 1
