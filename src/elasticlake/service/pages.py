"""Lists in pages: what a page is, and the opaque cursors that lead from one to the next."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from elasticlake.errors import InvalidInput

T = TypeVar("T")

MAX_PAGE = 1000
_MAX_INTEGER = 2**63 - 1
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page: at most `limit` items beyond `cursor`, which an earlier page gave (None: from the first on)."""

    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list; `next_cursor` is None on its last page."""

    items: list[T]
    next_cursor: str | None


def encode_cursor(*place: str | int) -> str:
    """Where a page ended, as text that callers hand back unread."""
    return urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode("ascii").rstrip("=")


def decode_cursor(cursor: str, *kinds: type[str] | type[int]) -> tuple[str | int, ...]:
    """The place that `encode_cursor` was given, of these types; raises `InvalidInput` for anything else."""
    try:
        place = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        if not isinstance(place, list) or [type(part) for part in place] != list(kinds):
            raise ValueError
        for part in place:
            # What the store cannot take as a number or as text was never in a cursor of ours.
            if isinstance(part, int) and not -1 <= part <= _MAX_INTEGER:
                raise ValueError
            if isinstance(part, str):
                part.encode()
    except (ValueError, binascii.Error, RecursionError):
        raise bad_cursor() from None
    return tuple(place)


def bad_cursor() -> InvalidInput:
    return InvalidInput("cursor", "This is no cursor of this list: hand back what nextCursor said.")


def after_name(request: PageRequest) -> str:
    """The name that the page before ended with, for lists in the order of a name."""
    return str(decode_cursor(request.cursor, str)[0]) if request.cursor else ""


def page_of(rows: Sequence[T], limit: int, name: Callable[[T], str]) -> Page[T]:
    """The page of `rows`, of which one more than `limit` were asked for."""
    items = list(rows[:limit])
    return Page(items, encode_cursor(name(items[-1])) if len(rows) > limit else None)


async def filtered_page(
    request: PageRequest,
    fetch: Callable[[str, int], Awaitable[list[T]]],
    name: Callable[[T], str],
    keep: Callable[[T], bool],
) -> Page[T]:
    """A page of those rows that `keep` keeps; `fetch(after, limit)` reads rows in the order of `name`."""
    after, kept = after_name(request), list[T]()
    while len(kept) <= request.limit:
        rows = await fetch(after, _ROWS_AT_ONCE)
        kept += [row for row in rows if keep(row)]
        if len(rows) < _ROWS_AT_ONCE:
            break
        after = name(rows[-1])
    return page_of(kept, request.limit, name)
