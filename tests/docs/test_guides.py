"""What the guides tell their readers to type works as it stands, with nothing replaced but ports."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import NODE_SDK
from tests.docs import eventbridge
from tests.docs.desk import Desk, titled
from tests.docs.documents import Document, blocks, codes, rows
from tests.integration.conftest import s3_client
from tests.integration.server import Server

from elasticlake.service.where import compile_where

S3 = Document("docs/s3.md")
FROM_S3 = Document("docs/from-s3.md")
FROM_MINIO = Document("docs/from-minio.md")
TOOLS = "lake1--pond1--tools"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for all the guides: each has buckets of its own. The AWS CLI's block has been typed."""
    sitting = Desk(tmp_path_factory.mktemp("desk"))
    seen = sitting.type(titled(S3, "aws"))
    assert " 13 hello.txt\n" in seen
    assert (sitting.folder / "copy/hello.txt").read_text() == "Hello, lake.\n"
    yield sitting
    sitting.close()


def test_every_block_on_s3_is_run() -> None:
    run = {
        "variables",
        "aws",
        "with_boto3.py",
        "// with_sdk.mjs",
        "rclone",
        "s3cmd",
        "restic",
        "s3fs",
        "with_duckdb.py",
    }
    run |= {"presigned", "multipart", "conditional", "checksums", "acl"}
    assert {block.text.split("\n", 1)[0].removeprefix("# ") for block in blocks(S3.text)} == run


def test_s3_from_python(desk: Desk) -> None:
    program = desk.save(titled(S3, "with_boto3.py"))
    assert 'boto3/a.json 2 "99914b932bd37a50b983c5e7c90ae93b"' in desk.run(f"python {program}")
    program = desk.save(titled(S3, "with_duckdb.py"))
    assert "[('Bern', 4), ('Bonn', 2)]" in desk.run(f"python {program}")


@pytest.mark.needs_node
def test_s3_from_javascript(desk: Desk) -> None:
    (block,) = (block for block in blocks(S3.text) if block.language == "js")
    os.symlink(NODE_SDK.parents[1], desk.folder / "node_modules")
    assert "js/a.txt 15\n" in desk.run(f"node {desk.save(block)}")


@pytest.mark.needs_debian_tools("rclone", "s3cmd", "restic")
def test_s3_with_debians_tools(desk: Desk) -> None:
    assert "0 differences found" in desk.type(titled(S3, "rclone"))
    assert f"s3://{TOOLS}/s3cmd/hello.txt" in desk.type(titled(S3, "s3cmd"))
    assert "no errors were found" in desk.type(titled(S3, "restic"))


@pytest.mark.needs_debian_tools("s3fs")
def test_s3_through_a_mount(desk: Desk) -> None:
    desk.type(titled(S3, "s3fs"))
    assert "from-s3fs.txt" in desk.run(f"aws s3 ls s3://{TOOLS}/")


def test_s3s_features(desk: Desk) -> None:
    assert "Hello, lake." in desk.type(titled(S3, "presigned"))
    assert "left.bin\n" in desk.type(titled(S3, "multipart"))
    assert "PreconditionFailed" in desk.type(titled(S3, "conditional"))
    assert desk.type(titled(S3, "checksums")).endswith("=\n")
    assert "Hello, lake." in desk.type(titled(S3, "acl"))


def test_an_s3_configuration_is_kept(desk: Desk) -> None:
    desk.type(titled(FROM_S3, "configuration"))
    test, put = desk.receiver.wait_for(2, "/s3")
    assert test.event["Event"] == "s3:TestEvent"
    (record,) = put.event["Records"]
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "images/cat.jpg")
    assert record["s3"]["configurationId"] == "images"
    (desk.folder / "thumbnails.py").write_text(
        "def lambda_handler(event, context):\n"
        "    print([record['s3']['object']['key'] for record in event['Records']], context)\n"
    )
    (desk.folder / "put.json").write_text(json.dumps([put.body.decode(), put.headers]))
    desk.save(titled(FROM_S3, "lambda_receiver.py"))
    seen = desk.run(
        "WEBHOOK_SECRET=my-webhook-secret python -c '"
        'import json, lambda_receiver as mine; body, headers = json.load(open("put.json")); '
        "print([mine.receiver.handle(body.encode(), headers).status for _ in range(2)])'"
    )
    assert seen == "['images/cat.jpg'] None\n[204, 204]\n"


