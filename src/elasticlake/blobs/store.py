"""What a blob store offers: immutable bytes under ids that never come again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from elasticlake.errors import ElasticLakeError


class BlobMissing(ElasticLakeError):
    """A row names a blob that the store does not have: the data is damaged."""

    message = "The object's data is missing from the store."


class BlobWriter(Protocol):
    """A blob on its way: invisible until `commit` has returned."""

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append `data`, which must not change until this returns; the next may be given before, and comes after it."""
        ...

    async def commit(self) -> None:
        """Make the blob durable and visible under its id (I1)."""
        ...

    async def abort(self) -> None:
        """Leave nothing behind."""
        ...


class BlobStore(Protocol):
    """A place for blobs."""

    async def create(self, blob_id: str) -> BlobWriter: ...

    def read(self, blob_id: str, offset: int, size_bytes: int) -> AsyncIterator[bytes]:
        """The bytes from `offset` on, in pieces; raises `BlobMissing` before the first."""
        ...

    async def delete(self, blob_ids: list[str]) -> None:
        """Remove blobs; those that are gone already are no error."""
        ...

    def ids(self) -> AsyncIterator[str]:
        """Every visible blob's id, in no order (slow: for sweeps and checks)."""
        ...

    async def size(self, blob_id: str) -> int | None:
        """The blob's size, None if it is missing."""
        ...

    def free_bytes(self) -> int | None:
        """How much more fits, None if nobody knows."""
        ...

    def close(self) -> None:
        """Let go of threads; nothing may be under way."""
        ...
