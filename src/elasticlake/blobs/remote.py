"""Blobs in an object store: S3 and whatever speaks it, Google Cloud Storage, Azure."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError

from elasticlake.blobs.remote_faults import FAULTS, explanation, is_missing, translated
from elasticlake.blobs.remote_location import RemoteLocation
from elasticlake.blobs.remote_reader import read_blob
from elasticlake.blobs.remote_store import DEFAULT_PATIENCE, Patience, open_store
from elasticlake.blobs.remote_writer import RemoteWriter
from elasticlake.errors import ElasticLakeError, InvalidInput

if TYPE_CHECKING:
    from obstore.store import ObjectStore

DELETE_BATCH = 1000
DELETES_UNDER_WAY = 10
LIST_PAGE = 1000
MARK = "elasticlake-installation"
_ID = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{30})")


class UnusableBlobs(ElasticLakeError):
    """The place for blobs cannot be used; the message says why."""


class RemoteBlobs:
    """A `BlobStore` in an object store: `ab/abcdef…` below the store's prefix.

    Object stores scale by prefix, and a listing can be shared out by it. A blob is visible once its PUT or its
    multipart upload is complete, and durable as the store promises. Each process opens its own, after any fork: the
    library's threads do not survive one.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._clearing: set[asyncio.Task[None]] = set()

    async def create(self, blob_id: str) -> RemoteWriter:
        return RemoteWriter(self._store, _name(blob_id), self._clearing)

    def read(self, blob_id: str, offset: int, size_bytes: int) -> AsyncIterator[bytes]:
        return read_blob(self._store, _name(blob_id), offset, size_bytes)

    async def delete(self, blob_ids: list[str]) -> None:
        names = [_name(blob_id) for blob_id in blob_ids]
        for start in range(0, len(names), DELETE_BATCH):
            await self._delete(names[start : start + DELETE_BATCH])

    async def ids(self) -> AsyncIterator[str]:
        """Objects that are not named as blobs are somebody else's, and none of them."""
        with translated("list"):
            async for page in obstore.list(self._store, chunk_size=LIST_PAGE):
                for found in page:
                    if matched := _ID.fullmatch(found["path"]):
                        yield matched[2]

    async def size(self, blob_id: str) -> int | None:
        with translated(f"size of {blob_id}"):
            try:
                return (await obstore.head_async(self._store, _name(blob_id)))["size"]
            except FAULTS as fault:
                if is_missing(fault):
                    return None
                raise

    async def claim(self, installation: str) -> None:
        """Mark the place as that installation's, whose sweep deletes every blob that its own metadata does not name.

        Raises `UnusableBlobs` that says why: the mark is another's, or the store cannot be used as it is named.
        """
        try:
            found = await self._mark()
            if found is None:
                with suppress(AlreadyExistsError):  # by a gateway that starts beside us
                    await obstore.put_async(self._store, MARK, installation.encode(), mode="create")
                found = await self._mark()
        except FAULTS as fault:
            raise UnusableBlobs(explanation(fault)) from fault
        if found != installation:
            raise UnusableBlobs(
                "it is another installation's, whose blobs would be deleted as orphans: choose a prefix of its own"
            )

    async def _mark(self) -> str | None:
        try:
            return bytes(await (await obstore.get_async(self._store, MARK)).bytes_async()).decode()
        except FAULTS as fault:
            if is_missing(fault):
                return None
            raise

    def free_bytes(self) -> int | None:
        return None

    def close(self) -> None:
        """Nothing to let go of: the library's threads and connections end with the process."""

    async def _delete(self, names: list[str]) -> None:
        with translated("delete"):
            try:
                await obstore.delete_async(self._store, names)
            except FAULTS as fault:
                if not is_missing(fault):
                    raise
                await self._delete_each(names)

    async def _delete_each(self, names: list[str]) -> None:
        """Stores without a deletion of many at once stop at the first that is missing."""
        for start in range(0, len(names), DELETES_UNDER_WAY):
            deleting = [obstore.delete_async(self._store, name) for name in names[start : start + DELETES_UNDER_WAY]]
            for outcome in await asyncio.gather(*deleting, return_exceptions=True):
                if isinstance(outcome, BaseException) and not (isinstance(outcome, FAULTS) and is_missing(outcome)):
                    raise outcome


def open_remote_blobs(url: str, patience: Patience = DEFAULT_PATIENCE) -> RemoteBlobs:
    """The blobs at `url` (`RemoteLocation`); nothing is dialled yet. Raises `InvalidInput` if it cannot be meant."""
    location = RemoteLocation.parse(url)
    try:
        return RemoteBlobs(open_store(location, patience))
    except FAULTS as fault:
        raise InvalidInput("blobs", f"Blobs cannot be opened: {str(fault).partition(chr(10))[0]}") from fault


def _name(blob_id: str) -> str:
    return f"{blob_id[:2]}/{blob_id}"
