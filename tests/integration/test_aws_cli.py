"""The aws command line."""

from __future__ import annotations

import hashlib
import random
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.programs import aws_environment, make_tree, read_tree, run
from tests.integration.server import Server

MIB = 1024 * 1024
AWS = Path(sys.executable).with_name("aws")

Aws = Callable[..., str]


@pytest.fixture
def aws(server: Server, tmp_path: Path) -> Aws:
    """Runs `aws s3 …`."""
    environment = aws_environment(server, tmp_path)
    return lambda *arguments: run(AWS, "s3", *arguments, env=environment)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_cp_of_200_mib_there_and_back(aws: Aws, bucket: str, tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(200 * MIB)
        chance = random.Random(200)
        for start in range(0, 200 * MIB, 4 * MIB):  # holes between the noise
            file.seek(start)
            file.write(chance.randbytes(64 * 1024))
    aws("cp", "--no-progress", large, f"s3://{bucket}/large")
    aws("cp", "--no-progress", f"s3://{bucket}/large", tmp_path / "back")
    assert sha256(tmp_path / "back") == sha256(large)


def test_sync_and_rm(aws: Aws, s3: Any, bucket: str, tmp_path: Path) -> None:
    files = make_tree(tmp_path / "tree")
    aws("sync", tmp_path / "tree", f"s3://{bucket}/tree")
    aws("sync", f"s3://{bucket}/tree", tmp_path / "back")
    assert read_tree(tmp_path / "back") == files
    assert aws("sync", tmp_path / "tree", f"s3://{bucket}/tree") == ""  # nothing left to do
    (tmp_path / "tree/empty").unlink()
    assert "delete:" in aws("sync", "--delete", tmp_path / "tree", f"s3://{bucket}/tree")
    aws("rm", "--recursive", f"s3://{bucket}/tree")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_mb_ls_presign_mv_rb(aws: Aws, bucket_name: str, tmp_path: Path) -> None:
    aws("mb", f"s3://{bucket_name}")
    (tmp_path / "file").write_bytes(b"content")
    aws("cp", tmp_path / "file", f"s3://{bucket_name}/a b")
    link = aws("presign", f"s3://{bucket_name}/a b").strip()
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == b"content"
    aws("mv", f"s3://{bucket_name}/a b", f"s3://{bucket_name}/c")
    assert aws("ls", f"s3://{bucket_name}/").split()[2:] == ["7", "c"]
    aws("rb", "--force", f"s3://{bucket_name}")
    assert bucket_name not in aws("ls")
