"""The page on S3 says of operations and limits what the code says."""

from __future__ import annotations

from tests.docs.documents import Document, codes, rows
from tests.docs.test_operations import REQUESTS, operations_in

from elasticlake.model import objects
from elasticlake.s3.operations.objects import MAX_DELETES
from elasticlake.s3.presigned import MAX_EXPIRES_SECONDS
from elasticlake.s3.routing import OPERATIONS
from elasticlake.s3.sigv4 import MAX_SKEW_MS

PAGE = Document("docs/s3.md")


def test_every_operation_is_in_the_table_once_and_nothing_else() -> None:
    table = rows(PAGE.section("Operations"), "operation", "remarks")
    shown = operations_in([name for names, _ in table for name in codes(names)])
    assert sorted(shown) == sorted(operation.name for operation in OPERATIONS.values())


def test_every_operation_that_is_known_to_be_missing_is_in_the_table() -> None:
    table = rows(PAGE.section("Missing operations"), "what", "operations")
    assert sorted(name for _, names in table for name in codes(names)) == sorted(REQUESTS)


def test_the_limits_are_the_ones_named() -> None:
    assert dict(rows(PAGE.section("Limits"), "what", "most")) == {
        "key": f"{objects.MAX_KEY_BYTES:,} bytes of UTF-8",
        "user metadata": f"{objects.MAX_USER_METADATA_BYTES:,} bytes",
        "object in one PUT": f"{objects.MAX_PUT_BYTES // 1024**3} GiB",
        "object": f"{objects.MAX_OBJECT_BYTES // 1024**4} TiB",
        "parts": f"{objects.MAX_PARTS:,}, each of at least {objects.MIN_PART_BYTES // 1024**2} MiB but the last",
        "keys in `DeleteObjects`": f"{MAX_DELETES:,}",
        "life of a presigned URL": f"{MAX_EXPIRES_SECONDS:,} seconds",
        "clocks apart": f"{MAX_SKEW_MS // 60_000} minutes",
    }
