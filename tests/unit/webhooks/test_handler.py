"""Which events a handler is for; the same as a webhook's own filter would say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.webhooks.sent import EVENT

from elasticlake.model.filters import Filter, compile_filter, refusal
from elasticlake.webhooks import Event, EventObject
from elasticlake.webhooks.handler import Handler, require_types

CREATED = Event(
    "object:created",
    datetime(2025, 10, 30, tzinfo=UTC),
    "evt_1",
    "bucket",
    EventObject("uploads/photo.jpg", content_type="Image/JPEG; q=1"),
)
short_text = st.text("ab/.", min_size=1, max_size=3)
media_types = st.sampled_from(["image/*", "image/png", "IMAGE/png", "image/p", "text/*", "text/plain"])


def wants(event: Event = CREATED, *types: str, **conditions: Any) -> bool:
    given = {"prefix": None, "suffix": None, "content_type": None, "bucket": None} | conditions
    return Handler.of(print, types, **given).wants(event)


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"prefix": "uploads/"},
        {"prefix": ["x", "up"]},
        {"prefix": ""},
        {"suffix": ".jpg"},
        {"suffix": (".png", ".jpg")},
        {"content_type": "image/*"},
        {"content_type": "image/jpeg"},
        {"content_type": iter(["text/plain", "IMAGE/*"])},
        {"bucket": "bucket"},
        {"bucket": {"other", "bucket"}},
        {"prefix": "up", "suffix": "g", "content_type": "image/jpeg", "bucket": "bucket"},
    ],
)
def test_what_holds(conditions: dict[str, Any]) -> None:
    assert wants(**conditions)


@pytest.mark.parametrize(
    "conditions",
    [
        {"prefix": "photo"},
        {"prefix": []},
        {"suffix": ".JPG"},
        {"content_type": "image/png"},
        {"content_type": "image"},
        {"content_type": "imag/*"},
        {"content_type": "*/*"},
        {"bucket": "buck"},
        {"bucket": []},
        {"prefix": "uploads/", "suffix": ".png"},
    ],
)
def test_what_does_not(conditions: dict[str, Any]) -> None:
    assert not wants(**conditions)


def test_types() -> None:
    assert wants(CREATED, "object:created")
    assert wants(CREATED, "object:deleted", "object:created")
    assert not wants(CREATED, "object:deleted", "object:updated")


def test_what_an_event_does_not_say_is_not_matched() -> None:
    about_a_webhook = replace(CREATED, type="webhook:failing", object=None, bucket=None)
    assert wants(about_a_webhook)
    for conditions in ({"prefix": ""}, {"suffix": ""}, {"content_type": "image/*"}, {"bucket": "bucket"}):
        assert not wants(about_a_webhook, **conditions)
    assert not wants(replace(CREATED, object=EventObject("uploads/photo.jpg")), content_type="image/*")


@given(
    st.text("ab/.", min_size=1, max_size=5),
    media_types.filter(lambda one: "*" not in one) | st.sampled_from(["image/png;q=1", " Text/Plain ;x", ""]),
    st.lists(short_text, max_size=2),
    st.lists(short_text, max_size=2),
    st.lists(media_types, max_size=2),
)
def test_a_webhooks_filter_agrees(
    key: str, content_type: str, prefix: list[str], suffix: list[str], wanted: list[str]
) -> None:
    asked = Filter(prefix=tuple(prefix), suffix=tuple(suffix), content_type=tuple(wanted))
    stored = replace(EVENT, key=key.encode(), content_type=content_type)
    received = replace(CREATED, object=EventObject(key, content_type=content_type))
    conditions = {"prefix": prefix or None, "suffix": suffix or None, "content_type": wanted or None}
    assert wants(received, **conditions) == (refusal(compile_filter(asked), stored) is None)


@pytest.mark.parametrize("types", [["object:create"], ["object:created", ""], [print], ["*"]])
def test_a_type_that_there_is_not(types: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"^There is no event .*; there are object:created, "):
        require_types(types)


def test_every_type_that_there_is() -> None:
    require_types(["object:created", "multipart:completed", "webhook:failing", "s3:TestEvent"])
    require_types([])
