"""What a resource needs of a client that waits for its answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from elasticlake.client.call import Call
from elasticlake.client.exchange import next_page


class SyncTransport(Protocol):
    """Makes a call and returns what it was for."""

    def send(self, call: Call[Any]) -> Any: ...


class SyncResource:
    """Operations over a transport."""

    def __init__(self, transport: SyncTransport) -> None:
        self._transport = transport

    def _send(self, call: Call[Any]) -> Any:
        return self._transport.send(call)

    def _pages(self, call: Call[Any]) -> Iterator[Any]:
        following: Call[Any] | None = call
        while following is not None:
            page = self._transport.send(following)
            yield from page.items
            following = next_page(following, page)
