"""How much lies at some keys and under some prefixes, as far as it is worth counting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from elasticlake.errors import AccessDenied
from elasticlake.metadata import objects
from elasticlake.metadata.database import Database, Reader
from elasticlake.model.accounts import Caller, Token
from elasticlake.model.objects import Bucket, require_key
from elasticlake.service.access import bucket_for, may
from elasticlake.service.hierarchy import visible_bucket
from elasticlake.service.listing import successor

MAX_COUNTED = 10_000
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
        """The objects at these keys and under these prefixes; raises `NoSuchBucket` or `AccessDenied`."""
        bucket = await bucket_for(self._database, caller, bucket_name, "list")
        for name in (*keys, *prefixes):
            if not may(caller, bucket, "list", name):
                raise AccessDenied
        for key in keys:
            require_key(key)
        return await self._database.read(lambda reader: _measure(reader, bucket, keys, prefixes))

    async def of_prefix(self, token: Token, bucket_name: str, prefix: bytes) -> Measure:
        """The objects under a prefix; raises `NoSuchBucket`."""
        bucket = await self._database.read(lambda reader: visible_bucket(reader, token, bucket_name))
        return await self._database.read(lambda reader: _measure(reader, bucket, (), (prefix,)))


def _measure(reader: Reader, bucket: Bucket, keys: Sequence[bytes], prefixes: Sequence[bytes]) -> Measure:
    found = [version for key in keys if (version := objects.get(reader, bucket.id, key)) is not None]
    total = Measure(len(found), sum(version.size_bytes for version in found))
    for prefix in prefixes:
        total = _with_prefix(reader, bucket, prefix, total)
    return total


def _with_prefix(reader: Reader, bucket: Bucket, prefix: bytes, total: Measure) -> Measure:
    start, end = prefix, successor(prefix) if prefix else None
    while not total.is_more:
        page = objects.list_from(reader, bucket.id, start, _AT_ONCE)
        inside = [item for item in page if end is None or item.key < end]
        counted = inside[: MAX_COUNTED - total.objects]
        size_bytes = total.size_bytes + sum(item.size_bytes for item in counted)
        total = Measure(total.objects + len(counted), size_bytes, len(counted) < len(inside))
        if len(inside) < _AT_ONCE:
            break
        start = page[-1].key + b"\x00"
    return total
