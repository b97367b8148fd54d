"""Connections to receivers: every address is judged when it is dialled, whatever the URL or a name server said."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from dataclasses import dataclass
from functools import partial
from typing import Literal

from elasticlake.clock import Clock
from elasticlake.delivery.connection import Connection
from elasticlake.delivery.racing import interleaved, race
from elasticlake.delivery.resolver import BoundedResolver
from elasticlake.model.egress import EgressPolicy
from elasticlake.model.endpoint import Endpoint, EndpointRefused, literal_address


@dataclass(slots=True)
class Dial:
    """What one attempt's dialling came to: how far it got, how long each step took (None: it did not end), and what it
    met. `address` is the one last dialled, with its port."""

    step: Literal["dns", "connect", "tls"] = "dns"
    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    address: str | None = None
    opened: int = 0
    refusal: EndpointRefused | None = None
    local_fault: OSError | None = None


class Dialer:
    """Opens one sender's connections, and knows which are open."""

    def __init__(self, policy: EgressPolicy, resolver: BoundedResolver, clock: Clock, socket_budget: int) -> None:
        self._policy = policy
        self._resolver = resolver
        self._clock = clock
        self._socket_budget = socket_budget
        self._open: dict[socket.socket, Connection | None] = {}

    @property
    def open_sockets(self) -> int:
        """Sockets in use or kept alive."""
        self._open = {opened: connection for opened, connection in self._open.items() if opened.fileno() >= 0}
        return len(self._open)

    def crowded(self) -> bool:
        """Whether the budget is spent, so that connections had better not be kept (the pool bounds none that idle)."""
        return len(self._open) >= self._socket_budget and self.open_sockets >= self._socket_budget

    def close(self) -> None:
        """End every connection."""
        for connection in self._open.values():
            if connection is not None:
                connection.abort()

    async def connect(self, endpoint: Endpoint, tls: ssl.SSLContext | None, dial: Dial) -> Connection:
        """A connection to the endpoint, with TLS for https: by `tls`, to the endpoint's name.

        Raises OSError (`ssl.SSLError` among them) when no address is left to try; `dial` says what there was to it.
        """
        addresses = interleaved(await self._addresses(endpoint, dial))
        handshake: OSError | None = None
        while True:
            dial.step, started = "connect", self._clock.monotonic()
            try:
                ip, opened = await race(addresses, partial(self._dial, endpoint, dial))
            except OSError as error:
                if handshake is None:
                    raise
                # An address that took the connection says more than those that did not.
                dial.step = "tls"
                raise handshake from error
            dial.connect_ms, dial.address = self._ms_since(started), _shown(ip, endpoint.port)
            try:
                return await self._adopt(opened, endpoint, tls, dial)
            except OSError as error:
                if not addresses:
                    raise
                handshake = error

    def open_socket(self, ip: str, port: int, dial: Dial, scheme: str) -> socket.socket:
        """A socket for an address that the policy allows; raises OSError, so that the next one is tried."""
        try:
            self._policy.check_address(ip, port, scheme)
        except EndpointRefused as refusal:
            dial.refusal = refusal
            raise OSError(errno.EACCES, str(refusal)) from refusal
        try:
            opened = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM)
        except OSError as fault:
            dial.local_fault = fault
            raise
        dial.opened += 1
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open[opened] = None
        return opened

    async def _addresses(self, endpoint: Endpoint, dial: Dial) -> tuple[str, ...]:
        literal = literal_address(endpoint.host)
        if literal is not None:
            return (str(literal),)
        started = self._clock.monotonic()
        found = await self._resolver.resolve(endpoint.host)
        dial.dns_ms = self._ms_since(started)
        return found

    async def _dial(self, endpoint: Endpoint, dial: Dial, ip: str) -> socket.socket:
        opened = self.open_socket(ip, endpoint.port, dial, endpoint.scheme)
        dial.address = shown = _shown(ip, endpoint.port)
        try:
            await asyncio.get_running_loop().sock_connect(opened, (ip, endpoint.port))
        except BaseException as error:
            opened.close()
            if isinstance(error, OSError) and error.errno:
                # Event loops word it each in their own way.
                raise OSError(error.errno, f"{shown}: {os.strerror(error.errno)}") from error
            raise
        return opened

    async def _adopt(
        self, opened: socket.socket, endpoint: Endpoint, tls: ssl.SSLContext | None, dial: Dial
    ) -> Connection:
        dial.step, started = "tls" if tls is not None else "connect", self._clock.monotonic()
        connection = self._open[opened] = Connection(dial.address or "", opened, self._clock)
        # Certificates know no dot at a name's end.
        name = endpoint.host.rstrip(".") if tls is not None else None
        identity = os.fstat(opened.fileno()).st_ino
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: connection, sock=opened, ssl=tls, server_hostname=name
            )
        except BaseException:
            self._let_go(opened, identity)
            raise
        if not connection.is_usable:
            raise ConnectionResetError
        if tls is not None:
            dial.tls_ms = self._ms_since(started)
        return connection

    def _let_go(self, opened: socket.socket, identity: int) -> None:
        """A transport failed with the socket. One that may still have it learns that nobody waits for it any more;
        uvloop has closed it below Python, which must not use or close its number again."""
        self._open.pop(opened, None)
        with contextlib.suppress(OSError):
            if os.fstat(opened.fileno()).st_ino == identity:
                opened.shutdown(socket.SHUT_RDWR)
                return
        opened.detach()

    def _ms_since(self, started: float) -> float:
        return (self._clock.monotonic() - started) * 1000


def _shown(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
