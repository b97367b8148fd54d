"""CreateMultipartUpload, UploadPart, CompleteMultipartUpload, AbortMultipartUpload, ListParts, ListMultipartUploads."""

from __future__ import annotations

from typing import Any, cast

from elasticlake.clock import rfc3339_milliseconds
from elasticlake.model.objects import MAX_PARTS, ChecksumType, Upload
from elasticlake.s3 import xml
from elasticlake.s3.body import RequestBody
from elasticlake.s3.claims import CHECKSUM_PREFIX, header_algorithm
from elasticlake.s3.document import read_document
from elasticlake.s3.errors import S3Error
from elasticlake.s3.headers import (
    checksum_headers,
    read_acl,
    read_attributes,
    read_encoding_type,
    read_upload_checksum,
    read_write_conditions,
    refuse_unimplemented,
)
from elasticlake.s3.operations.buckets import owner
from elasticlake.s3.operations.handler import Services
from elasticlake.s3.request import S3Request, is_digits
from elasticlake.s3.responses import Response, no_content, xml_response
from elasticlake.service.multipart import ClaimedChecksum, Completion, NamedPart


async def create_multipart_upload(services: Services, request: S3Request) -> Response:
    refuse_unimplemented(request)
    algorithm, kind = read_upload_checksum(request)
    upload = await services.multipart.create(
        request.context,
        request.bucket_name,
        request.key_bytes,
        read_attributes(request),
        acl=read_acl(request) or "private",
        checksum_algorithm=algorithm,
        checksum_type=kind,
    )
    content = [
        xml.element("Bucket", request.bucket),
        xml.element("Key", request.key_bytes.decode()),
        xml.element("UploadId", upload.id),
    ]
    response = xml_response(xml.document("InitiateMultipartUploadResult", content))
    if upload.checksum_algorithm is not None:
        response.headers.append((b"x-amz-checksum-algorithm", upload.checksum_algorithm.encode()))
        response.headers.append((b"x-amz-checksum-type", (upload.checksum_type or "").encode()))
    return response


async def upload_part(services: Services, request: S3Request) -> Response:
    refuse_unimplemented(request)
    number = request.number("partNumber", 0, 2**31)
    upload = await services.multipart.authorize_part(
        request.context, request.bucket_name, request.key_bytes, request.query.get("uploadId", ""), number
    )
    body = RequestBody(request)
    given = body.checksum_algorithm
    if given is not None and upload.checksum_algorithm not in (None, given):
        raise S3Error(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {str(upload.checksum_algorithm).lower()}, "
            f"actual checksum Type: {given.lower()}",
        )
    body.require(upload.checksum_algorithm)
    part, checksum = await services.multipart.put_part(upload, number, body, given)
    headers = [(b"etag", f'"{part.etag}"'.encode())]
    if checksum is not None:
        headers += checksum_headers(checksum.algorithm, checksum.value)
    return Response(200, headers)


