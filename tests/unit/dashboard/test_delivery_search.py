"""What a list's query asks for; what cannot be understood is said, and the rest still counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.dashboard.delivery_search import FIELDS, parse_time, read_search, time_text
from elasticlake.errors import InvalidInput
from elasticlake.metadata.attempt_search import Wanted


def test_a_query_becomes_what_the_service_takes() -> None:
    search = read_search(
        {
            "status": "dead", "event": "object:created", "key": " a", "match": "prefix", "code": "5xx",
            "since": "2026-01-02T03:04", "until": "2026-01-02T03:05",
        }
    )  # fmt: skip
    assert search.status == "dead"
    assert search.wanted == Wanted(
        event="object:created", key_prefix=b" a", status_codes=(500, 599),
        since_ms=1_767_323_040_000, until_ms=1_767_323_100_000,
    )  # fmt: skip
    assert (search.faults, search.is_narrow) == ({}, True)


def test_without_anything_everything_is_listed() -> None:
    search = read_search({})
    assert (search.status, search.wanted, search.is_narrow) == (None, Wanted(), False)


def test_an_exact_key_is_an_exact_key() -> None:
    assert read_search({"key": "a/b"}).wanted == Wanted(key=b"a/b")


def test_what_is_wrong_is_said_by_field_and_left_out() -> None:
    search = read_search({"code": "teapot", "since": "yesterday", "key": "k", "status": "coalesced", "event": "x"})
    assert set(search.faults) == {"code", "since"}
    assert (search.status, search.wanted) == (None, Wanted(key=b"k"))


@pytest.mark.parametrize("text", ["", "now", "2026-13-01T00:00", "10000-01-01T00:00"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_time(text)


@given(st.dictionaries(st.sampled_from(FIELDS), st.text()))
def test_any_query_is_read(query: dict[str, str]) -> None:
    search = read_search(query)
    assert set(search.faults) <= {"code", "since", "until"}


def test_a_time_s_text_is_its_minute() -> None:
    assert time_text(1_767_323_040_000 + 59_999) == "2026-01-02T03:04"
    assert parse_time(time_text(1_767_323_040_000)) == 1_767_323_040_000
