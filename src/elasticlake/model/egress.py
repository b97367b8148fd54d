"""Where a webhook may call: a pure policy, so that nobody makes the server reach into its own network.

`check_endpoint` judges a URL when a webhook is made or changed, and spares its owner a surprise. `check_address` judges
each address about to be dialled, and is what protects: between the two, a name may come to mean something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from elasticlake.model.endpoint import (
    HTTPS_URL,
    Endpoint,
    EndpointRefused,
    is_localhost,
    literal_address,
    parse_endpoint,
)
from elasticlake.model.special_networks import Address, Network, find_special

_NAT64 = IPv6Network("64:ff9b::/96")
_LOCALHOST_ADDRESSES = ("127.0.0.1", "::1")
_HTTP_REFUSED = "plain http is refused: use https, or start the server with --egress-http"
LOCAL_EXAMPLE = "http://localhost:5000/hook"
"""An endpoint that a developer's server may call."""


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What the operator allows beyond https to public addresses.

    `allow` is `--egress-allow`, `allow_http` is `--egress-http`. `developer` holds for a server that only this machine
    reaches (it listens on loopback, with neither a public URL nor a trusted proxy): it may call loopback, in http too.
    `own_ports` are the ports of this server, which is never its own receiver.
    """

    allow: tuple[Network, ...] = ()
    allow_http: bool = False
    developer: bool = False
    own_ports: frozenset[int] = frozenset()

    def check_endpoint(self, url: str) -> None:
        """Raise `EndpointRefused` unless `url` can be a webhook's endpoint; asks no name server."""
        endpoint = parse_endpoint(url, self._wanted)
        address = literal_address(endpoint.host)
        if address is not None:
            self.check_address(str(address), endpoint.port, endpoint.scheme)
            _require_canonical(endpoint.host, address)
        elif is_localhost(endpoint.host):
            self._check_localhost(endpoint)
        elif endpoint.scheme == "http" and not self.allow_http:
            raise EndpointRefused(self._http_refused)

    def check_address(self, ip: str, port: int, scheme: str) -> None:
        """Raise `EndpointRefused` unless a connection may be opened to `ip` (as dialled) and `port` for `scheme`."""
        if "%" in ip:
            raise EndpointRefused(f"{ip} has a zone: it means something on this machine's own links alone")
        address = ip_address(ip)
        dialled = _unmapped(address)
        if port in self.own_ports and (dialled.is_loopback or dialled.is_unspecified):
            raise EndpointRefused(f"{ip} port {port} is this server itself")
        local_to_developer = self.developer and dialled.is_loopback
        if not local_to_developer and not self._allows(address) and not self._allows(dialled):
            _require_public(ip, address)
        if scheme != "https" and not self.allow_http and not local_to_developer:
            raise EndpointRefused(self._http_refused)

    @property
    def _wanted(self) -> str:
        return f"{HTTPS_URL}, or one on this machine, such as {LOCAL_EXAMPLE}" if self.developer else HTTPS_URL

    @property
    def _http_refused(self) -> str:
        return _HTTP_REFUSED + (f"; on this machine http works: {LOCAL_EXAMPLE}" if self.developer else "")

    def _check_localhost(self, endpoint: Endpoint) -> None:
        """One of the loopback addresses must do: which of them the receiver listens on is seen when it is dialled."""
        first, last = _LOCALHOST_ADDRESSES
        try:
            self.check_address(first, endpoint.port, endpoint.scheme)
        except EndpointRefused as refusal:
            try:
                self.check_address(last, endpoint.port, endpoint.scheme)
            except EndpointRefused:
                raise refusal from None

    def _allows(self, address: Address) -> bool:
        return any(address in network for network in self.allow)


def _require_canonical(host: str, address: Address) -> None:
    if isinstance(address, IPv4Address) and host != str(address):
        raise EndpointRefused(f"write {host} as {address}")


def _unmapped(address: Address) -> Address:
    """What the kernel connects to: an IPv4-mapped address leads to its IPv4 one."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _require_public(ip: str, address: Address) -> None:
    """A NAT64 gateway leads to the IPv4 address inside, so that is judged; other wrappings are refused as such."""
    inner = _unmapped(address)
    if isinstance(inner, IPv6Address) and inner in _NAT64:
        inner = IPv4Address(int(inner) & 0xFFFFFFFF)
    special = find_special(inner)
    if special is not None:
        subject = f"{ip} is" if inner == address else f"{ip} leads to {inner},"
        allowed = _unmapped(address)
        way_out = f"allow it with --egress-allow {allowed}/{allowed.max_prefixlen}"
        raise EndpointRefused(f"{subject} {special.name} ({special.source}); {way_out}")
