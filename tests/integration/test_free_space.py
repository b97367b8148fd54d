"""Below the reserve of free space writes are refused, and everything else goes on."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.conftest import s3_client
from tests.integration.receiver import Receiver
from tests.integration.server import Server
from tests.integration.test_boto3 import refused

BUCKET = "lake1--pond1--full"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose reserve is larger than any disk; what it holds was stored before."""
    data = tmp_path_factory.mktemp("full") / "data"
    before = Server(data).start()
    s3 = s3_client(before)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="kept", Body=b"kept")
    for number in range(3):
        s3.put_object(Bucket=BUCKET, Key=f"old{number}", Body=bytes(100_000))
    before.close()
    server = Server(data, "--min-free-space", "999TiB").start()
    yield server
    server.close()


@pytest.mark.parametrize("size_bytes", [0, 100, 1_000_000])
def test_writes_are_refused_with_the_reason(full: Server, size_bytes: int) -> None:
    s3 = s3_client(full)
    body = bytes(size_bytes)
    with pytest.raises(s3.exceptions.ClientError) as caught:
        s3.put_object(Bucket=BUCKET, Key="new", Body=body)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert "free disk space is below its reserve" in answer["Error"]["Message"]
    assert refused(s3.create_multipart_upload, Bucket=BUCKET, Key="new")[1] == 503
    assert refused(s3.copy_object, Bucket=BUCKET, Key="new", CopySource=f"{BUCKET}/kept")[1] == 503
    assert refused(s3.head_object, Bucket=BUCKET, Key="new") == ("404", 404)


def test_reads_deletes_and_delivery_go_on(full: Server, receiver: Receiver) -> None:
    s3 = s3_client(full)
    hook: dict[str, Any] = {"bucket": BUCKET, "endpoint": receiver.url(), "events": ["object:deleted"]}
    made = full.request("POST", "/v1/webhooks", hook)
    assert s3.get_object(Bucket=BUCKET, Key="kept")["Body"].read() == b"kept"
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 4
    s3.delete_object(Bucket=BUCKET, Key="old0")
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "old1"}, {"Key": "old2"}]})
    assert sorted(one.event["object"]["key"] for one in receiver.wait_for(3)) == ["old0", "old1", "old2"]
    assert full.request("POST", f"/v1/webhooks/{made['id']}/test?wait=10")["status"] == "delivered"
    with urllib.request.urlopen(f"{full.url}/v1/health") as answer:
        assert answer.status == 200
