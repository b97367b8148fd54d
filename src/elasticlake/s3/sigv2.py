"""Presigned URLs of AWS Signature Version 2: what boto3 still makes for us-east-1 unless it is told otherwise.

Only the query form is accepted: it is what people hand out, and no client that we know signs headers so by default.

Source: "Signing and Authenticating REST Requests (Signature Version 2)", Amazon S3 API Reference.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping

from elasticlake.s3.credentials import SignatureError

# The query parameters that are part of the resource that is signed, in addition to every response-… override.
SIGNED_PARAMETERS = frozenset(
    {
        "accelerate", "acl", "analytics", "cors", "delete", "inventory", "lifecycle", "location", "logging", "metrics",
        "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment", "restore", "select",
        "select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning",
        "versions", "website",
    }
)  # fmt: skip
_is_number = re.compile(r"[0-9]{1,18}").fullmatch
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)


def is_presigned(query: Mapping[str, str]) -> bool:
    """Whether the parameters are those of a Version 2 presigned URL."""
    return "AWSAccessKeyId" in query and "Signature" in query and "X-Amz-Algorithm" not in query


def verify(
    secret: str, method: str, resource: bytes, query: Mapping[str, str], headers: Mapping[str, str], now_ms: int
) -> None:
    """Prove that the holder of `secret` signed this URL and that it is still valid; raises `SignatureError`.

    `resource` is the path as sent, with the bucket in front of it where Host named that; `headers` include those that
    the query stands for (`hoisted.with_hoisted`), or they would not be signed.
    """
    expires = query.get("Expires", "")
    if not _is_number(expires):
        raise SignatureError("AccessDenied", "Query-string authentication requires the Expires parameter")
    if now_ms > int(expires) * 1000:
        raise SignatureError("AccessDenied", "Request has expired", {"Expires": expires})
    if resource.count(b"/") == 1:
        # A bucket is signed with the slash that its path may lack.
        resource += b"/"
    to_sign = _string_to_sign(method, resource, query, headers, expires)
    signature = base64.b64encode(hmac.digest(secret.encode(), to_sign, "sha1")).decode()
    if not hmac.compare_digest(signature.encode(), query["Signature"].encode()):
        details = {"AWSAccessKeyId": query["AWSAccessKeyId"], "StringToSign": to_sign.decode("utf-8", "replace")}
        raise SignatureError("SignatureDoesNotMatch", _MISMATCH, details)


def _string_to_sign(
    method: str, resource: bytes, query: Mapping[str, str], headers: Mapping[str, str], expires: str
) -> bytes:
    names = sorted(name for name in headers if name.startswith("x-amz-"))
    amz_headers = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    parameters = sorted(name for name in query if name in SIGNED_PARAMETERS or name.startswith("response-"))
    signed_query = "&".join(name if not query[name] else f"{name}={query[name]}" for name in parameters)
    content_md5, content_type = headers.get("content-md5", ""), headers.get("content-type", "")
    head = "\n".join((method, content_md5, content_type, expires, amz_headers))
    return head.encode("latin-1") + resource + (f"?{signed_query}".encode() if signed_query else b"")
