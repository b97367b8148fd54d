"""PutObject, GetObject, HeadObject, DeleteObject, DeleteObjects."""

from __future__ import annotations

from typing import Any

from elasticlake.errors import ElasticLakeError, NotModified
from elasticlake.model.objects import MAX_PARTS
from elasticlake.s3 import xml
from elasticlake.s3.body import RequestBody
from elasticlake.s3.dates import date_seconds
from elasticlake.s3.document import read_document
from elasticlake.s3.errors import S3Error, as_s3_error
from elasticlake.s3.headers import (
    ByteRange,
    checksum_headers,
    not_modified_headers,
    object_headers,
    range_holds,
    read_acl,
    read_attributes,
    read_conditions,
    read_delete_conditions,
    read_range,
    read_write_conditions,
    refuse_unimplemented,
)
from elasticlake.s3.operations.handler import Services
from elasticlake.s3.request import S3Request, is_digits
from elasticlake.s3.responses import Headers, Response, no_content, xml_response
from elasticlake.service.conditions import NONE, Conditions, check_read
from elasticlake.service.objects import Found

MAX_DELETES = 1000
MAX_DELETES_BYTES = 2 * 1024 * 1024
_OVERRIDES = {
    "response-content-type": b"content-type",
    "response-content-language": b"content-language",
    "response-expires": b"expires",
    "response-cache-control": b"cache-control",
    "response-content-disposition": b"content-disposition",
    "response-content-encoding": b"content-encoding",
}


async def put_object(services: Services, request: S3Request) -> Response:
    refuse_unimplemented(request)
    bucket = await services.objects.authorize_put(request.context, request.bucket_name, request.key_bytes)
    body = RequestBody(request)
    version = await services.objects.put(
        request.context,
        bucket,
        request.key_bytes,
        body,
        read_attributes(request),
        acl=read_acl(request) or "private",
        checksum_algorithm=body.checksum_algorithm,
        conditions=read_write_conditions(request),
    )
    headers = [(b"etag", b'"' + version.etag.encode() + b'"')]
    if version.checksum is not None:
        headers += checksum_headers(version.checksum.algorithm, version.checksum.value, version.checksum.type)
    return Response(200, headers)


async def get_object(services: Services, request: S3Request) -> Response:
    found = await _find(services, request)
    version = found.version
    conditions = read_conditions(request)
    if conditions is not NONE:
        try:
            check_read(conditions, version)
        except NotModified:
            return Response(304, not_modified_headers(version))
    chosen = _chosen_range(request, found)
    whole = chosen is None
    headers = object_headers(version, with_checksum=whole and _wants_checksum(request))
    if "partNumber" in request.query:
        headers += _part_headers(request, found)
    _override(request, headers)
    offset, size_bytes = chosen or ByteRange(0, version.size_bytes)
    if not whole:
        last = offset + size_bytes - 1
        headers.append((b"content-range", f"bytes {offset}-{last}/{version.size_bytes}".encode()))
    status = 200 if whole else 206
    if request.method == "HEAD":
        return Response(status, headers, size_bytes=size_bytes)
    if found.inline is not None:
        inline = found.inline if whole else found.inline[offset : offset + size_bytes]
        return Response(status, headers, inline)
    stream = services.objects.read(found, offset, size_bytes)
    return Response(status, headers, stream=stream, size_bytes=size_bytes)


head_object = get_object


async def _find(services: Services, request: S3Request) -> Found:
    if request.query.get("versionId", "null") != "null":
        raise S3Error("NoSuchVersion" if request.method == "GET" else "NoSuchKey", status=404)
    return await services.objects.find(request.caller, request.bucket_name, request.key_bytes)


