"""ListObjects, ListObjectsV2, ListObjectVersions."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from elasticlake.clock import rfc3339_milliseconds
from elasticlake.model.objects import Bucket, ListedObject
from elasticlake.s3 import xml
from elasticlake.s3.errors import S3Error
from elasticlake.s3.headers import read_encoding_type
from elasticlake.s3.operations.buckets import owner
from elasticlake.s3.operations.handler import Services
from elasticlake.s3.request import S3Request
from elasticlake.s3.responses import Response, xml_response
from elasticlake.service.listing import Page

MAX_KEYS = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters that all listings share."""

    prefix: bytes
    delimiter: bytes
    limit: int
    encoding: str | None

    def shown(self, key: bytes) -> str:
        return xml.encoded(key, self.encoding)


def _asked(request: S3Request) -> Asked:
    query = request.query
    prefix, delimiter = query.get("prefix", "").encode(), query.get("delimiter", "").encode()
    return Asked(prefix, delimiter, request.number("max-keys", MAX_KEYS, MAX_KEYS), read_encoding_type(request))


async def list_objects(services: Services, request: S3Request) -> Response:
    asked = _asked(request)
    marker = request.query.get("marker", "").encode()
    bucket, page = await _page(services, request, asked, marker)
    owned_by = await owner(services, bucket.account_id)
    next_marker = asked.shown(page.last) if page.truncated and page.last and asked.delimiter else None
    content = [
        *_head(request, asked, page),
        xml.element("Marker", asked.shown(marker)),
        xml.element("NextMarker", next_marker),
        *(_contents(item, asked, owned_by) for item in page.items),
        *_common_prefixes(asked, page),
    ]
    return xml_response(xml.document("ListBucketResult", content))


async def list_objects_v2(services: Services, request: S3Request) -> Response:
    asked = _asked(request)
    token, start_after = request.query.get("continuation-token"), request.query.get("start-after", "")
    after = _read_token(token) if token is not None else start_after.encode()
    bucket, page = await _page(services, request, asked, after)
    fetch_owner = request.query.get("fetch-owner", "").lower() == "true"
    owned_by = await owner(services, bucket.account_id) if fetch_owner else ""
    next_token = urlsafe_b64encode(page.last).decode() if page.truncated and page.last else None
    content = [
        *_head(request, asked, page),
        xml.element("KeyCount", len(page.items) + len(page.prefixes)),
        xml.element("ContinuationToken", token),
        xml.element("NextContinuationToken", next_token),
        xml.element("StartAfter", asked.shown(start_after.encode())) if start_after else "",
        *(_contents(item, asked, owned_by) for item in page.items),
        *_common_prefixes(asked, page),
    ]
    return xml_response(xml.document("ListBucketResult", content))


async def list_object_versions(services: Services, request: S3Request) -> Response:
    """Without versioning each object has one version, `null`, and it is the latest."""
    asked = _asked(request)
    marker = request.query.get("key-marker", "").encode()
    bucket, page = await _page(services, request, asked, marker)
    owned_by = await owner(services, bucket.account_id)
    truncated = page.truncated and page.last is not None
    content = [
        *_head(request, asked, page),
        xml.element("KeyMarker", asked.shown(marker)),
        xml.element("VersionIdMarker", ""),
        xml.element("NextKeyMarker", asked.shown(page.last)) if truncated and page.last else "",
        xml.element("NextVersionIdMarker", "null") if truncated else "",
        *(
            xml.wrap("Version", ["<VersionId>null</VersionId><IsLatest>true</IsLatest>", _item(item, asked, owned_by)])
            for item in page.items
        ),
        *_common_prefixes(asked, page),
    ]
    return xml_response(xml.document("ListVersionsResult", content))


async def _page(
    services: Services, request: S3Request, asked: Asked, after: bytes
) -> tuple[Bucket, Page[ListedObject]]:
    bucket, page = await services.objects.list_page(
        request.caller,
        request.bucket_name,
        prefix=asked.prefix,
        delimiter=asked.delimiter,
        after=after,
        limit=asked.limit,
    )
    # S3 calls a page of no keys complete, since nothing would follow its marker.
    return bucket, page if asked.limit else Page([], [], False, None)


def _head(request: S3Request, asked: Asked, page: Page[ListedObject]) -> list[str]:
    return [
        xml.element("Name", request.bucket),
        xml.element("Prefix", asked.shown(asked.prefix)),
        xml.element("Delimiter", asked.shown(asked.delimiter)) if asked.delimiter else "",
        xml.element("MaxKeys", asked.limit),
        xml.element("EncodingType", asked.encoding),
        xml.element("IsTruncated", page.truncated),
    ]


def _contents(item: ListedObject, asked: Asked, owned_by: str) -> str:
    return f"<Contents>{_item(item, asked, owned_by)}</Contents>"


def _item(item: ListedObject, asked: Asked, owned_by: str) -> str:
    checksum = ""
    if item.checksum_algorithm is not None:
        checksum = xml.element("ChecksumAlgorithm", item.checksum_algorithm) + xml.element(
            "ChecksumType", item.checksum_type
        )
    return (
        f"<Key>{xml.escape(asked.shown(item.key))}</Key>"
        f"<LastModified>{rfc3339_milliseconds(item.modified_at_ms)}</LastModified>"
        f"<ETag>&quot;{item.etag}&quot;</ETag>{checksum}<Size>{item.size_bytes}</Size>{owned_by}"
        "<StorageClass>STANDARD</StorageClass>"
    )


def _common_prefixes(asked: Asked, page: Page[ListedObject]) -> list[str]:
    return [xml.wrap("CommonPrefixes", [xml.element("Prefix", asked.shown(prefix))]) for prefix in page.prefixes]


def _read_token(token: str) -> bytes:
    try:
        return urlsafe_b64decode(token.encode("ascii"))
    except ValueError:
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect") from None
