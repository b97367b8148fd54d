"""The signatures are compared with botocore's, which is an independent implementation."""

from collections.abc import Mapping
from datetime import UTC, datetime
from unittest.mock import patch

import botocore.auth
import pytest
from bench.signer import Signer
from bench.target import Target
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TARGET = Target("127.0.0.1", 9000, "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "eu-west-9")


class UnsignedPayload(S3SigV4Auth):  # type: ignore[misc]
    """botocore decides by the client's configuration, which a bare request does not have."""

    def payload(self, request: AWSRequest) -> str:
        return "UNSIGNED-PAYLOAD"


def headers_of(head: bytes) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if line)


def by_botocore(method: str, url: str) -> Mapping[str, str]:
    request = AWSRequest(method, url, {"host": TARGET.authority})
    signer = UnsignedPayload(Credentials(TARGET.access_key, TARGET.secret_key), "s3", TARGET.region)
    with patch.object(botocore.auth, "get_current_datetime", return_value=MOMENT.replace(tzinfo=None)):
        signer.add_auth(request)
    return dict(request.headers.items())


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("PUT", "/bucket/small/1/000000001", ""),
        ("GET", "/bucket", "delimiter=%2F&list-type=2&max-keys=100&start-after=a%2Fb"),
        ("PUT", "/bucket/multipart/object", "partNumber=3&uploadId=abc-_.~DEF"),
        ("POST", "/bucket/multipart/object", "uploads="),
    ],
)
def test_the_signature_is_botocores(method: str, path: str, query: str) -> None:
    head = Signer(TARGET, MOMENT.timestamp).head(method, path, query, 0)
    url = f"https://{TARGET.authority}{path}" + (f"?{query}" if query else "")
    expected = by_botocore(method, url)
    assert headers_of(head)["x-amz-date"] == expected["X-Amz-Date"] == "20260102T030405Z"
    assert headers_of(head)["authorization"] == expected["Authorization"]


def test_the_head_is_complete() -> None:
    head = Signer(TARGET, MOMENT.timestamp).head("PUT", "/b/k", content_length=4096)
    assert head.startswith(b"PUT /b/k HTTP/1.1\r\nhost: 127.0.0.1:9000\r\n")
    assert head.endswith(b"\r\ncontent-length: 4096\r\n\r\n")


def test_a_get_has_no_content_length() -> None:
    assert b"content-length" not in Signer(TARGET, MOMENT.timestamp).head("GET", "/b/k", "list-type=2")


def test_a_new_day_needs_a_new_key() -> None:
    clock = [MOMENT.timestamp()]
    lasting = Signer(TARGET, lambda: clock[0])
    first = lasting.head("GET", "/b/k")
    clock[0] += 86_400
    assert lasting.head("GET", "/b/k") != first
    assert lasting.head("GET", "/b/k") == Signer(TARGET, lambda: clock[0]).head("GET", "/b/k")
