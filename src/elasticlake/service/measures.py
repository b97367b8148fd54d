"""How much lies at some keys and under some prefixes, as far as it is worth counting."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from elasticlake.errors import AccessDenied, InvalidInput
from elasticlake.metadata import objects
from elasticlake.metadata.database import Database, Reader
from elasticlake.model.accounts import Caller, Token
from elasticlake.model.objects import Bucket, require_key
from elasticlake.service.access import bucket_for, may
from elasticlake.service.hierarchy import visible_bucket
from elasticlake.service.listing import successor

MAX_COUNTED = 10_000
MAX_PREFIXES = 100
_FIRST = 20
"""Of a prefix, so many are read at first: what is read beyond its end is read in vain."""
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Measure:
    """How many objects, and their bytes. `is_more` where there are others beyond those counted."""

    objects: int
    size_bytes: int
    is_more: bool = False


class Measures:
    """Counts objects, at a cost that has a bound."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_selection(
        self, caller: Caller, bucket_name: str, keys: Sequence[bytes], prefixes: Sequence[bytes]
    ) -> Measure:
        """The objects at these keys and under these prefixes, at most 100; raises `InvalidInput`, `NoSuchBucket` or
        `AccessDenied`."""
        if len(prefixes) > MAX_PREFIXES:
            raise InvalidInput("prefixes", f"Choose at most {MAX_PREFIXES} folders at once.")
        bucket = await bucket_for(self._database, caller, bucket_name, "list")
        for name in (*keys, *prefixes):
            if not may(caller, bucket, "list", name):
                raise AccessDenied
        for key in keys:
            require_key(key)
        return await self._measure(bucket, keys, prefixes)

    async def of_prefix(self, token: Token, bucket_name: str, prefix: bytes) -> Measure:
        """The objects under a prefix; raises `NoSuchBucket`."""
        bucket = await self._database.read(lambda reader: visible_bucket(reader, token, bucket_name))
        return await self._measure(bucket, (), (prefix,))

    async def _measure(self, bucket: Bucket, keys: Sequence[bytes], prefixes: Sequence[bytes]) -> Measure:
        total = await self._database.read(lambda reader: _of_keys(reader, bucket, keys))
        for prefix in prefixes:
            # All else has its turn before the next.
            await asyncio.sleep(0)
            total = await self._database.read(partial(_with_prefix, bucket=bucket, prefix=prefix, total=total))
        return total


def _of_keys(reader: Reader, bucket: Bucket, keys: Sequence[bytes]) -> Measure:
    found = [version for key in keys if (version := objects.get(reader, bucket.id, key)) is not None]
    return Measure(len(found), sum(version.size_bytes for version in found))


def _with_prefix(reader: Reader, bucket: Bucket, prefix: bytes, total: Measure) -> Measure:
    start, end, wanted = prefix, successor(prefix) if prefix else None, min(_FIRST, _AT_ONCE)
    while not total.is_more:
        page = objects.list_from(reader, bucket.id, start, wanted)
        inside = [item for item in page if end is None or item.key < end]
        counted = inside[: MAX_COUNTED - total.objects]
        size_bytes = total.size_bytes + sum(item.size_bytes for item in counted)
        total = Measure(total.objects + len(counted), size_bytes, len(counted) < len(inside))
        if len(inside) < wanted:
            break
        start, wanted = page[-1].key + b"\x00", _AT_ONCE
    return total
