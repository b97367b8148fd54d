"""A blob that a row names and the store does not have: the data is damaged, and the answer says so."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError, ResponseStreamingError
from tests.integration.conftest import Spawn, s3_client
from tests.integration.server import Server

PART_BYTES = 5 * 1024 * 1024
LAST_BYTES = 700_000

pytestmark = pytest.mark.embedded


@pytest.fixture
def damaged(spawn: Spawn) -> Server:
    """A server with an object of two parts."""
    server = spawn().start()
    s3 = s3_client(server)
    s3.create_bucket(Bucket="damaged")
    upload = s3.create_multipart_upload(Bucket="damaged", Key="large")["UploadId"]
    parts = []
    for number, size_bytes in enumerate((PART_BYTES, LAST_BYTES), 1):
        part = s3.upload_part(Bucket="damaged", Key="large", UploadId=upload, PartNumber=number, Body=b"x" * size_bytes)
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    s3.complete_multipart_upload(Bucket="damaged", Key="large", UploadId=upload, MultipartUpload={"Parts": parts})
    return server


@contextmanager
def lost_blob(server: Server, size_bytes: int) -> Iterator[str]:
    """As if a disk had lost the blob of that size for a while: its id."""
    lost: Path = next(path for path in (server.data / "blobs").rglob("*") if path.stat().st_size == size_bytes)
    elsewhere = lost.rename(server.data.with_name(lost.name))
    yield lost.name
    elsewhere.rename(lost)


def logged(server: Server, event: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, server.log.splitlines()) if line["event"] == event]


def test_a_lost_blob_is_an_error_instead_of_a_head(damaged: Server) -> None:
    s3 = s3_client(damaged)
    with lost_blob(damaged, PART_BYTES) as blob:
        with pytest.raises(ClientError) as refused:
            s3.get_object(Bucket="damaged", Key="large")
        # What can still be read is.
        rest = s3.get_object(Bucket="damaged", Key="large", Range=f"bytes={PART_BYTES}-")
        assert len(rest["Body"].read()) == LAST_BYTES
    assert refused.value.response["Error"]["Code"] == "InternalError"
    line = logged(damaged, "blob missing")[0]
    assert (line["bucket"], line["key"], line["blob"]) == ("damaged", "large", blob)


def test_a_download_that_cannot_go_on_ends_before_its_length(damaged: Server) -> None:
    with lost_blob(damaged, LAST_BYTES), pytest.raises((IncompleteReadError, ResponseStreamingError)):
        s3_client(damaged).get_object(Bucket="damaged", Key="large")["Body"].read()
    assert "Traceback" not in damaged.log
    assert len(logged(damaged, "download broken off")) == 1
