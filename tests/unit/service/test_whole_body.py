"""Bytes that no request brings, as the body of an object."""

from __future__ import annotations

import pytest

from elasticlake.service.intake import Body
from elasticlake.service.whole_body import WholeBody


@pytest.mark.parametrize("data", [b"", b"Hello, lake!"])
async def test_it_is_a_body(data: bytes) -> None:
    body: Body = WholeBody(data)
    assert body.length == len(data)
    assert await body.whole() == data
    assert b"".join([bytes(piece) async for piece in body]) == data