def test_eventbridges_patterns_choose_what_the_filters_choose(desk: Desk) -> None:
    bucket = "shop--web--patterns"
    desk.run(
        f"aws s3 mb s3://{bucket}\n: > empty && head -c 1048577 /dev/zero > large && echo x > small\n"
        "for key in uploads/a.jpg logs/app/error.txt README.md; do aws s3 cp small s3://BUCKET/$key; done\n"
        "aws s3 cp large s3://BUCKET/uploads/large.png\naws s3 cp empty s3://BUCKET/readme.MD\n"
        "aws s3 cp s3://BUCKET/README.md s3://BUCKET/logs/error.txt".replace("BUCKET", bucket)
    )
    token = desk.run('echo -n "$ELASTICLAKE_API_TOKEN"')
    events = desk.server.request("GET", f"/v1/buckets/{bucket}/events", token=token)["items"]
    assert len(events) == 6
    table = rows(FROM_S3.section("EventBridge patterns"), "pattern", "options")
    for pattern, options in ((json.loads(codes(pattern)[0]), codes(options)[0]) for pattern, options in table):
        wanted = {event["sequence"] for event in events if eventbridge.matches(pattern, eventbridge.detail(event))}
        draft = {"bucket": bucket, **eventbridge.rules(options)}
        answer = desk.server.request("POST", "/v1/explain", {"webhook": draft}, token=token)
        assert {item["sequence"] for item in answer["items"] if item["matches"]} == wanted, options
        assert 0 < len(wanted) < 6, pattern


def test_every_expression_on_coming_from_s3_is_taken() -> None:
    for block in blocks(FROM_S3.text):
        if block.language == "cel":
            compile_where(block.text.strip())


@pytest.mark.needs_debian_tools("rclone")
def test_moving_from_minio(desk: Desk, tmp_path: Path) -> None:
    """Another ElasticLake is the old side: of it, too, only S3 is asked."""
    keys = {"ELASTICLAKE_ROOT_ACCESS_KEY": "minio-key", "ELASTICLAKE_ROOT_SECRET_KEY": "minio-secret"}
    old = Server(tmp_path / "old", env=keys).start()
    try:
        desk.ports["9500"] = old.port
        _move(desk, s3_client(old, *keys.values()))
    finally:
        old.close()


def _move(desk: Desk, old: Any) -> None:
    moved, target = "shop--web--moved", desk.save(titled(FROM_MINIO, "move.sh"))
    old.create_bucket(Bucket="photos")
    old.put_object(Bucket="photos", Key="a b/größe.jpg", Body=b"cat", ContentType="image/jpeg", Metadata={"by": "ann"})
    old.put_object(Bucket="photos", Key="replaced.txt", Body=b"first")
    desk.type(titled(FROM_MINIO, "first copy"))
    desk.type(titled(FROM_MINIO, "webhook"))
    old.put_object(Bucket="photos", Key="late.txt", Body=b"late")
    desk.run(f"echo newer > newer.txt && aws s3 cp newer.txt s3://{moved}/replaced.txt")
    assert "They differ yet" in desk.type(titled(FROM_MINIO, "last copy"))
    assert target.name == "move.sh"
    assert desk.run(f"aws s3 cp --quiet s3://{moved}/replaced.txt -") == "newer\n"
    head = json.loads(desk.run(f"aws s3api head-object --bucket {moved} --key 'a b/größe.jpg'"))
    assert (head["ContentType"], head["Metadata"]["by"]) == ("image/jpeg", "ann")
    told = [
        record["s3"]["object"]["key"] for one in desk.receiver.wait_for(2, "/moved") for record in one.event["Records"]
    ]
    assert told == ["replaced.txt", "late.txt"]
    assert "completed" in desk.type(titled(FROM_MINIO, "backfill"))
    filled = desk.receiver.wait_for(5, "/moved")[2:]
    assert {one.event["Records"][0]["s3"]["object"]["key"] for one in filled} == {
        "a+b/gr%C3%B6%C3%9Fe.jpg", "late.txt", "replaced.txt",
    }  # fmt: skip


def test_a_handler_of_minios_events_compares_names(desk: Desk) -> None:
    program = desk.save(titled(FROM_MINIO, "names.py"))
    assert (
        desk.run(
            f"cd {program.parent} && python -c 'import names; print({{names.plain(n) for n in "
            '("s3:ObjectCreated:Put", "ObjectCreated:Put")})\''
        )
        == "{'ObjectCreated:Put'}\n"
    )
