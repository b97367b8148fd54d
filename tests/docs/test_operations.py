"""The README's tables of S3 operations, of clients, and of what is missing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.docs.documents import ROOT, Document, codes, rows

from elasticlake.s3.errors import S3Error
from elasticlake.s3.headers import refuse_unimplemented
from elasticlake.s3.request import S3Request, read_request
from elasticlake.s3.routing import OPERATIONS, route

README = Document("README.md")
WORKS = README.section("What works")
NAMED_MISSING = [
    name for _, today in rows(README.section("What does not yet"), "area", "today") for name in codes(today)
]
REQUESTS = {
    "GetBucketCors": ("GET", "/b?cors"),
    "GetBucketEncryption": ("GET", "/b?encryption"),
    "GetBucketLifecycleConfiguration": ("GET", "/b?lifecycle"),
    "GetBucketPolicy": ("GET", "/b?policy"),
    "GetBucketTagging": ("GET", "/b?tagging"),
    "GetObjectAttributes": ("GET", "/b/k?attributes"),
    "GetObjectLockConfiguration": ("GET", "/b?object-lock"),
    "GetObjectTagging": ("GET", "/b/k?tagging"),
    "PostObject": ("POST", "/b"),
    "PutBucketCors": ("PUT", "/b?cors"),
    "PutBucketEncryption": ("PUT", "/b?encryption"),
    "PutBucketLifecycleConfiguration": ("PUT", "/b?lifecycle"),
    "PutBucketPolicy": ("PUT", "/b?policy"),
    "PutBucketTagging": ("PUT", "/b?tagging"),
    "PutBucketVersioning": ("PUT", "/b?versioning"),
    "PutBucketWebsite": ("PUT", "/b?website"),
    "PutObjectLegalHold": ("PUT", "/b/k?legal-hold"),
    "PutObjectLockConfiguration": ("PUT", "/b?object-lock"),
    "PutObjectRetention": ("PUT", "/b/k?retention"),
    "PutObjectTagging": ("PUT", "/b/k?tagging"),
    "RestoreObject": ("POST", "/b/k?restore"),
    "SelectObjectContent": ("POST", "/b/k?select&select-type=2"),
}
"""How the operations that are missing are asked for."""


def operations_in(names: list[str]) -> list[str]:
    return [name for name in names if re.fullmatch(r"(?:[A-Z][a-z]+){2,}(?:V2)?", name)]


def request_for(method: str, path: str, headers: dict[str, str] | None = None) -> S3Request:
    target, _, query = path.partition("?")
    scope = {
        "method": method,
        "path": target,
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
    }

    async def receive() -> Any:
        raise AssertionError("the body is not to be read")

    return read_request(scope, receive, "1", ())


def test_every_operation_is_in_the_table_once_and_nothing_else() -> None:
    shown = operations_in([name for _, names in rows(WORKS, "area", "S3 operations") for name in codes(names)])
    assert sorted(shown) == sorted(operation.name for operation in OPERATIONS.values())


def test_the_operations_said_to_be_missing_are_those_asked_for_below() -> None:
    assert sorted(operations_in(NAMED_MISSING)) == sorted(REQUESTS)


@pytest.mark.parametrize("name", REQUESTS)
def test_an_operation_said_to_be_missing_answers_501(name: str) -> None:
    with pytest.raises(S3Error) as caught:
        route(request_for(*REQUESTS[name]))
    assert (caught.value.code, caught.value.status) == ("NotImplemented", 501)


@pytest.mark.parametrize("header", [name for name in NAMED_MISSING if name.startswith("x-amz-")])
def test_a_header_said_to_be_missing_answers_501(header: str) -> None:
    with pytest.raises(S3Error) as caught:
        refuse_unimplemented(request_for("PUT", "/b/k", {header: "AES256"}))
    assert (caught.value.code, caught.value.status) == ("NotImplemented", 501)


def test_every_client_named_has_tests() -> None:
    table = rows(WORKS, "client", "proven by")
    assert len(table) > 4
    for client, proof in table:
        link = re.search(r"\]\((tests/[^)]+)\)", proof)
        assert link is not None, client
        assert re.search(r"^(async )?def test_", (ROOT / link[1]).read_text(), re.MULTILINE), client
