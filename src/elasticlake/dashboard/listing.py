"""What a page of the object browser shows: folders, then objects, in the order that was asked for.

The store lists by key alone. Sorting by size or time sorts a window of keys, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from elasticlake.dashboard.visit import Visit
from elasticlake.model.objects import Bucket, ListedObject
from elasticlake.service.access import may
from elasticlake.service.listing import Page
from elasticlake.service.pages import decode_cursor, encode_cursor

SHOWN = 50
"""Rows on a page."""
WINDOW = 1000
"""Keys that are sorted together where the order is not that of the keys."""
DELIMITER = b"/"


@dataclass(frozen=True, slots=True)
class Order:
    """An order of objects: how it is called, and by what it sorts; by nothing in the order of the store."""

    name: str
    key: Callable[[ListedObject], Any] | None = None


ORDERS = {
    "": Order("name"),
    "-size": Order("size, largest first", lambda item: -item.size_bytes),
    "size": Order("size, smallest first", lambda item: item.size_bytes),
    "-time": Order("last change, newest first", lambda item: -item.modified_at_ms),
    "time": Order("last change, oldest first", lambda item: item.modified_at_ms),
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a bucket below `prefix`, of the names that begin with `search`."""

    bucket: Bucket
    prefix: bytes
    search: bytes
    sort: str
    folders: list[bytes]
    objects: list[ListedObject]
    next_cursor: str | None
    is_part: bool
    """Whether what was sorted is only some of what there is."""
    sorted_count: int

    @property
    def order(self) -> Order:
        return ORDERS[self.sort]

    @property
    def wanted(self) -> bytes:
        """With what every name on the page begins."""
        return self.prefix + self.search

    @property
    def steps(self) -> list[tuple[bytes, bytes]]:
        return steps_to(self.prefix)

    def sorted_by(self, column: str) -> str:
        """The column's `aria-sort`."""
        if self.sort.removeprefix("-") != column:
            return "none"
        return "descending" if self.sort.startswith("-") else "ascending"


def steps_to(prefix: bytes) -> list[tuple[bytes, bytes]]:
    """Each folder on the way to `prefix`, as (prefix, name), and `prefix` itself."""
    steps, start = [], 0
    while (end := prefix.find(DELIMITER, start)) >= 0:
        steps.append((prefix[: end + 1], prefix[start:end]))
        start = end + 1
    return [*steps, (prefix, prefix[start:])] if prefix[start:] else steps


async def read_listing(visit: Visit) -> Listing:
    """The page that the query asks for; raises `NoSuchBucket`, `AccessDenied`, and `InvalidInput` for a bad cursor."""
    prefix, search = visit.query("prefix").encode(), visit.query("search").encode()
    sort = visit.query("sort") if visit.query("sort") in ORDERS else ""
    after, offset = _place(visit.query("cursor"))
    bucket, page = await _page(visit, prefix + search, after, WINDOW if sort else SHOWN)
    order = ORDERS[sort].key
    objects = page.items if order is None else sorted(page.items, key=order)
    rows: list[bytes | ListedObject] = [*page.prefixes, *objects]
    shown = rows[offset : offset + SHOWN]
    return Listing(
        bucket=bucket,
        prefix=prefix,
        search=search,
        sort=sort,
        folders=[row for row in shown if isinstance(row, bytes)],
        objects=[row for row in shown if not isinstance(row, bytes)],
        next_cursor=_next(page, after, offset + SHOWN, len(rows)),
        is_part=page.truncated or bool(after),
        sorted_count=len(rows),
    )


async def _page(visit: Visit, prefix: bytes, after: bytes, limit: int) -> tuple[Bucket, Page[ListedObject]]:
    name = visit.path("bucket")
    bucket = await visit.services.buckets.get(visit.as_request, name, "list")
    inside = visit.caller.scope.prefixes
    if inside and not may(visit.caller, bucket, "list", prefix):
        # The key sees some folders alone: they are all that there is for it.
        folders = sorted(one.encode() for one in inside if one.encode().startswith(prefix))
        return bucket, Page([], folders, False, None)
    return await visit.services.objects.list_page(
        visit.caller, name, prefix=prefix, delimiter=DELIMITER, after=after, limit=limit
    )


def _place(cursor: str) -> tuple[bytes, int]:
    """After which key the window begins, and which of its rows the page begins with."""
    if not cursor:
        return b"", 0
    after, offset = decode_cursor(cursor, str, int)
    return str(after).encode(), max(0, int(offset))


def _next(page: Page[ListedObject], after: bytes, offset: int, count: int) -> str | None:
    if offset < count:
        return encode_cursor(after.decode(), offset)
    return encode_cursor(page.last.decode(), 0) if page.truncated and page.last is not None else None
