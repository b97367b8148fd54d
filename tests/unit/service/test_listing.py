"""Listings against a plain sorted list, and what a page costs."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.service.listing import Page, list_page, successor


class Item(NamedTuple):
    key: bytes


class Keys:
    """A sorted list of keys that counts what is fetched from it."""

    def __init__(self, keys: set[bytes]) -> None:
        self.items = [Item(key) for key in sorted(keys)]
        self.fetched = 0

    def fetch(self, start: bytes, count: int) -> list[Item]:
        first = bisect_left(self.items, Item(start))
        found = self.items[first : first + count]
        self.fetched += len(found)
        return found


def entries(keys: set[bytes], prefix: bytes, delimiter: bytes, after: bytes) -> list[tuple[bytes, bool]]:
    """Every entry beyond `after`, in order: keys, and common prefixes (True)."""
    found: list[tuple[bytes, bool]] = []
    for key in sorted(keys):
        if not key.startswith(prefix) or key <= after:
            continue
        rest = key[len(prefix) :]
        cut = rest.find(delimiter) if delimiter else -1
        entry = (key, False) if cut < 0 else (prefix + rest[: cut + len(delimiter)], True)
        if entry == (after, True) or found[-1:] == [entry]:
            continue
        found.append(entry)
    return found


few_bytes = st.lists(st.sampled_from([b"a", b"b", b"/", b"\x00", b"\xff", b"\xc3\xa4"]), max_size=5).map(b"".join)
key_sets = st.sets(few_bytes.filter(bool), max_size=25)
delimiters = st.sampled_from([b"", b"/", b"a", b"//", b"\xff"])


def page_of(keys: set[bytes], prefix: bytes, delimiter: bytes, after: bytes, limit: int) -> Page[Item]:
    return list_page(Keys(keys).fetch, prefix=prefix, delimiter=delimiter, after=after, limit=limit)


@given(key_sets, few_bytes, delimiters, few_bytes, st.integers(1, 8))
def test_a_page_is_what_a_sorted_list_says(
    keys: set[bytes], prefix: bytes, delimiter: bytes, after: bytes, limit: int
) -> None:
    expected = entries(keys, prefix, delimiter, after)
    page = page_of(keys, prefix, delimiter, after, limit)
    assert [item.key for item in page.items] == [name for name, common in expected[:limit] if not common]
    assert page.prefixes == [name for name, common in expected[:limit] if common]
    assert page.truncated == (len(expected) > limit)
    assert page.last == (expected[:limit][-1][0] if expected else None)


@given(key_sets, few_bytes, delimiters, st.integers(1, 4))
def test_pages_follow_each_other_without_gap_or_repeat(
    keys: set[bytes], prefix: bytes, delimiter: bytes, limit: int
) -> None:
    names: list[bytes] = []
    after = b""
    while True:
        page = page_of(keys, prefix, delimiter, after, limit)
        names += sorted([*(item.key for item in page.items), *page.prefixes])
        if not page.truncated:
            break
        assert page.last is not None
        after = page.last
    assert names == [name for name, _ in entries(keys, prefix, delimiter, b"")]


def test_a_limit_of_nothing_lists_nothing() -> None:
    page = page_of({b"a"}, b"", b"", b"", 0)
    assert (page.items, page.prefixes, page.truncated, page.last) == ([], [], True, None)


def test_common_prefixes_are_skipped_by_seeks() -> None:
    keys = Keys({b"dir%d/%05d" % (folder, number) for folder in range(10) for number in range(2000)})
    page = list_page(keys.fetch, prefix=b"", delimiter=b"/", after=b"", limit=1000)
    assert page.prefixes == [b"dir%d/" % folder for folder in range(10)]
    assert keys.fetched <= 40


def test_a_page_of_keys_costs_the_page() -> None:
    keys = Keys({b"%06d" % number for number in range(5000)})
    page = list_page(keys.fetch, prefix=b"", delimiter=b"/", after=b"000100", limit=100)
    assert [item.key for item in page.items] == [b"%06d" % number for number in range(101, 201)]
    assert keys.fetched <= 400


@pytest.mark.parametrize(
    ("prefix", "expected"), [(b"a", b"b"), (b"a/", b"a0"), (b"a\xff", b"b"), (b"\xff\xff", None), (b"", None)]
)
def test_successor(prefix: bytes, expected: bytes | None) -> None:
    assert successor(prefix) == expected


@given(st.binary(min_size=1, max_size=4), st.binary(max_size=4))
def test_the_successor_is_beyond_all_that_start_with_the_prefix(prefix: bytes, rest: bytes) -> None:
    beyond = successor(prefix)
    assert beyond is None or prefix + rest < beyond
