"""A body that is here already: bytes that no request brings."""

from __future__ import annotations

from collections.abc import AsyncIterator

from elasticlake.blobs.digests import Digests


class WholeBody:
    """A `Body` (`service/intake.py`) of these bytes."""

    algorithms: frozenset[str] = frozenset()

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.length: int | None = len(data)

    async def __aiter__(self) -> AsyncIterator[bytes | memoryview]:
        yield self._data

    async def whole(self) -> bytes:
        return self._data

    def verify(self, digests: Digests) -> None:
        """Nobody claimed anything of these bytes."""
