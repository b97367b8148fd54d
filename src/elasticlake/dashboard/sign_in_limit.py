"""A limit on wrong passwords, so that nobody can search for the right one. In memory, for each gateway process."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict

from elasticlake.clock import Clock

FAILURES = 10
WINDOW_SECONDS = 300.0
REMEMBERED_ADDRESSES = 4096


class SignInLimit:
    """Counts the failures of each address: ten in five minutes, then it waits. An IPv6 client is its /64.

    A success forgives none: else whoever has a key of their own could search for another's without end.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def wait_seconds(self, address: str) -> int:
        """For how long the address may not try again; 0 if it may now."""
        recent = self._recent(_network(address))
        return 0 if len(recent) < FAILURES else 1 + int(recent[-FAILURES] + WINDOW_SECONDS - self._clock.monotonic())

    def failed(self, address: str) -> None:
        """The address gave a wrong password."""
        network = _network(address)
        self._failures[network] = [*self._recent(network), self._clock.monotonic()][-FAILURES:]
        self._failures.move_to_end(network)
        if len(self._failures) > REMEMBERED_ADDRESSES:
            self._failures.popitem(last=False)

    def _recent(self, network: str) -> list[float]:
        since = self._clock.monotonic() - WINDOW_SECONDS
        return [moment for moment in self._failures.get(network, ()) if moment > since]


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    # A socket that listens at [::] sees an IPv4 client as ::ffff:192.0.2.1.
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped is not None else str(ipaddress.ip_network((parsed, 64), strict=False))
