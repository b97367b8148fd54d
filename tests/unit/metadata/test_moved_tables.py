"""The digest by which both sides of a move are compared."""

from __future__ import annotations

import pytest

from elasticlake.metadata.database import Row
from elasticlake.metadata.moved_tables import RowsDigest, Shape

ROWS: list[Row] = [(1, "a", b"\x00", None, 1.5), (2, "b", b"", "", 0.0), (2, "b", b"", "", 0.0)]


def test_the_order_of_rows_does_not_matter() -> None:
    assert RowsDigest.of(ROWS) == RowsDigest.of(reversed(ROWS))
    assert RowsDigest.of(ROWS).rows == 3


@pytest.mark.parametrize(
    "changed",
    [
        ROWS[:2],
        [*ROWS, ROWS[0]],
        [ROWS[0], ROWS[0], ROWS[1]],
        [(1, "a", b"\x00", "", 1.5), *ROWS[1:]],
        [(1, "a", "\x00", None, 1.5), *ROWS[1:]],
        [(1, "a", b"\x00", None, 1.25), *ROWS[1:]],
    ],
)
def test_every_other_difference_does(changed: list[Row]) -> None:
    assert RowsDigest.of(changed) != RowsDigest.of(ROWS)


def test_a_row_s_key_is_in_the_order_of_the_primary_key() -> None:
    assert Shape("t", ("a", "b", "c"), (2, 0)).key_of((1, 2, 3)) == (3, 1)
