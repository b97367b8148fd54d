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
from tests.integration.receiver import Received, eventually
from tests.integration.server import Server

from elasticlake.service.where import compile_where

S3 = Document("docs/s3.md")
FROM_S3 = Document("docs/from-s3.md")
FAQ = Document("docs/faq.md")
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
    assert desk.s3.get_object(Bucket=TOOLS, Key="from-s3fs.txt")["Body"].read() == b"Hello, lake.\n"


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
    desk.s3.create_bucket(Bucket=bucket)
    sizes = {"uploads/a.jpg": 2, "uploads/large.png": 1048577, "logs/app/error.txt": 2, "README.md": 2, "readme.MD": 0}
    for key, size_bytes in sizes.items():
        desk.s3.put_object(Bucket=bucket, Key=key, Body=bytes(size_bytes))
    desk.s3.copy_object(Bucket=bucket, Key="logs/error.txt", CopySource={"Bucket": bucket, "Key": "README.md"})
    events = desk.request("GET", f"/v1/buckets/{bucket}/events")["items"]
    assert len(events) == 6
    table = rows(FROM_S3.section("EventBridge patterns"), "pattern", "options")
    for pattern, options in ((json.loads(codes(pattern)[0]), codes(options)[0]) for pattern, options in table):
        wanted = {event["sequence"] for event in events if eventbridge.matches(pattern, eventbridge.detail(event))}
        draft = {"bucket": bucket, **eventbridge.rules(options)}
        answer = desk.request("POST", "/v1/explain", {"webhook": draft})
        assert {item["sequence"] for item in answer["items"] if item["matches"]} == wanted, options
        assert 0 < len(wanted) < 6, pattern


def test_every_other_block_of_those_who_move_is_run_too() -> None:
    run = {
        "configuration",
        "lambda_receiver.py",
        "names.py",
        "move.sh",
        "first copy",
        "webhook",
        "last copy",
        "backfill",
    }
    shown = [block for page in (FROM_S3, FROM_MINIO) for block in blocks(page.text)]
    assert {block.title for block in shown if block.language != "cel"} == run
    for block in shown:
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
    moved = "shop--web--moved"
    desk.save(titled(FROM_MINIO, "move.sh"))
    old.create_bucket(Bucket="photos")
    old.put_object(Bucket="photos", Key="a b/größe.jpg", Body=b"cat", ContentType="image/jpeg", Metadata={"by": "ann"})
    old.put_object(Bucket="photos", Key="replaced.txt", Body=b"first")
    desk.type(titled(FROM_MINIO, "first copy"))
    desk.type(titled(FROM_MINIO, "webhook"))
    old.put_object(Bucket="photos", Key="late.txt", Body=b"late")
    desk.s3.put_object(Bucket=moved, Key="replaced.txt", Body=b"newer")
    assert "They differ yet" in desk.type(titled(FROM_MINIO, "last copy"))
    assert desk.s3.get_object(Bucket=moved, Key="replaced.txt")["Body"].read() == b"newer"
    head = desk.s3.head_object(Bucket=moved, Key="a b/größe.jpg")
    assert (head["ContentType"], head["Metadata"]["by"]) == ("image/jpeg", "ann")
    assert _keys(desk.receiver.wait_for(2, "/moved")) == ["replaced.txt", "late.txt"]
    assert "completed" in desk.type(titled(FROM_MINIO, "backfill"))
    filled = desk.receiver.wait_for(5, "/moved")[2:]
    assert sorted(_keys(filled)) == ["a+b/gr%C3%B6%C3%9Fe.jpg", "late.txt", "replaced.txt"]


def _keys(came: list[Received]) -> list[str]:
    return [record["s3"]["object"]["key"] for one in came for record in one.event["Records"]]


def test_a_handler_of_minios_events_compares_names(desk: Desk) -> None:
    program = desk.save(titled(FROM_MINIO, "names.py"))
    assert (
        desk.run(
            f"cd {program.parent} && python -c 'import names; print({{names.plain(n) for n in "
            '("s3:ObjectCreated:Put", "ObjectCreated:Put")})\''
        )
        == "{'ObjectCreated:Put'}\n"
    )


def test_the_answers_to_questions_can_be_typed(desk: Desk) -> None:
    bucket = "faq--first--files"
    desk.s3.create_bucket(Bucket=bucket)
    desk.s3.put_object(Bucket=bucket, Key="before.txt", Body=b"")
    told = {"bucket": bucket, "endpoint": desk.receiver.url("/faq"), "events": ["object:created"]}
    webhook = desk.request("POST", "/v1/webhooks", told)["id"]
    desk.run(f"BUCKET={bucket} WEBHOOK={webhook}")
    desk.s3.put_object(Bucket=bucket, Key="hello.txt", Body=b"")
    assert webhook in eventually(lambda: _settled(desk, "who"))
    shown = desk.type(titled(FAQ, "nothing arrives"))
    assert all(word in shown for word in ("enabled", "closed", "delivered", "2 of 2 match"))
    desk.type(titled(FAQ, "missed"))
    assert "completed" in desk.type(titled(FAQ, "before"))
    filled = [one.event for one in desk.receiver.at("/faq") if one.event.get("backfill")]
    assert {event["object"]["key"] for event in filled} == {"before.txt", "hello.txt"}
    desk.s3.put_object(Bucket=bucket, Key="thumbnails/hello.txt", Body=b"")
    desk.type(titled(FAQ, "loop"))
    refused = desk.request("POST", f"/v1/webhooks/{webhook}/explain", {"limit": 1})["items"]
    assert [(item["key"], item["refusedBy"]) for item in refused] == [("thumbnails/hello.txt", "where")]
    assert "whsec_" in desk.type(titled(FAQ, "leaked"))
    desk.type(titled(FAQ, "backup"))
    run = {"nothing arrives", "missed", "who", "loop", "before", "backup", "leaked"}
    assert {block.title for block in blocks(FAQ.text)} == run


def _settled(desk: Desk, title: str) -> str:
    """What the block prints once the outcome is stored, a moment after the receiver has the delivery."""
    seen = desk.type(titled(FAQ, title))
    return seen if "delivered" in seen else ""
