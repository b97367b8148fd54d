"""Wake-ups from the gateways: datagrams on a local socket. Each is a hint; a scan finds what was lost."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path

Heads = dict[int, int]
"""The last sequence of each bucket named."""


class WakeupSender:
    """The gateway's side: tells the dispatcher what was committed, and never waits for it (I7)."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)

    def __call__(self, heads: Heads | None = None) -> None:
        """Name the buckets that changed; nothing for a change of webhooks or requested deliveries."""
        try:
            self._socket.sendto(json.dumps(heads or {}).encode(), self._path)
        except OSError:
            # The dispatcher is down, or so far behind that its buffer is full: its scan will find the events.
            return

    def close(self) -> None:
        self._socket.close()


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
    receiver.bind(str(path))
    path.chmod(0o600)
    return receiver
