"""Dates in the forms that clients write, and all else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.s3.dates import date_seconds, http_seconds

NOW = 1_700_000_000


@pytest.mark.parametrize(
    "text",
    [
        "Tue, 14 Nov 2023 22:13:20 GMT",
        "Tue, 14 Nov 2023 22:13:20 -0000",
        "2023-11-14T22:13:20Z",
        " 2023-11-14T22:13:20.999Z ",
        "2023-11-14T22:13:20",
        "2023-11-15T00:13:20+02:00",
        "20231114T221320Z",
    ],
)
def test_one_moment_in_many_forms(text: str) -> None:
    assert date_seconds(text) == NOW


def test_a_header_of_http_has_the_forms_of_http_alone() -> None:
    assert http_seconds("Tue, 14 Nov 2023 22:13:20 GMT") == NOW
    assert http_seconds("2023-11-14T22:13:20Z") is None


@pytest.mark.parametrize("text", ["", "then", "2023-13-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "1700000000.5"])
def test_what_is_no_date(text: str) -> None:
    assert date_seconds(text) is None


@given(st.text(max_size=30))
def test_any_text_is_a_date_or_none(text: str) -> None:
    assert date_seconds(text) is None or date_seconds(text) == date_seconds(text.strip())
