"""The object browser over HTTP: what is signed for whom, what a deletion says, what works without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from tests.integration.server import DASHBOARD_PASSWORD, Server

pytestmark = pytest.mark.both_engines

JSON = {"accept": "application/json"}
INPUT = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


class Browser:
    """A signed-in browser without scripts."""

    def __init__(self, server: Server, user: str = "", password: str = DASHBOARD_PASSWORD) -> None:
        self.http = httpx.Client(base_url=server.url, trust_env=False)
        self.http.post("/ui/sign-in", data={"user": user, "password": password})
        found = re.search(r'name="csrf-token" content="(\w+)"', self.get("/ui/").text)
        assert found is not None
        self.csrf = found[1]

    def get(self, path: str, **how: Any) -> httpx.Response:
        return self.http.get(path, **how)

    def post(self, path: str, fields: dict[str, Any], **how: Any) -> httpx.Response:
        return self.http.post(path, data={"csrf": self.csrf, **fields}, **how)

    def presign(self, bucket: str, key: str, operation: str = "PutObject", **fields: str) -> httpx.Response:
        asked = {"key": quote(key, safe=""), "operation": operation, **fields}
        return self.post(f"/ui/buckets/{bucket}/presign", asked, headers=JSON)


@pytest.fixture
def viewer(server: Server) -> Iterator[Browser]:
    made = Browser(server)
    yield made
    made.http.close()


def scoped(server: Server, **scope: Any) -> Browser:
    key = server.request("POST", "/v1/accounts/root/keys", {"scope": scope})
    return Browser(server, key["accessKeyId"], key["secretAccessKey"])


@pytest.mark.parametrize("key", ["a.txt", "ü/ö +?&#%.txt", "a//b", "/a", "nul\x00", "line\r\nend", "é" * 512])
def test_a_signed_put_stores_exactly_that_key(viewer: Browser, s3: Any, bucket: str, key: str) -> None:
    signed = viewer.presign(bucket, key).json()
    assert viewer.http.request(signed["method"], signed["url"], content=b"body").status_code == 200
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"body"


@pytest.mark.parametrize("key", ["..", ".", "../x", "a/./b", "a/.."])
def test_what_a_browser_would_change_is_not_signed(viewer: Browser, bucket: str, key: str) -> None:
    refused = viewer.presign(bucket, key)
    assert refused.status_code == 422
    assert "A browser cannot send" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("operation", "fields"),
    [
        ("DeleteObject", {}),
        ("GetObject", {}),
        ("", {}),
        ("UploadPart", {"uploadId": "x"}),
        ("UploadPart", {"partNumber": "0", "uploadId": "x"}),
        ("UploadPart", {"partNumber": "10001", "uploadId": "x"}),
        ("CompleteMultipartUpload", {}),
    ],
)
def test_only_what_an_upload_needs_is_signed(
    viewer: Browser, bucket: str, operation: str, fields: dict[str, str]
) -> None:
    assert viewer.presign(bucket, "a", operation, **fields).status_code == 422


def test_a_multipart_upload_by_signed_requests_alone(viewer: Browser, s3: Any, bucket: str) -> None:
    def ask(operation: str, content: bytes = b"", **fields: str) -> httpx.Response:
        signed = viewer.presign(bucket, "big", operation, **fields).json()
        return viewer.http.request(signed["method"], signed["url"], content=content).raise_for_status()

    found = re.search("<UploadId>(.+?)</UploadId>", ask("CreateMultipartUpload").text)
    assert found is not None
    upload = found[1]
    etag = ask("UploadPart", b"part", uploadId=upload, partNumber="1").headers["etag"]
    listed = ask("ListParts", uploadId=upload, **{"part-number-marker": "0"}).text
    assert "<PartNumber>1</PartNumber>" in listed
    part = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    ask(
        "CompleteMultipartUpload",
        f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode(),
        uploadId=upload,
    )
    assert s3.get_object(Bucket=bucket, Key="big")["Body"].read() == b"part"


def test_nobody_else_can_have_a_request_signed(server: Server, viewer: Browser, bucket: str) -> None:
    path, fields = f"/ui/buckets/{bucket}/presign", {"key": "a", "operation": "PutObject"}
    assert viewer.http.post(path, data=fields, headers=JSON).status_code == 403
    assert viewer.post(path, fields, headers={**JSON, "sec-fetch-site": "cross-site"}).status_code == 403
    assert httpx.post(server.url + path, data=fields, headers=JSON, trust_env=False).status_code == 401
    assert viewer.get(path).status_code == 405


def test_a_key_signs_what_it_may_and_no_more(server: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="uploads/a", Body=b"a")
    s3.put_object(Bucket=bucket, Key="other/b", Body=b"b")
    writer = scoped(server, buckets=[bucket], prefixes=["uploads/"])
    signed = writer.presign(bucket, "uploads/new").json()
    assert writer.http.put(signed["url"], content=b"x").status_code == 200
    assert writer.presign(bucket, "other/new").status_code == 403
    # It sees that its own folder is there, and nothing beside it.
    page = writer.get(f"/ui/buckets/{bucket}").text
    assert "uploads/" in page
    assert "other/" not in page
    assert writer.get(f"/ui/buckets/{bucket}?prefix=other/").text.count("other/b") == 0
    assert writer.get(f"/ui/buckets/{bucket}/object?key=other/b").status_code == 403
    assert writer.get(f"/ui/buckets/{bucket}/download?key=other/b").status_code == 403
    assert writer.post(f"/ui/buckets/{bucket}/link", {"key": "other/b", "seconds": "900"}).status_code == 403
    assert writer.post(f"/ui/buckets/{bucket}/delete", {"prefix": "other/"}).status_code == 403
    refused = writer.post(f"/ui/buckets/{bucket}/delete", {"key": "other/b"}, headers=JSON)
    assert refused.json() == {"deleted": 0, "refused": 1, "next": None}
    reader = scoped(server, buckets=[bucket], permissions=["read", "list"])
    assert reader.presign(bucket, "uploads/new").status_code == 403
    page = reader.get(f"/ui/buckets/{bucket}").text
    for hidden in ("Upload files", "Delete the selected", "Settings", 'type="checkbox"'):
        assert hidden not in page
    assert s3.get_object(Bucket=bucket, Key="other/b")["Body"].read() == b"b"


def test_without_scripts_each_post_deletes_one_batch(viewer: Browser, s3: Any, bucket: str) -> None:
    for number in range(1002):
        viewer.http.put(viewer.presign(bucket, f"p/{number}").json()["url"], content=b"x").raise_for_status()
    s3.put_object(Bucket=bucket, Key="kept", Body=b"x")
    path = f"/ui/buckets/{bucket}"
    page = viewer.get(f"{path}/delete?prefix=p/")
    assert "Delete 1,002 objects?" in page.text
    page = viewer.post(f"{path}/delete", dict(INPUT.findall(page.text)))
    assert "1,000 objects deleted." in page.text
    assert "Delete 2 objects?" in page.text
    page = viewer.post(f"{path}/delete", dict(INPUT.findall(page.text)))
    assert page.headers["location"] == path
    assert "1,002 objects deleted." in viewer.get(path).text
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["kept"]


def test_a_link_is_made_without_scripts(viewer: Browser, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"linked")
    page = viewer.post(f"/ui/buckets/{bucket}/link", {"key": "a", "seconds": "86400"}).text
    found = re.search(r'aria-label="The link" value="([^"]+)"', page)
    assert found is not None
    link = found[1].replace("&amp;", "&")
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["86400"]
    assert httpx.get(link, trust_env=False).content == b"linked"
    assert viewer.post(f"/ui/buckets/{bucket}/link", {"key": "a", "seconds": "1"}).status_code == 422


def test_a_key_that_no_url_can_name_is_streamed_as_a_harmless_file(viewer: Browser, s3: Any, bucket: str) -> None:
    body = b"<script>1</script>" * 10_000
    s3.put_object(Bucket=bucket, Key="../page.html", Body=body, ContentType="text/html")
    answer = viewer.get(f"/ui/buckets/{bucket}/download?key=..%2Fpage.html")
    assert answer.content == body
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''page.html"


def test_what_is_not_there(viewer: Browser, bucket: str) -> None:
    assert viewer.get("/ui/buckets/no--such--bucket").status_code == 404
    assert viewer.get(f"/ui/buckets/{bucket}/object?key=no").status_code == 404
    assert viewer.get(f"/ui/buckets/{bucket}/object").status_code == 422
    assert viewer.get(f"/ui/buckets/{bucket}?cursor=no").status_code == 422
    assert viewer.post(f"/ui/buckets/{bucket}/delete", {}).status_code == 422
    assert viewer.post(f"/ui/buckets/{bucket}/selected", {}).status_code == 303
