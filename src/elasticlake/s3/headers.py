"""What request headers say of an object, and what an object says in response headers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from elasticlake.model.objects import (
    ACLS,
    DEFAULT_CONTENT_TYPE,
    MAX_USER_METADATA_BYTES,
    Acl,
    Attributes,
    ChecksumType,
    ObjectVersion,
)
from elasticlake.s3.dates import date_seconds, http_seconds
from elasticlake.s3.errors import S3Error
from elasticlake.s3.request import S3Request, is_digits
from elasticlake.s3.responses import Headers, http_date
from elasticlake.service.checksums import ALGORITHMS, FULL_OBJECT_ALGORITHMS
from elasticlake.service.conditions import NONE, Conditions

METADATA_PREFIX = "x-amz-meta-"
STORED_HEADERS = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
    "x-amz-website-redirect-location",
    "x-amz-storage-class",
)
_STORAGE_CLASSES = frozenset(
    {
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "GLACIER_IR",
        "DEEP_ARCHIVE",
        "OUTPOSTS",
        "SNOW",
        "EXPRESS_ONEZONE",
        "FSX_OPENZFS",
    }
)
_NO_ENCRYPTION = "Server-side encryption is not implemented."
_REFUSED = {
    "x-amz-server-side-encryption": _NO_ENCRYPTION,
    "x-amz-server-side-encryption-aws-kms-key-id": _NO_ENCRYPTION,
    "x-amz-server-side-encryption-bucket-key-enabled": _NO_ENCRYPTION,
    "x-amz-server-side-encryption-context": _NO_ENCRYPTION,
    "x-amz-server-side-encryption-customer-algorithm": _NO_ENCRYPTION,
    "x-amz-server-side-encryption-customer-key": _NO_ENCRYPTION,
    "x-amz-server-side-encryption-customer-key-md5": _NO_ENCRYPTION,
    "x-amz-object-lock-mode": "Object Lock is not implemented.",
    "x-amz-object-lock-retain-until-date": "Object Lock is not implemented.",
    "x-amz-object-lock-legal-hold": "Object Lock is not implemented.",
    "x-amz-tagging": "Object tagging is not implemented.",
    "x-amz-write-offset-bytes": "Appending to objects is not implemented.",
}
_ETAG = re.compile(r'(?:W/)?"([^"]*)"|([^",\s]+)')


# Objects are strangers' content on the dashboard's own host: as a page one must not act with the dashboard's session.
_UNTRUSTED = ((b"content-security-policy", b"sandbox"), (b"x-content-type-options", b"nosniff"))


class ByteRange(NamedTuple):
    """A satisfied range: the first byte and how many."""

    offset: int
    size_bytes: int


def refuse_unimplemented(request: S3Request) -> None:
    """A header that promises what we do not do must not be ignored: the client would believe it was done."""
    if _REFUSED.keys().isdisjoint(request.headers):
        return
    name = next(name for name in _REFUSED if name in request.headers)
    raise S3Error("NotImplemented", _REFUSED[name])


def read_attributes(request: S3Request) -> Attributes:
    """Content type, system headers and user metadata of a PUT, copy or upload."""
    headers = request.headers
    stored = {name: headers[name] for name in STORED_HEADERS if name in headers}
    if stored.get("x-amz-storage-class", "STANDARD") not in _STORAGE_CLASSES:
        raise S3Error("InvalidStorageClass", "The storage class you specified is not valid")
    encoding = stored.get("content-encoding")
    if encoding is not None and "aws-chunked" in encoding:
        # aws-chunked is how the bytes travelled, not what they are.
        kept = ", ".join(part for part in map(str.strip, encoding.split(",")) if part and part != "aws-chunked")
        stored["content-encoding"] = kept
        if not kept:
            del stored["content-encoding"]
    metadata = _read_metadata(request)
    return Attributes(headers.get("content-type") or DEFAULT_CONTENT_TYPE, stored, metadata)


def _read_metadata(request: S3Request) -> dict[str, str]:
    metadata: dict[str, str] = {}
    for name, value in request.headers.items():
        if name.startswith(METADATA_PREFIX):
            metadata[name[len(METADATA_PREFIX) :]] = value
    if metadata and sum(len(name) + len(value) for name, value in metadata.items()) > MAX_USER_METADATA_BYTES:
        raise S3Error("MetadataTooLarge")
    return metadata


def read_acl(request: S3Request) -> Acl | None:
    """The canned ACL asked for, None if there is none; owner-full ones mean `private` where only the owner owns."""
    if any(name.startswith("x-amz-grant-") for name in request.headers):
        raise S3Error("NotImplemented", "Only the canned ACLs private and public-read are implemented.")
    canned = request.headers.get("x-amz-acl")
    if canned is None:
        return None
    for acl in ACLS:
        if canned == acl:
            return acl
    if canned in ("bucket-owner-full-control", "bucket-owner-read"):
        return "private"
    if canned in ("public-read-write", "authenticated-read", "aws-exec-read", "log-delivery-write"):
        raise S3Error("NotImplemented", "Only the canned ACLs private and public-read are implemented.")
    raise S3Error("InvalidArgument", details={"ArgumentName": "x-amz-acl", "ArgumentValue": canned})


def read_conditions(request: S3Request, prefix: str = "") -> Conditions:
    """The If-… headers; with a prefix, those of a copy's source."""
    headers = request.headers
    match, none_match = headers.get(f"{prefix}if-match"), headers.get(f"{prefix}if-none-match")
    since, unmodified = headers.get(f"{prefix}if-modified-since"), headers.get(f"{prefix}if-unmodified-since")
    if match is None and none_match is None and since is None and unmodified is None:
        return NONE
    return Conditions(_etags(match), _etags(none_match), _seconds(since), _seconds(unmodified))


