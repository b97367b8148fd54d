"""A webhook's endpoint: the parts of its URL that decide where it leads, read in one way only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from elasticlake.model.special_networks import Address

MAX_URL_CHARACTERS = 2048
DEFAULT_PORTS = {"http": 80, "https": 443}
HTTPS_URL = "an absolute https:// URL"

_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f\\]|[^\x00-\x7f]", re.ASCII)
_ABSOLUTE_URL = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#]*)[^#]*(#.*)?", re.ASCII | re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{0,5}))?", re.ASCII | re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+", re.ASCII)


class EndpointRefused(ValueError):
    """The endpoint, or an address that its name stands for, may not be called; the text says why and what allows it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The parts of a webhook's URL that decide where it leads: `host` is lower case, without brackets."""

    scheme: str
    host: str
    port: int


def parse_endpoint(url: str, wanted: str = HTTPS_URL) -> Endpoint:
    """The scheme, host and port of an absolute http(s) URL: at most 2,048 ASCII characters, no userinfo, no fragment.

    Raises `EndpointRefused`; `wanted` is what it then says an endpoint must be. Stricter than RFC 3986 on purpose: what
    two parsers could read differently is refused. No message repeats the URL's path or query, where receivers like to
    put tokens.
    """
    if len(url) > MAX_URL_CHARACTERS:
        raise EndpointRefused(f"the URL has {len(url)} characters; the most is {MAX_URL_CHARACTERS}")
    if _UNPRINTABLE.search(url):
        raise EndpointRefused(
            "the URL has a space, control or non-ASCII character, or a backslash: percent-encode it (xn-- in the host)"
        )
    match = _ABSOLUTE_URL.fullmatch(url)
    if match is None or match[1].lower() not in DEFAULT_PORTS:
        raise EndpointRefused(f"the endpoint must be {wanted}")
    scheme, authority, fragment = match[1].lower(), match[2], match[3]
    if fragment is not None:
        raise EndpointRefused("the URL has a fragment (#…), which is never sent")
    host, port = _parse_authority(authority)
    return Endpoint(scheme, host, DEFAULT_PORTS[scheme] if port is None else port)


def _parse_authority(authority: str) -> tuple[str, int | None]:
    if not authority or authority.startswith(":"):
        raise EndpointRefused("the URL names no host")
    if "@" in authority:
        raise EndpointRefused("the URL carries a user name or password; ElasticLake signs its requests instead")
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise EndpointRefused("the URL's host or port is malformed (a zone or an escape in a host is refused too)")
    host, port = match[1].lower(), int(match[2]) if match[2] else None
    if port is not None and not 1 <= port <= 65535:
        raise EndpointRefused(f"port {port} is not between 1 and 65535")
    if host.startswith("["):
        return host[1:-1], port
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.removesuffix(".").split(".")):
        raise EndpointRefused("the URL's host is not a valid name")
    return host, port


def literal_address(host: str) -> Address | None:
    """The address that `host` spells, or None if it is a name; raises `EndpointRefused` for a malformed address.

    Takes the numeric forms that inet_aton and browsers take (`2130706433`, `0x7f.1`, `0177.0.0.1`), so that they are
    judged as what they mean. Source: WHATWG URL, "ends in a number".
    """
    if ":" in host:
        try:
            return IPv6Address(host)
        except ValueError:
            raise EndpointRefused(f"[{host}] is not an IPv6 address") from None
    parts = host.removesuffix(".").split(".")
    if not _NUMBER.fullmatch(parts[-1]):
        return None
    numbers = [_number(part) for part in parts]
    *leading, last = numbers
    if len(numbers) > 4 or any(number > 255 for number in leading) or last >= 256 ** (5 - len(numbers)):
        raise EndpointRefused(f"{host} is not an IPv4 address")
    return IPv4Address(last + sum(number << (24 - 8 * place) for place, number in enumerate(leading)))


def is_localhost(host: str) -> bool:
    """Whether the name always means this machine (RFC 6761, section 6.3)."""
    name = host.removesuffix(".").lower()
    return name == "localhost" or name.endswith(".localhost")


def _number(part: str) -> int:
    if not _NUMBER.fullmatch(part):
        raise EndpointRefused(f"{part} is not a part of an IPv4 address")
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    try:
        return int(part, 8 if part.startswith("0") else 10)
    except ValueError:
        raise EndpointRefused(f"{part} is not a part of an IPv4 address") from None
