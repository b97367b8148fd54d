"""What a resource needs of a client whose answers are awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol

from elasticlake.client.call import Call
from elasticlake.client.exchange import next_page


class AsyncTransport(Protocol):
    """Makes a call and returns what it was for."""

    async def send(self, call: Call[Any]) -> Any: ...


class AsyncResource:
    """Operations over a transport."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def _send(self, call: Call[Any]) -> Any:
        return await self._transport.send(call)

    async def _pages(self, call: Call[Any]) -> AsyncIterator[Any]:
        following: Call[Any] | None = call
        while following is not None:
            page = await self._transport.send(following)
            for item in page.items:
                yield item
            following = next_page(following, page)