def read_write_conditions(request: S3Request) -> Conditions:
    """The conditions of a write: If-Modified-Since is one of reads alone (RFC 9110, 13.1.3)."""
    conditions = read_conditions(request)
    if conditions is NONE or conditions.if_modified_since is None:
        return conditions
    return replace(conditions, if_modified_since=None)


def read_delete_conditions(request: S3Request) -> Conditions:
    """If-Match, and S3's size and time forms of it."""
    headers = request.headers
    size = headers.get("x-amz-if-match-size")
    modified = headers.get("x-amz-if-match-last-modified-time")
    match = headers.get("if-match")
    if match is None and size is None and modified is None:
        return NONE
    if size is not None and not is_digits(size):
        raise S3Error("InvalidArgument", details={"ArgumentName": "x-amz-if-match-size", "ArgumentValue": size})
    seconds = date_seconds(modified) if modified is not None else None
    if modified is not None and seconds is None:
        # Not ignored as RFC 9110's dates are: without its condition the delete would take whatever is there.
        details = {"ArgumentName": "x-amz-if-match-last-modified-time", "ArgumentValue": modified}
        raise S3Error("InvalidArgument", details=details)
    return Conditions(if_match=_etags(match), if_match_size=int(size) if size else None, if_match_modified=seconds)


def _etags(value: str | None) -> tuple[str, ...]:
    if value is None:
        return ()
    if value.strip() == "*":
        return ("*",)
    # A header that names no ETag matches none: it was meant as a condition, and must not become the lack of one.
    return tuple(quoted or bare for quoted, bare in _ETAG.findall(value)) or ("",)


def _seconds(value: str | None) -> int | None:
    """A date as seconds; a malformed one is ignored, as RFC 9110 (13.1.3) asks."""
    return http_seconds(value) if value is not None else None


def range_holds(if_range: str | None, version: ObjectVersion) -> bool:
    """Whether Range counts: If-Range, if sent, must be the object's ETag or its date, exactly (RFC 9110, 13.1.5)."""
    if if_range is None:
        return True
    validator = if_range.strip()
    return validator == f'"{version.etag}"' or http_seconds(validator) == version.modified_at_ms // 1000


