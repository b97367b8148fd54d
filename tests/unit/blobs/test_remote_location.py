"""URLs of remote blobs: what they say, and what is refused in one line."""

from __future__ import annotations

import pytest

from elasticlake.blobs.remote_location import RemoteLocation
from elasticlake.errors import InvalidInput


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("s3://bucket", RemoteLocation("s3", "bucket")),
        ("s3://bucket/", RemoteLocation("s3", "bucket")),
        ("s3://bucket/a/b-1/", RemoteLocation("s3", "bucket", "a/b-1")),
        ("s3://my.bucket?region=eu-west-1", RemoteLocation("s3", "my.bucket", region="eu-west-1")),
        (
            "s3://bucket/p?endpoint=http://127.0.0.1:9000/&virtual_hosted=true",
            RemoteLocation("s3", "bucket", "p", endpoint="http://127.0.0.1:9000", virtual_hosted=True),
        ),
        (
            "s3://bucket?endpoint=https%3A%2F%2Fs3.example.com&virtual_hosted=false",
            RemoteLocation("s3", "bucket", endpoint="https://s3.example.com"),
        ),
        ("gs://bucket_1/p", RemoteLocation("gs", "bucket_1", "p")),
        ("gs://bucket?endpoint=http://localhost:1", RemoteLocation("gs", "bucket", endpoint="http://localhost:1")),
        ("az://container/p?account=mine", RemoteLocation("az", "container", "p", account="mine")),
    ],
)
def test_a_url_is_read(url: str, location: RemoteLocation) -> None:
    assert RemoteLocation.parse(url) == location


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("bucket/prefix", "s3:// or gs:// or az://"),
        ("ftp://bucket", "s3:// or gs:// or az://"),
        ("s3:///prefix", "bucket's name"),
        ("s3://Bucket/prefix", "bucket's name"),
        ("s3://key:secret@bucket", "AWS_ACCESS_KEY_ID"),
        ("s3://bucket#x", "#fragment"),
        ("s3://bucket/a//b", "'a//b'"),
        ("s3://bucket/a/../b", "'a/../b'"),
        ("s3://bucket/a%20b", "'a%20b'"),
        ("s3://bucket?access_key_id=KEY", "unknown parameter 'access_key_id'; s3:// takes endpoint, region"),
        ("s3://bucket?account=mine", "unknown parameter 'account'"),
        ("gs://bucket?region=x", "unknown parameter 'region'; gs:// takes endpoint"),
        ("s3://bucket?region=a&region=b", "'region'"),
        ("s3://bucket?region=", "'region'"),
        ("s3://bucket?virtual_hosted=yes", "virtual_hosted=true or virtual_hosted=false"),
        ("s3://bucket?endpoint=example.com", "https://storage.example.com"),
        ("s3://bucket?endpoint=ftp://example.com", "https://storage.example.com"),
        ("s3://bucket?endpoint=http://", "https://storage.example.com"),
        ("s3://bucket?endpoint=http://host:port", "https://storage.example.com"),
        ("s3://bucket?endpoint=http://key:secret@host", "https://storage.example.com"),
        ("s3://[bucket", "is not a URL"),
    ],
)
def test_what_cannot_be_meant_is_refused(url: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        RemoteLocation.parse(url)
    assert refused.value.field == "blobs"
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "KEY" not in str(refused.value).replace("AWS_ACCESS_KEY_ID", "")


def test_a_virtual_hosted_bucket_is_part_of_the_host() -> None:
    said = "s3://bucket?endpoint=https://s3.example.com:8443&virtual_hosted="
    assert RemoteLocation.parse(said + "true").request_endpoint == "https://bucket.s3.example.com:8443"
    assert RemoteLocation.parse(said + "false").request_endpoint == "https://s3.example.com:8443"
    assert RemoteLocation.parse("s3://bucket?virtual_hosted=true").request_endpoint is None


@pytest.mark.parametrize(("endpoint", "is_plain"), [("http://127.0.0.1:1", True), ("https://example.com", False)])
def test_plain_http_is_what_the_endpoint_says(endpoint: str, is_plain: bool) -> None:
    assert RemoteLocation.parse(f"s3://bucket?endpoint={endpoint}").is_plain_http == is_plain
    assert not RemoteLocation.parse("s3://bucket").is_plain_http
