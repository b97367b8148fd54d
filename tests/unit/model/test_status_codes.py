"""One status code, or a class of them."""

from __future__ import annotations

import pytest

from elasticlake.errors import InvalidInput
from elasticlake.model.status_codes import parse_status_codes


@pytest.mark.parametrize(("text", "bounds"), [("404", (404, 404)), ("5xx", (500, 599)), ("100", (100, 100))])
def test_what_is_meant(text: str, bounds: tuple[int, int]) -> None:
    assert parse_status_codes(text) == bounds


@pytest.mark.parametrize("text", ["", "600", "5XX", "50x", "5xxx", "４０４", "404 "])
def test_what_means_nothing(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_status_codes(text)
    assert refused.value.field == "statusCode"
