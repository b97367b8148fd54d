"""minio-py."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest
from minio import Minio
from minio.commonconfig import CopySource
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from tests.integration.server import ACCESS_KEY, SECRET_KEY, Server

MIB = 1024 * 1024


@pytest.fixture
def minio(server: Server) -> Minio:
    return Minio(server.address, ACCESS_KEY, SECRET_KEY, secure=False)


def test_a_round_trip(minio: Minio, bucket_name: str, tmp_path: Path) -> None:
    minio.make_bucket(bucket_name)
    assert minio.bucket_exists(bucket_name)
    minio.put_object(bucket_name, "a/ü.txt", io.BytesIO(b"hello"), 5, "text/plain", metadata={"color": "blue"})
    stat = minio.stat_object(bucket_name, "a/ü.txt")
    assert (stat.size, stat.content_type, stat.metadata["x-amz-meta-color"]) == (5, "text/plain", "blue")
    minio.copy_object(bucket_name, "b", CopySource(bucket_name, "a/ü.txt"))
    assert [entry.object_name for entry in minio.list_objects(bucket_name, recursive=True)] == ["a/ü.txt", "b"]
    assert {entry.object_name for entry in minio.list_objects(bucket_name)} == {"a/", "b"}
    with urlopen(minio.presigned_get_object(bucket_name, "b", timedelta(minutes=1))) as answer:
        assert answer.read() == b"hello"
    assert list(minio.remove_objects(bucket_name, [DeleteObject("a/ü.txt"), DeleteObject("b")])) == []
    minio.remove_bucket(bucket_name)


def test_a_stream_of_unknown_length(minio: Minio, bucket: str, tmp_path: Path) -> None:
    body = bytes(range(256)) * 4096 * 11
    minio.put_object(bucket, "stream", io.BytesIO(body), -1, part_size=5 * MIB)
    minio.fget_object(bucket, "stream", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == body
    answer = minio.get_object(bucket, "stream", offset=100, length=50)
    assert answer.read() == body[100:150]
    answer.release_conn()


def test_errors_keep_their_names(minio: Minio, bucket: str) -> None:
    with pytest.raises(S3Error) as caught:
        minio.get_object(bucket, "missing")
    assert caught.value.code == "NoSuchKey"
