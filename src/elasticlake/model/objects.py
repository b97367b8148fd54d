"""Objects, buckets, uploads and parts, as the domain sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, NamedTuple

from elasticlake.errors import EntityTooLarge, InvalidInput
from elasticlake.model.names import BucketName
from elasticlake.record import record

Acl = Literal["private", "public-read"]
ACLS: tuple[Acl, ...] = ("private", "public-read")

MAX_KEY_BYTES = 1024
MAX_OBJECT_BYTES = 5 * 1024**4
MAX_PUT_BYTES = 5 * 1024**3
MIN_PART_BYTES = 5 * 1024**2
MAX_PARTS = 10_000
MAX_USER_METADATA_BYTES = 2048
DEFAULT_CONTENT_TYPE = "binary/octet-stream"

ChecksumType = Literal["FULL_OBJECT", "COMPOSITE"]


@record
class Bucket:
    """A bucket as stored: where it lies, whose it is, and how much is in it."""

    id: int
    name: BucketName
    account_id: str
    acl: Acl
    created_at_ms: int
    sequence: int
    objects: int
    size_bytes: int
    lake_name: str
    pond_name: str


class Checksum(NamedTuple):
    """An additional checksum as S3 stores it: `value` is base64, with `-N` appended when composite."""

    algorithm: str
    value: str
    type: ChecksumType = "FULL_OBJECT"


@record
class Attributes:
    """What a sender says of an object beside its bytes."""

    content_type: str = DEFAULT_CONTENT_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    """The system headers given back on reads, lower-case: cache-control, content-disposition, content-encoding, …"""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """User metadata: lower-case names without `x-amz-meta-`."""


@record
class Content:
    """Where a version's bytes are: inline in the metadata store, or a manifest of blobs; neither for an empty
    object."""

    inline_id: int | None = None
    manifest_id: str | None = None


class BlobPart(NamedTuple):
    """One blob of a manifest, in order."""

    part_number: int
    blob_id: str
    size_bytes: int
    checksum: str | None = None


@record
class ObjectVersion:
    """The current version of a key."""

    key: bytes
    sequence: int
    size_bytes: int
    etag: str
    modified_at_ms: int
    attributes: Attributes
    acl: Acl
    checksum: Checksum | None
    content: Content
    parts_count: int | None = None
    version_id: str | None = None


class ListedObject(NamedTuple):
    """What a listing says of an object."""

    key: bytes
    size_bytes: int
    etag: str
    modified_at_ms: int
    checksum_algorithm: str | None
    checksum_type: str | None


@record
class Upload:
    """A multipart upload under way."""

    id: str
    bucket_id: int
    key: bytes
    initiated_at_ms: int
    attributes: Attributes
    acl: Acl
    checksum_algorithm: str | None
    checksum_type: ChecksumType | None
    account_id: str


@record
class Part:
    """One part of an upload, as stored."""

    part_number: int
    etag: str
    size_bytes: int
    blob_id: str
    modified_at_ms: int
    checksum: str | None


def require_key(key: bytes) -> bytes:
    """`key`, if S3 can store it: 1 to 1,024 bytes of UTF-8; raises `InvalidInput`."""
    if not key:
        raise InvalidInput("key", "A key has at least one byte.")
    if len(key) > MAX_KEY_BYTES:
        raise InvalidInput("key", "Your key is too long")
    try:
        key.decode()
    except UnicodeDecodeError:
        raise InvalidInput("key", "A key is UTF-8 text; this one is not.") from None
    return key


def require_put_size(size_bytes: int) -> int:
    """`size_bytes`, if one PUT may carry it (5 GiB, as S3); raises `EntityTooLarge`."""
    if size_bytes > MAX_PUT_BYTES:
        raise EntityTooLarge
    return size_bytes
