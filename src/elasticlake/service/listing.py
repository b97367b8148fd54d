"""Listings: pages of keys and common prefixes, at the cost of the page (I10).

A common prefix is skipped by one seek to its successor, however many keys it covers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Keyed(Protocol):
    @property
    def key(self) -> bytes: ...


Item = TypeVar("Item", bound=Keyed)


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """What one listing request answers. `last` is the last key or common prefix of the page."""

    items: list[Item]
    prefixes: list[bytes]
    truncated: bool
    last: bytes | None


def successor(prefix: bytes) -> bytes | None:
    """The least byte string beyond every string that starts with `prefix`; None if there is none."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,)) if kept else None


def list_page(
    fetch: Callable[[bytes, int], Sequence[Item]],
    *,
    prefix: bytes,
    delimiter: bytes,
    after: bytes,
    limit: int,
    start: bytes | None = None,
) -> Page[Item]:
    """The first `limit` keys and common prefixes beyond `after` (a key, or a common prefix with all that it covers).

    `fetch(start, n)` gives n items with key >= start in byte order, fewer only if there are no more (and more where
    several share the last key). `start` begins there instead of beyond `after`.
    """
    items: list[Item] = []
    prefixes: list[bytes] = []
    last: bytes | None = None
    start = start if start is not None else _first_start(prefix, delimiter, after)
    end = successor(prefix) if prefix else None
    batch = limit + 1 if not delimiter else 2
    while start is not None:
        skipped_to: bytes | None = start
        fetched = fetch(start, batch)
        for item in fetched:
            key = item.key
            if end is not None and key >= end:
                return Page(items, prefixes, False, last)
            if len(items) + len(prefixes) >= limit:
                return Page(items, prefixes, True, last)
            common = _common_prefix(key, prefix, delimiter)
            if common is not None:
                prefixes.append(common)
                last, skipped_to, batch = common, successor(common), 2
                break
            items.append(item)
            last, skipped_to = key, key + b"\x00"
        else:
            if len(fetched) < batch:
                break
            batch = min(batch * 4, limit + 1)
        start = skipped_to
    return Page(items, prefixes, False, last)


def _first_start(prefix: bytes, delimiter: bytes, after: bytes) -> bytes | None:
    if after < prefix or not after:
        return prefix
    common = _common_prefix(after, prefix, delimiter) if after.startswith(prefix) else None
    return successor(common) if common == after else after + b"\x00"


def _common_prefix(key: bytes, prefix: bytes, delimiter: bytes) -> bytes | None:
    if not delimiter:
        return None
    found = key.find(delimiter, len(prefix))
    return key[: found + len(delimiter)] if found >= 0 else None
