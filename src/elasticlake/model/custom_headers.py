"""Headers of a webhook's owner: what an endpoint wants to see beside ours, such as its gateway's credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping

from elasticlake.errors import InvalidWebhook

MAX_HEADERS = 20
MAX_VALUE_BYTES = 1024
MASK = "***"
"""How a value is shown. Given back for a header that is known, it stands for the value that is known."""

RESERVED = frozenset(
    {
        *("host", "content-length", "content-type", "content-encoding", "user-agent", "accept", "accept-encoding"),
        *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"),
        *("traceparent", "tracestate"),
    }
)
"""What the request itself decides: its framing, its content, its connection (RFC 9110, section 7.6.1), its trace."""
RESERVED_PREFIXES = ("webhook-", "x-elasticlake-")

# RFC 9110, sections 5.6.2 (token) and 5.5 (field values), without what is obsolete.
_is_token = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}").fullmatch
_is_value = re.compile(r"[!-~](?:[ -~]*[!-~])?").fullmatch


def require_headers(headers: Mapping[str, str], known: tuple[tuple[str, str], ...] = ()) -> tuple[tuple[str, str], ...]:
    """The headers in their order, those of the `known` ones that are given as they are shown with the value that they
    have; raises `InvalidWebhook`, which names the header at fault and never its value."""
    values = {name.lower(): value for name, value in known}
    headers = {name: values.get(name.lower(), value) if value == MASK else value for name, value in headers.items()}
    if len(headers) > MAX_HEADERS:
        raise InvalidWebhook("headers", f"A webhook has at most {MAX_HEADERS} headers of its own.")
    if len({name.lower() for name in headers}) < len(headers):
        raise InvalidWebhook("headers", "Each header can be given once, whatever its case.")
    for name, value in headers.items():
        _require_name(name)
        _require_value(name, value)
    return tuple(headers.items())


def masked(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The headers as they may be shown."""
    return tuple((name, MASK) for name, _ in headers)


def _require_name(name: str) -> None:
    if _is_token(name) is None:
        raise InvalidWebhook("headers", f"{name[:128]!r} is no header's name: letters, digits and hyphens make one.")
    if name.lower() in RESERVED or name.lower().startswith(RESERVED_PREFIXES):
        raise InvalidWebhook("headers", f"{name} is set by the delivery itself and cannot be given.")


def _require_value(name: str, value: str) -> None:
    if value == MASK:
        raise InvalidWebhook("headers", f"{MASK} is how the value of {name} is shown: give the value itself.")
    if _is_value(value) is None or len(value) > MAX_VALUE_BYTES:
        reason = f"The value of {name} must be 1 to {MAX_VALUE_BYTES:,} printable ASCII characters, no outer spaces."
        raise InvalidWebhook("headers", reason)
