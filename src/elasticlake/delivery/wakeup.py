"""Wake-ups from the gateways: datagrams on a local socket. Each is a hint; a scan finds what was lost."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

Heads = dict[int, int]
"""The last sequence of each bucket named."""


MAX_ADDRESS_BYTES = 100


class Address:
    """A socket's path in a form that fits into an address: 107 bytes on Linux, where a folder can be longer."""

    def __init__(self, path: Path) -> None:
        self.text = str(path)
        self._folder: int | None = None
        if len(self.text.encode()) > MAX_ADDRESS_BYTES:
            self._folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self.text = f"/proc/self/fd/{self._folder}/{path.name}"

    def close(self) -> None:
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None


class WakeupSender:
    """The gateway's side: tells the dispatcher what was committed, and never waits for it (I7)."""

    def __init__(self, path: Path) -> None:
        self._address = Address(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)

    def __call__(self, heads: Heads | None = None) -> None:
        """Name the buckets that changed; nothing for a change of webhooks or requested deliveries."""
        try:
            self._socket.sendto(json.dumps(heads or {}).encode(), self._address.text)
        except OSError:
            # The dispatcher is down, or so far behind that its buffer is full: its scan will find the events.
            return

    async def close(self) -> None:
        self._socket.close()
        self._address.close()


class WakeupListener(asyncio.DatagramProtocol):
    """The dispatcher's side."""

    def __init__(self, on_wake: Callable[[Heads], None]) -> None:
        self._on_wake = on_wake

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._on_wake({int(bucket): sequence for bucket, sequence in json.loads(data).items()})


async def listen(path: Path, on_wake: Callable[[Heads], None]) -> asyncio.DatagramTransport:
    """Receive wake-ups at `path` until the transport is closed."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: WakeupListener(on_wake), sock=_bound(path)
    )
    return transport


def _bound(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    receiver.setblocking(False)
    address = Address(path)
    receiver.bind(address.text)
    address.close()
    path.chmod(0o600)
    return receiver