async def complete_multipart_upload(services: Services, request: S3Request) -> Response:
    request.require_signer()
    tree = xml.parse(await read_document(request, checksum_is_of_object=True), "CompleteMultipartUpload")
    parts = [_named_part(node) for node in tree.iterfind("Part")]
    if not parts or len(parts) > MAX_PARTS:
        raise S3Error("MalformedXML")
    kind = request.headers.get("x-amz-checksum-type")
    if kind not in (None, "FULL_OBJECT", "COMPOSITE"):
        raise S3Error("InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
    completion = Completion(
        parts,
        checksum=_claimed_checksum(request),
        checksum_type=cast(ChecksumType | None, kind),
        size_bytes=_claimed_size(request),
        conditions=read_write_conditions(request),
    )
    done = await services.multipart.complete(
        request.context, request.bucket_name, request.key_bytes, request.query.get("uploadId", ""), completion
    )
    host = request.headers.get("host", "")
    content = [
        xml.element("Location", f"{request.scheme}://{host}/{request.bucket}/{xml.encoded(done.key, 'url')}"),
        xml.element("Bucket", request.bucket),
        xml.element("Key", done.key.decode()),
        xml.element("ETag", f'"{done.etag}"'),
    ]
    if done.checksum is not None:
        content.append(xml.element(f"Checksum{done.checksum.algorithm}", done.checksum.value))
        content.append(xml.element("ChecksumType", done.checksum.type))
    return xml_response(xml.document("CompleteMultipartUploadResult", content))


def _claimed_checksum(request: S3Request) -> ClaimedChecksum | None:
    algorithm = header_algorithm(request)
    if algorithm is None:
        return None
    return ClaimedChecksum(algorithm, request.headers[CHECKSUM_PREFIX + algorithm.lower()])


def _claimed_size(request: S3Request) -> int | None:
    text = request.headers.get("x-amz-mp-object-size")
    if text is None:
        return None
    if not is_digits(text):
        raise S3Error("InvalidRequest", "Value for x-amz-mp-object-size header is invalid.")
    return int(text)


def _named_part(node: Any) -> NamedPart:
    number, etag = xml.text(node, "PartNumber"), xml.text(node, "ETag")
    if number is None or etag is None or not is_digits(number.strip()):
        raise S3Error("MalformedXML")
    checksums = [child.text for child in node if isinstance(child.tag, str) and child.tag.startswith("Checksum")]
    return NamedPart(int(number), etag.strip().strip('"'), checksums[0] if checksums else None)


async def abort_multipart_upload(services: Services, request: S3Request) -> Response:
    upload_id = request.query.get("uploadId", "")
    await services.multipart.abort(request.context, request.bucket_name, request.key_bytes, upload_id)
    return no_content()


async def list_parts(services: Services, request: S3Request) -> Response:
    limit = request.number("max-parts", 1000, 1000)
    after = request.number("part-number-marker", 0, MAX_PARTS)
    upload, parts = await services.multipart.list_parts(
        request.caller, request.bucket_name, request.key_bytes, request.query.get("uploadId", ""), after, limit + 1
    )
    page = parts[:limit]
    rows = (
        xml.wrap(
            "Part",
            [
                xml.element("PartNumber", part.part_number),
                xml.element("LastModified", rfc3339_milliseconds(part.modified_at_ms)),
                xml.element("ETag", f'"{part.etag}"'),
                xml.element("Size", part.size_bytes),
                xml.element(f"Checksum{upload.checksum_algorithm}", part.checksum) if upload.checksum_algorithm else "",
            ],
        )
        for part in page
    )
    content = [
        xml.element("Bucket", request.bucket),
        xml.element("Key", request.key_bytes.decode()),
        xml.element("UploadId", upload.id),
        await owner(services, upload.account_id, "Initiator"),
        await owner(services, upload.account_id),
        xml.element("StorageClass", upload.attributes.headers.get("x-amz-storage-class", "STANDARD")),
        xml.element("PartNumberMarker", after),
        xml.element("NextPartNumberMarker", page[-1].part_number if page else 0),
        xml.element("MaxParts", limit),
        xml.element("IsTruncated", len(parts) > limit),
        xml.element("ChecksumAlgorithm", upload.checksum_algorithm),
        xml.element("ChecksumType", upload.checksum_type),
        *rows,
    ]
    return xml_response(xml.document("ListPartsResult", content))


async def list_multipart_uploads(services: Services, request: S3Request) -> Response:
    query = request.query
    limit = request.number("max-uploads", 1000, 1000)
    encoding = read_encoding_type(request)
    prefix, delimiter = query.get("prefix", "").encode(), query.get("delimiter", "").encode()
    key_marker, id_marker = query.get("key-marker", "").encode(), query.get("upload-id-marker", "")
    page = await services.multipart.list_uploads(
        request.caller, request.bucket_name, prefix, delimiter, key_marker, id_marker, limit
    )
    last = page.items[-1] if page.items and page.last == page.items[-1].key else None
    content = [
        xml.element("Bucket", request.bucket),
        xml.element("KeyMarker", xml.encoded(key_marker, encoding)),
        xml.element("UploadIdMarker", id_marker),
        xml.element("NextKeyMarker", xml.encoded(page.last, encoding)) if page.truncated and page.last else "",
        xml.element("NextUploadIdMarker", last.id) if page.truncated and last else "",
        xml.element("Prefix", xml.encoded(prefix, encoding)) if prefix else "",
        xml.element("Delimiter", xml.encoded(delimiter, encoding)) if delimiter else "",
        xml.element("EncodingType", encoding),
        xml.element("MaxUploads", limit),
        xml.element("IsTruncated", page.truncated),
    ]
    for upload in page.items:
        content.append(await _upload_row(services, upload, encoding))
    for common in page.prefixes:
        content.append(xml.wrap("CommonPrefixes", [xml.element("Prefix", xml.encoded(common, encoding))]))
    return xml_response(xml.document("ListMultipartUploadsResult", content))


async def _upload_row(services: Services, upload: Upload, encoding: str | None) -> str:
    return xml.wrap(
        "Upload",
        [
            xml.element("Key", xml.encoded(upload.key, encoding)),
            xml.element("UploadId", upload.id),
            await owner(services, upload.account_id, "Initiator"),
            await owner(services, upload.account_id),
            xml.element("StorageClass", "STANDARD"),
            xml.element("Initiated", rfc3339_milliseconds(upload.initiated_at_ms)),
            xml.element("ChecksumAlgorithm", upload.checksum_algorithm),
            xml.element("ChecksumType", upload.checksum_type),
        ],
    )