def read_range(value: str | None, size_bytes: int) -> ByteRange | None:
    """The range that the header asks for; None if it asks for none, or for several (then S3 sends all).

    Raises `S3Error` InvalidRange if no byte of it exists.
    """
    if value is None or not value.startswith("bytes="):
        return None
    first, dash, last = value[6:].strip().partition("-")
    if not dash or not (first or last) or not all(is_digits(part) or not part for part in (first, last)):
        return None
    if not first:
        length = min(int(last), size_bytes)
        if length == 0:
            raise _unsatisfiable(value, size_bytes)
        return ByteRange(size_bytes - length, length)
    begin, end = int(first), min(int(last), size_bytes - 1) if last else size_bytes - 1
    if last and int(last) < begin:
        return None
    if begin >= size_bytes:
        raise _unsatisfiable(value, size_bytes)
    return ByteRange(begin, end - begin + 1)


def _unsatisfiable(value: str, size_bytes: int) -> S3Error:
    return S3Error("InvalidRange", details={"RangeRequested": value, "ActualObjectSize": str(size_bytes)})


def object_headers(version: ObjectVersion, *, with_checksum: bool) -> Headers:
    """What HEAD and GET say of an object, its length and range aside."""
    attributes = version.attributes
    headers: Headers = [
        (b"last-modified", http_date(version.modified_at_ms // 1000)),
        (b"etag", b'"' + version.etag.encode() + b'"'),
        (b"accept-ranges", b"bytes"),
        (b"content-type", attributes.content_type.encode("latin-1")),
        *_UNTRUSTED,
    ]
    for name, value in attributes.headers.items():
        if name != "x-amz-storage-class" or value != "STANDARD":
            headers.append((name.encode(), value.encode("latin-1")))
    for name, value in attributes.metadata.items():
        headers.append(((METADATA_PREFIX + name).encode("latin-1"), value.encode("latin-1")))
    if with_checksum and version.checksum is not None:
        headers += checksum_headers(version.checksum.algorithm, version.checksum.value, version.checksum.type)
    return headers


def not_modified_headers(version: ObjectVersion) -> Headers:
    """What a 304 repeats of the headers that a 200 would have (RFC 9110, 15.4.5)."""
    headers: Headers = [
        (b"last-modified", http_date(version.modified_at_ms // 1000)),
        (b"etag", b'"' + version.etag.encode() + b'"'),
    ]
    for name in ("cache-control", "expires"):
        if name in version.attributes.headers:
            headers.append((name.encode(), version.attributes.headers[name].encode("latin-1")))
    return headers


def checksum_headers(algorithm: str, value: str, kind: ChecksumType | None = None) -> Headers:
    """The checksum, and what it covers."""
    headers = [(f"x-amz-checksum-{algorithm.lower()}".encode(), value.encode())]
    if kind is not None:
        headers.append((b"x-amz-checksum-type", kind.encode()))
    return headers


def read_upload_checksum(request: S3Request) -> tuple[str | None, ChecksumType | None]:
    """The checksum algorithm and type that a multipart upload or a copy asks for."""
    algorithm = request.headers.get("x-amz-checksum-algorithm")
    kind = request.headers.get("x-amz-checksum-type")
    if algorithm is not None:
        algorithm = algorithm.upper()
        if algorithm not in ALGORITHMS:
            valid = ", ".join(ALGORITHMS)
            raise S3Error(
                "InvalidRequest",
                f"Checksum algorithm provided is unsupported. Please try again with any of the valid types: [{valid}]",
            )
    if kind is None:
        return algorithm, None
    if algorithm is None:
        raise S3Error(
            "InvalidRequest",
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        )
    if kind == "FULL_OBJECT" and algorithm in FULL_OBJECT_ALGORITHMS:
        return algorithm, "FULL_OBJECT"
    if kind == "COMPOSITE" and algorithm != "CRC64NVME":
        return algorithm, "COMPOSITE"
    raise S3Error(
        "InvalidRequest", f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
    )


def read_encoding_type(request: S3Request) -> str | None:
    """How a listing is to write keys: `url`, or None for plain text."""
    encoding = request.query.get("encoding-type")
    if encoding not in (None, "", "url"):
        raise S3Error("InvalidArgument", "Invalid Encoding Method specified in Request")
    return encoding or None
