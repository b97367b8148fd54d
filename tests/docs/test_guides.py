"""What the guides tell their readers to type works as it stands, with nothing replaced but ports."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from tests.conftest import NODE_SDK
from tests.docs.desk import Desk, titled
from tests.docs.documents import Document, blocks

S3 = Document("docs/s3.md")
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
