"""Headers that stand in a presigned URL's query: signed there, they count as if they had been sent as headers.

The SDKs move x-amz-… headers into the query when they presign ("hoisting"), and for Signature Version 2 the content
type and MD5 too. Left there they would be signed and then forgotten: a copy would store an empty object.

Source: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" and "Signing and Authenticating REST
Requests (Signature Version 2)", Amazon S3 API Reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from elasticlake.s3 import sigv2
from elasticlake.s3.credentials import SignatureError

_VERSION_2_NAMES = frozenset({"content-type", "content-md5"})
_NEVER_HEADERS = frozenset(
    {
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-signedheaders",
        "x-amz-signature",
        "x-amz-security-token",
        "x-amz-content-sha256",
    }
)
"""What Version 4 itself says in the query; `presigned` reads it."""
_CHECKSUM_PREFIX = "x-amz-checksum-"
_MADE_BY_SDK = "x-amz-sdk-checksum-algorithm"
_CHECKSUMS_OF_NOTHING = frozenset(
    {
        "AAAAAA==",
        "AAAAAAAAAAA=",
        "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    }
)
"""Of an empty body: CRC32 and CRC32C, CRC64NVME, SHA-1, SHA-256."""
_VERSION_4_MARKS = ("X-Amz-Algorithm", "X-Amz-Signature")
_is_name = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+").fullmatch
# A line break in a value would pass for another header in the string that Version 2 signs.
_is_value = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*").fullmatch


def with_hoisted(headers: Mapping[str, str], query: Mapping[str, str]) -> dict[str, str]:
    """The headers, and those that the query of a presigned URL stands for; other requests' headers as they are.

    To be used only if the signature of that query is then verified. Raises SignatureError, SignatureDoesNotMatch for a
    header that was also sent and says otherwise, or that is none.
    """
    found = dict(headers)
    if headers.get("authorization", "").strip():
        return found
    is_version_2 = sigv2.is_presigned(query)
    if not is_version_2 and not any(mark in query for mark in _VERSION_4_MARKS):
        return found
    for parameter, text in query.items():
        name = parameter.lower()
        if _is_hoisted(name, is_version_2) and not _is_of_no_body(name, text, query):
            value = _header_value(name, text)
            if found.setdefault(name, value).strip(" \t") != value:
                message = f"The header {name} is not the one that was signed in the query."
                raise SignatureError("SignatureDoesNotMatch", message)
    return found


def _is_hoisted(name: str, is_version_2: bool) -> bool:
    if is_version_2:
        return name.startswith("x-amz-") or name in _VERSION_2_NAMES
    return name.startswith("x-amz-") and name not in _NEVER_HEADERS


def _is_of_no_body(name: str, text: str, query: Mapping[str, str]) -> bool:
    """Whether it is the checksum that the JavaScript SDK adds by itself when it presigns: of the body that it has not
    got yet. Nobody could use its links to upload anything if that counted."""
    return name.startswith(_CHECKSUM_PREFIX) and text in _CHECKSUMS_OF_NOTHING and _MADE_BY_SDK in query


def _header_value(name: str, text: str) -> str:
    """The value as a header would have brought it: bytes read as ISO 8859-1, without space around them."""
    if not _is_name(name) or not _is_value(text):
        raise SignatureError("SignatureDoesNotMatch", "A parameter of the query cannot be the header that it names.")
    return text.strip(" \t").encode().decode("latin-1")
