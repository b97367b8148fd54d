"""CopyObject and UploadPartCopy."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from elasticlake.clock import rfc3339_milliseconds
from elasticlake.errors import InvalidInput
from elasticlake.model.objects import Checksum
from elasticlake.s3 import xml
from elasticlake.s3.errors import S3Error
from elasticlake.s3.expected_owner import OF_SOURCE, check_owner
from elasticlake.s3.headers import (
    read_acl,
    read_attributes,
    read_conditions,
    read_range,
    read_upload_checksum,
    read_write_conditions,
    refuse_unimplemented,
)
from elasticlake.s3.operations.handler import Services
from elasticlake.s3.request import S3Request
from elasticlake.s3.responses import Response, xml_response
from elasticlake.service.conditions import check_source
from elasticlake.service.objects import NOT_COPIED, CopySource, StoredBody

_SOURCE_PREFIX = "x-amz-copy-source-"


async def copy_object(services: Services, request: S3Request) -> Response:
    refuse_unimplemented(request)
    source = _source(request)
    await check_owner(services, request, source.bucket, OF_SOURCE)
    directive = request.headers.get("x-amz-metadata-directive", "COPY")
    if directive not in ("COPY", "REPLACE"):
        raise S3Error("InvalidArgument", "Unknown metadata directive.")
    to_itself = source.bucket == request.bucket and source.key == request.key
    algorithm, _ = read_upload_checksum(request)
    if to_itself and directive == "COPY" and algorithm is None and "x-amz-storage-class" not in request.headers:
        raise S3Error(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes.",
        )
    attributes = read_attributes(request)
    bucket = await services.objects.authorize_put(request.context, request.bucket_name, request.key_bytes)
    version = await services.objects.copy(
        request.context,
        source,
        bucket,
        request.key_bytes,
        attributes=attributes if directive == "REPLACE" else None,
        own_headers={name: attributes.headers[name] for name in NOT_COPIED if name in attributes.headers},
        acl=read_acl(request) or "private",
        checksum_algorithm=algorithm,
        conditions=read_write_conditions(request),
    )
    return _result("CopyObjectResult", version.etag, version.modified_at_ms, version.checksum)


async def upload_part_copy(services: Services, request: S3Request) -> Response:
    refuse_unimplemented(request)
    source = _source(request)
    await check_owner(services, request, source.bucket, OF_SOURCE)
    number = request.number("partNumber", 0, 2**31)
    upload = await services.multipart.authorize_part(
        request.context, request.bucket_name, request.key_bytes, request.query.get("uploadId", ""), number
    )
    found = await services.objects.find(request.caller, source.bucket, source.key)
    check_source(source.conditions, found.version)
    offset, size_bytes = _source_range(request, found.version.size_bytes)
    body = StoredBody(services.objects, found, offset, size_bytes, upload.checksum_algorithm)
    part, checksum = await services.multipart.put_part(upload, number, body)
    return _result("CopyPartResult", part.etag, part.modified_at_ms, checksum)


def _source(request: S3Request) -> CopySource:
    text = request.headers["x-amz-copy-source"]
    path, _, query = text.partition("?versionId=")
    if query not in ("", "null"):
        raise S3Error("NoSuchVersion")
    bucket, slash, key = unquote_to_bytes(path).removeprefix(b"/").partition(b"/")
    if not slash or not bucket or not key:
        raise S3Error("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    try:
        name = bucket.decode()
    except UnicodeDecodeError:
        raise InvalidInput("x-amz-copy-source", "Invalid copy source bucket name") from None
    return CopySource(name, key, read_conditions(request, _SOURCE_PREFIX))


def _source_range(request: S3Request, size_bytes: int) -> tuple[int, int]:
    text = request.headers.get("x-amz-copy-source-range")
    if text is None:
        return 0, size_bytes
    chosen = read_range(text, size_bytes)
    first, _, last = text.removeprefix("bytes=").partition("-")
    if chosen is None or not first or not last:
        raise S3Error("InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last")
    if int(last) >= size_bytes:
        raise S3Error("InvalidRange", f"Range specified is not valid for source object of size: {size_bytes}")
    return chosen


def _result(name: str, etag: str, modified_at_ms: int, checksum: Checksum | None) -> Response:
    content = [xml.element("LastModified", rfc3339_milliseconds(modified_at_ms)), xml.element("ETag", f'"{etag}"')]
    if checksum is not None:
        content.append(xml.element(f"Checksum{checksum.algorithm}", checksum.value))
        content.append(xml.element("ChecksumType", checksum.type))
    return xml_response(xml.document(name, content))
