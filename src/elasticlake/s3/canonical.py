"""The canonical request: the one byte string that client and server both sign.

Source: "Signature Calculations for the Authorization Header" and "Authenticating Requests: Using Query Parameters",
Amazon S3 API Reference. S3 differs from other AWS services in that the path is encoded once and never normalised:
`//` and `..` are parts of keys.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote_from_bytes, unquote_to_bytes

ALGORITHM = "AWS4-HMAC-SHA256"

Headers = Mapping[bytes, bytes] | Iterable[tuple[bytes, bytes]]
"""Request headers with lower-case names: ASGI's list of pairs, or the mapping `header_map` makes of it."""

# What is canonical as it was sent, as nearly all is: unreserved bytes, and others in upper-case hex. One match is
# several times cheaper than decoding and encoding again.
_RESERVED_HEX = rb"[0189A-F][0-9A-F]|3[A-F]|[46]0|5[B-E]|7[B-DF]"
_is_canonical = re.compile(rb"(?:[A-Za-z0-9\-._~]|%(?:2[0-9A-CF]|" + _RESERVED_HEX + rb"))*").fullmatch
_is_canonical_path = re.compile(rb"(?:[A-Za-z0-9\-._~/]|%(?:2[0-9A-C]|" + _RESERVED_HEX + rb"))*").fullmatch


def header_map(headers: Headers) -> Mapping[bytes, bytes]:
    """Headers by name, repeated ones joined by a comma in the order they came (RFC 9110 section 5.3)."""
    if isinstance(headers, Mapping):
        return headers
    result: dict[bytes, bytes] = {}
    for name, value in headers:
        result[name] = result[name].strip() + b"," + value.strip() if name in result else value
    return result


def encode(raw: bytes, *, safe: str = "") -> bytes:
    """Percent-encode everything but RFC 3986's unreserved characters, with upper-case hex."""
    return quote_from_bytes(raw, safe=safe).encode("ascii")


def canonical_uri(raw_path: bytes) -> bytes:
    """The path decoded and encoded again, so that every spelling of one key (`~` or `%7e`, `(` or `%28`) signs alike.

    `+` in a path is itself, not a space.
    """
    if _is_canonical_path(raw_path):
        return raw_path or b"/"
    return encode(unquote_to_bytes(raw_path), safe="/")


def canonical_query(query_string: bytes, *, without: bytes | None = None) -> bytes:
    """The query as sent, each part decoded and encoded again, sorted; `without` names a parameter to leave out.

    `+` in a query is a space, as S3 reads it, and a name without `=` has an empty value.
    """
    pairs = [(_recode(name), _recode(value)) for name, value in _split_query(query_string)]
    return _join_query(pair for pair in pairs if pair[0] != without)


def encode_query(parameters: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The canonical query of decoded parameters; it can be sent as it is."""
    return _join_query((encode(name), encode(value)) for name, value in parameters)


def decode_query(query_string: bytes) -> list[tuple[bytes, bytes]]:
    """The parameters in the order sent, decoded just as `canonical_query` reads them."""
    return [(_decode(name), _decode(value)) for name, value in _split_query(query_string)]


def canonical_request(
    method: str,
    raw_path: bytes,
    query: bytes,
    headers: Mapping[bytes, bytes],
    signed_headers: Sequence[str],
    payload_hash: str,
) -> bytes:
    """Method, path, query, signed headers in the order the client names them, and payload hash, one to a line.

    A signed header that did not arrive counts as empty: the signatures then differ, and the answer shows where.
    """
    lines = [method.encode(), canonical_uri(raw_path), query]
    for name in signed_headers:
        raw_name = name.encode("latin-1")
        lines.append(raw_name + b":" + _trim(headers.get(raw_name, b"")))
    lines += (b"", ";".join(signed_headers).encode("latin-1"), payload_hash.encode("latin-1"))
    return b"\n".join(lines)


def string_to_sign(timestamp: str, scope: str, request: bytes) -> bytes:
    """What the signing key signs: algorithm, time, scope and the canonical request's SHA-256."""
    return f"{ALGORITHM}\n{timestamp}\n{scope}\n{hashlib.sha256(request).hexdigest()}".encode()


def hmac_hex(key: bytes, message: bytes) -> str:
    """HMAC-SHA256 in lower-case hex."""
    return hmac.digest(key, message, "sha256").hex()


def _trim(value: bytes) -> bytes:
    """Outer space removed, inner runs of it made one space, as botocore's signer does."""
    return b" ".join(value.split()) if b"  " in value or b"\t" in value else value.strip()


def _split_query(query_string: bytes) -> Iterator[tuple[bytes, bytes]]:
    for part in query_string.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            yield name, value


def _join_query(encoded: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"&".join([name + b"=" + value for name, value in sorted(encoded)])


def _decode(raw: bytes) -> bytes:
    return unquote_to_bytes(raw.replace(b"+", b" "))


def _recode(raw: bytes) -> bytes:
    return raw if _is_canonical(raw) else encode(_decode(raw))
