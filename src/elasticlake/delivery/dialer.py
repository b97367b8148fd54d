"""Connections to receivers: every address is judged when it is dialled, whatever the URL or a name server said."""

from __future__ import annotations

import errno
import socket
import ssl
from contextvars import ContextVar
from dataclasses import dataclass

import aiohttp
from aiohappyeyeballs import AddrInfoType

from elasticlake.delivery.resolver import BoundedResolver
from elasticlake.model.egress import EgressPolicy
from elasticlake.model.endpoint import EndpointRefused

KEEP_ALIVE_SECONDS = 15.0


@dataclass(slots=True)
class Dial:
    """What one attempt's dialling came to; if nothing was dialled, a kept connection served."""

    scheme: str
    opened: int = 0
    refusal: EndpointRefused | None = None
    local_fault: OSError | None = None

    @property
    def dialled(self) -> bool:
        """Whether any address was dialled or refused."""
        return self.opened > 0 or self.refusal is not None or self.local_fault is not None


current_dial: ContextVar[Dial] = ContextVar("current_dial")
"""The dial of the attempt that runs in this context: aiohttp hands a socket factory an address, but no request."""


class Dialer:
    """Makes the connectors of one sender: they share the guard, the resolver and the count of open sockets."""

    def __init__(
        self, policy: EgressPolicy, resolver: BoundedResolver, tls: ssl.SSLContext, socket_budget: int
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._tls = tls
        self._socket_budget = socket_budget
        self._open: set[socket.socket] = set()

    @property
    def open_sockets(self) -> int:
        """Sockets in use or kept alive."""
        self._open = {opened for opened in self._open if opened.fileno() >= 0}
        return len(self._open)

    def crowded(self) -> bool:
        """Whether the budget is spent, so that connections had better not be kept (the pool bounds none that idle)."""
        return len(self._open) >= self._socket_budget and self.open_sockets >= self._socket_budget

    def connector(self, *, keep_alive: bool) -> aiohttp.TCPConnector:
        """A connector without a limit or a DNS cache of its own: the sender and the resolver see to both."""
        return aiohttp.TCPConnector(
            limit=0,
            use_dns_cache=False,
            resolver=self._resolver,
            ssl=self._tls,
            socket_factory=self.open_socket,
            force_close=not keep_alive,
            keepalive_timeout=KEEP_ALIVE_SECONDS if keep_alive else None,
        )

    def open_socket(self, address: AddrInfoType) -> socket.socket:
        """A socket for an address that the policy allows; raises OSError, which aiohttp takes as "try the next one"."""
        family, kind, protocol, _, (ip, port, *_) = address
        dial = current_dial.get()
        try:
            self._policy.check_address(str(ip), int(port), dial.scheme)
        except EndpointRefused as refusal:
            dial.refusal = refusal
            raise OSError(errno.EACCES, str(refusal)) from refusal
        try:
            opened = socket.socket(family, kind, protocol)
        except OSError as fault:
            dial.local_fault = fault
            raise
        dial.opened += 1
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open.add(opened)
        return opened
