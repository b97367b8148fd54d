"""Headers in the shapes of frameworks."""

from __future__ import annotations

from collections.abc import Callable
from email.message import Message
from http.client import HTTPMessage
from types import MappingProxyType
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from starlette.datastructures import Headers as StarletteHeaders
from werkzeug.datastructures import EnvironHeaders
from werkzeug.datastructures import Headers as WerkzeugHeaders

from elasticlake.webhooks import MalformedHeader, MissingHeader, RepeatedHeader
from elasticlake.webhooks.headers import Fields

PAIRS = [("Webhook-Id", "evt_1"), ("WEBHOOK-TIMESTAMP", "12"), ("X-Other", "é☂")]


def http_message(pairs: list[tuple[str, str]]) -> Message:
    message = HTTPMessage()
    for name, value in pairs:
        message[name] = value
    return message


SHAPES: dict[str, Callable[[list[tuple[str, str]]], Any]] = {
    "pairs": list,
    "a generator": iter,
    "bytes (ASGI)": lambda pairs: [(name.encode(), value.encode()) for name, value in pairs],
    "http.client": http_message,
    "werkzeug": WerkzeugHeaders,
    "aiohttp": lambda pairs: CIMultiDictProxy(CIMultiDict(pairs)),
    "starlette": lambda pairs: StarletteHeaders(raw=[(n.lower().encode(), v.encode()) for n, v in pairs]),
}
MAPPINGS: dict[str, Callable[[list[tuple[str, str]]], Any]] = {
    "dict": dict,
    "dict of bytes": lambda pairs: {name.encode(): value.encode() for name, value in pairs},
    "mapping": lambda pairs: MappingProxyType(dict(pairs)),
    "WSGI": lambda pairs: EnvironHeaders({f"HTTP_{n.upper().replace('-', '_')}": v for n, v in pairs}),
}


@pytest.mark.parametrize("shape", [*SHAPES, *MAPPINGS])
def test_every_shape_says_the_same(shape: str) -> None:
    fields = Fields.of((SHAPES | MAPPINGS)[shape](PAIRS))
    assert fields.single("webhook-id") == "evt_1"
    assert fields.single("webhook-timestamp") == "12"
    assert fields.has_any(["webhook-id"])
    assert not fields.has_any(["x-other", "webhook-signature"])
    with pytest.raises(MissingHeader) as refused:
        fields.single("webhook-signature")
    assert refused.value.name == "webhook-signature"


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_hides_a_repetition(shape: str) -> None:
    fields = Fields.of(SHAPES[shape]([*PAIRS, ("webhook-ID", "evt_1")]))
    with pytest.raises(RepeatedHeader):
        fields.single("webhook-id")
    assert fields.hint("webhook-id") is None
    assert fields.single("webhook-timestamp") == "12"


def test_white_space_around_a_value_is_none_of_it() -> None:
    assert Fields.of([("webhook-id", " \tevt_1 ")]).single("webhook-id") == "evt_1"


@pytest.mark.parametrize("value", ["", "  ", "é", b"\xff"])
def test_a_value_that_nobody_sends(value: Any) -> None:
    with pytest.raises(MalformedHeader):
        Fields.of([("webhook-id", value)]).single("webhook-id")


def test_a_letter_that_looks_like_another_in_lower_case() -> None:
    assert not Fields.of([("webhoo\N{KELVIN SIGN}-id", "evt_1")]).has_any(["webhook-id"])


@pytest.mark.parametrize("headers", [[("webhook-id", 1)], {1: "evt_1"}, {"webhook-id": ["evt_1"]}])
def test_what_is_no_text(headers: Any) -> None:
    with pytest.raises(TypeError):
        Fields.of(headers)
