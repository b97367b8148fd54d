"""What is sent comes back: values of every kind, against a real server."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.errors import InvalidInput
from elasticlake.metadata.database import Row
from elasticlake.metadata.postgres.encoding import Array, Parameter, encoded, loader_of, numbered
from elasticlake.metadata.postgres.link import Link, open_link

INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
FLOATS = st.floats(allow_nan=True)
KEYS = st.binary(max_size=300)


class Asking:
    """One link, and a loop to ask on."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._link: Link = self._runner.run(open_link(url))

    def rows(self, sql: str, *parameters: Parameter) -> list[Row]:
        async def ask() -> list[Row]:
            reply = self._link.send(sql, parameters)
            await self._link.sync()
            return reply.rows()

        return self._runner.run(ask())

    @contextmanager
    def open(self) -> Iterator[Asking]:
        try:
            yield self
        finally:
            self._link.fail()
            self._runner.close()


@pytest.fixture
def asking(postgres_url: str) -> Iterator[Asking]:
    with Asking(postgres_url).open() as link:
        yield link


def test_values_come_back_as_they_went_in(asking: Asking) -> None:
    sql = "SELECT CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS DOUBLE PRECISION), CAST(? AS BYTEA)"

    @given(st.none() | INTEGERS, st.none() | TEXTS, st.none() | FLOATS, st.none() | KEYS)
    def round_trip(integer: int | None, text: str | None, number: float | None, data: bytes | None) -> None:
        ((integer_back, text_back, number_back, data_back),) = asking.rows(sql, integer, text, number, data)
        assert (integer_back, text_back, data_back) == (integer, text, data)
        if number is None or not math.isnan(number):
            assert number_back == number
            assert number is None or math.copysign(1, number_back) == math.copysign(1, number)
        else:
            assert math.isnan(number_back)

    round_trip()


@pytest.mark.parametrize(("kind", "values"), [("text", TEXTS), ("bytea", KEYS)])
def test_arrays_come_back_as_they_went_in(asking: Asking, kind: str, values: st.SearchStrategy[str | bytes]) -> None:
    @given(st.lists(values, max_size=20))
    def round_trip(members: list[str | bytes]) -> None:
        array = Array(kind, members)  # type: ignore[arg-type]
        rows = asking.rows(f"SELECT value FROM unnest(?::{kind}[]) WITH ORDINALITY AS t (value, n) ORDER BY n", array)
        assert [row[0] for row in rows] == members
        assert asking.rows(f"SELECT coalesce(cardinality(?::{kind}[]), 0)", array) == [(len(members),)]

    round_trip()


def test_what_is_asked_for_is_found_by_any(asking: Asking) -> None:
    @given(st.lists(KEYS, min_size=1, max_size=8), KEYS)
    def found(members: list[bytes], other: bytes) -> None:
        assert asking.rows("SELECT ?::bytea = ANY(?)", members[-1], Array("bytea", members)) == [(True,)]
        assert asking.rows("SELECT ?::bytea = ANY(?)", other, Array("bytea", members)) == [(other in members,)]

    found()


def test_bytes_sort_as_they_do_here(asking: Asking) -> None:
    @given(st.lists(KEYS, max_size=20, unique=True))
    def sort(keys: list[bytes]) -> None:
        rows = asking.rows("SELECT key FROM unnest(?::bytea[]) AS t (key) ORDER BY key", Array("bytea", keys))
        assert [row[0] for row in rows] == sorted(keys)

    sort()


def test_many_rows_and_no_rows(asking: Asking) -> None:
    sql = "SELECT n, CAST(n AS INTEGER), n % 2 = 0, NULL FROM generate_series(1, CAST(? AS BIGINT)) AS t (n)"
    assert asking.rows(sql, 0) == []
    assert asking.rows(sql, 1000) == [(n, n, n % 2 == 0, None) for n in range(1, 1001)]


@pytest.mark.parametrize(
    ("value", "message"), [("a\x00", "NUL"), ("\udcff", "Unicode"), (Array("text", ["a", "b\x00"]), "NUL")]
)
def test_text_that_cannot_be_sent_is_refused_before_it_is(value: Parameter, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as refused:
        encoded([1, value])
    assert "\n" not in str(refused.value)


def test_parameters_are_numbered_in_order() -> None:
    assert numbered("SELECT 1") == "SELECT 1"
    assert numbered("a = ? AND b = ? OR c = ?") == "a = $1 AND b = $2 OR c = $3"
    assert numbered("?" * 12).endswith("$10$11$12")


def test_a_type_that_is_used_nowhere_is_no_value() -> None:
    with pytest.raises(LookupError):
        loader_of(1700)