def _chosen_range(request: S3Request, found: Found) -> ByteRange | None:
    size_bytes = found.version.size_bytes
    number = request.query.get("partNumber")
    if number is None:
        if not range_holds(request.headers.get("if-range"), found.version):
            return None
        return read_range(request.headers.get("range"), size_bytes)
    if "range" in request.headers:
        raise S3Error("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
    if not is_digits(number) or not 1 <= int(number) <= MAX_PARTS:
        raise S3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
    if int(number) > (found.version.parts_count or 1):
        raise S3Error("InvalidPartNumber")
    return _part_range(found, int(number))


def _part_range(found: Found, number: int) -> ByteRange | None:
    """The bytes of an object's part; None for an object of no bytes, of which no range can be named."""
    size_bytes = found.version.size_bytes
    if found.version.parts_count is None or not size_bytes:
        return ByteRange(0, size_bytes) if size_bytes else None
    sizes = [part.size_bytes for part in found.parts]
    if number > len(sizes):
        # Only the last part of an upload can be empty; then it has no blob, and no byte to be named.
        raise S3Error("InvalidPartNumber")
    return ByteRange(sum(sizes[: number - 1]), sizes[number - 1])


def _part_headers(request: S3Request, found: Found) -> Headers:
    """What is said beside one part: how many there are, and its own checksum."""
    version, number = found.version, int(request.query["partNumber"])
    if version.parts_count is None:
        return []
    headers: Headers = [(b"x-amz-mp-parts-count", str(version.parts_count).encode())]
    checksum = found.parts[number - 1].checksum if number <= len(found.parts) else None
    if checksum is not None and version.checksum is not None and _wants_checksum(request):
        headers += checksum_headers(version.checksum.algorithm, checksum, version.checksum.type)
    return headers


def _wants_checksum(request: S3Request) -> bool:
    return request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"


def _override(request: S3Request, headers: list[tuple[bytes, bytes]]) -> None:
    """The response-… parameters of signed requests."""
    for parameter, name in _OVERRIDES.items():
        value = request.query.get(parameter)
        if value is None:
            continue
        if request.caller.is_anonymous:
            raise S3Error(
                "InvalidRequest", "Request specific response headers cannot be used for anonymous GET requests."
            )
        if not value.isprintable():
            raise S3Error("InvalidArgument", details={"ArgumentName": parameter, "ArgumentValue": value})
        headers[:] = [header for header in headers if header[0] != name]
        headers.append((name, value.encode("latin-1", "replace")))


async def delete_object(services: Services, request: S3Request) -> Response:
    if request.query.get("versionId", "null") != "null":
        raise S3Error("NoSuchVersion")
    conditions = read_delete_conditions(request)
    await services.objects.delete(request.context, request.bucket_name, request.key_bytes, conditions)
    return no_content()


async def delete_objects(services: Services, request: S3Request) -> Response:
    request.require_signer()
    body = await read_document(request, require_digest=True, maximum_bytes=MAX_DELETES_BYTES)
    tree = xml.parse(body, "Delete")
    wanted = [_wanted(node) for node in tree.iterfind("Object")]
    if not 1 <= len(wanted) <= MAX_DELETES:
        raise S3Error("MalformedXML")
    quiet = (tree.findtext("Quiet") or "").strip().lower() == "true"
    outcomes = await services.objects.delete_many(request.context, request.bucket_name, wanted)
    rows = (_outcome(key, error, quiet) for (key, _), error in zip(wanted, outcomes, strict=True))
    return xml_response(xml.document("DeleteResult", rows))


def _wanted(node: Any) -> tuple[bytes, Conditions]:
    key = xml.text(node, "Key")
    if not key:
        raise S3Error("MalformedXML")
    if xml.text(node, "VersionId") not in (None, "null", ""):
        raise S3Error("NotImplemented", "Versioning is not implemented.")
    return key.encode(), _delete_conditions(node)


def _delete_conditions(node: Any) -> Conditions:
    """The conditions of one key: ETag, Size and LastModifiedTime, as DeleteObject's headers are."""
    etag, size, modified = (xml.text(node, name) for name in ("ETag", "Size", "LastModifiedTime"))
    if etag is None and size is None and modified is None:
        return NONE
    if size is not None and not is_digits(size):
        raise S3Error("MalformedXML")
    return Conditions(
        if_match=(etag.strip().strip('"'),) if etag is not None else (),
        if_match_size=int(size) if size is not None else None,
        if_match_modified=_modified_seconds(modified) if modified is not None else None,
    )


def _modified_seconds(text: str) -> int:
    """A time as SDKs write it in this document: RFC 3339, or RFC 9110's date."""
    seconds = date_seconds(text)
    if seconds is None:
        raise S3Error("MalformedXML")
    return seconds


def _outcome(key: bytes, error: ElasticLakeError | None, quiet: bool) -> str:
    name = xml.element("Key", key.decode())
    if error is None:
        return "" if quiet else xml.wrap("Deleted", [name])
    s3_error = as_s3_error(error) or S3Error("InternalError")
    return xml.wrap("Error", [name, xml.element("Code", s3_error.code), xml.element("Message", s3_error.message)])
