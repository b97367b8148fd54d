"""Filters against the plainest reading of what they promise."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.errors import InvalidWebhook
from elasticlake.model.events import Event
from elasticlake.model.filters import Filter, Refusal, compile_filter, refusal, require_filter
from elasticlake.model.rules import Rules, from_document, require_rules, to_document

EVENT = Event(
    id="evt_1",
    bucket_id=1,
    bucket="bucket",
    sequence=1,
    type="object:created",
    time_ms=0,
    key=b"uploads/photo.JPG",
    size_bytes=100,
    etag="etag",
    content_type="image/PNG; charset=binary",
    lake="lake",
    pond="pond",
    reason="PutObject",
    metadata={"owner": "ann", "state": "draft"},
)

# Few letters, so that one text often begins or ends another; some of more than one byte.
texts = st.text("ab/ä字", min_size=1, max_size=4)
media = st.sampled_from(["image/png", "image/jpeg", "imagery/png", "text/plain", "IMAGE/PNG"])
wanted_media = media | st.sampled_from(["image/*", "text/*", "Image/*"])
pairs = st.dictionaries(st.sampled_from(["a", "b", "C"]), st.sampled_from(["", "1", "2"]), max_size=2)
sizes = st.none() | st.integers(0, 5)
filters = st.builds(
    Filter,
    prefix=st.lists(texts, max_size=2).map(tuple),
    suffix=st.lists(texts, max_size=2).map(tuple),
    content_type=st.lists(wanted_media, max_size=2).map(tuple),
    min_size=sizes,
    max_size=sizes,
    metadata=pairs,
)


@st.composite
def events(draw: st.DrawFn) -> Event:
    metadata = draw(st.none() | pairs.map(lambda found: {name.lower(): value for name, value in found.items()}))
    parameters = draw(st.sampled_from(["", "; charset=utf-8", " ;q=1"]))
    return replace(
        EVENT,
        key=draw(texts).encode(),
        size_bytes=draw(st.integers(0, 5)),
        content_type=draw(media) + parameters,
        metadata=metadata,
    )


def fits(media_type: str, pattern: str) -> bool:
    kind, _, _ = pattern.lower().partition("/*")
    return media_type.split("/")[0] == kind if pattern.endswith("/*") else media_type == pattern.lower()


def reading(wanted: Filter, event: Event) -> dict[str, bool]:
    """What each clause says, by the words of the documentation."""
    key, media_type = event.key.decode(), event.content_type.split(";")[0].strip().lower()
    metadata: Mapping[str, str] = event.metadata or {}
    return {
        "filter.prefix": not wanted.prefix or any(key.startswith(one) for one in wanted.prefix),
        "filter.suffix": not wanted.suffix or any(key.endswith(one) for one in wanted.suffix),
        "filter.contentType": not wanted.content_type or any(fits(media_type, one) for one in wanted.content_type),
        "filter.minSize": wanted.min_size is None or event.size_bytes >= wanted.min_size,
        "filter.maxSize": wanted.max_size is None or event.size_bytes <= wanted.max_size,
        "filter.metadata": all(metadata.get(name.lower()) == value for name, value in wanted.metadata.items()),
    }


@given(filters, events())
def test_an_event_matches_if_every_clause_holds(wanted: Filter, event: Event) -> None:
    found = refusal(compile_filter(wanted), event)
    broken = [name for name, holds in reading(wanted, event).items() if not holds]
    assert (found.clause if found else None) == (broken[0] if broken else None)


@given(filters)
def test_a_filter_survives_being_stored(wanted: Filter) -> None:
    assert from_document(to_document(Rules(filter=wanted))).filter == wanted


def test_no_clause_costs_nothing() -> None:
    assert compile_filter(Filter()) == ()
    assert refusal((), EVENT) is None


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(prefix=("photos/",)), Refusal("filter.prefix", "uploads/photo.JPG")),
        (Filter(suffix=(".jpg",)), Refusal("filter.suffix", "uploads/photo.JPG")),
        (Filter(content_type=("text/plain",)), Refusal("filter.contentType", "image/PNG; charset=binary")),
        (Filter(min_size=101), Refusal("filter.minSize", 100)),
        (Filter(max_size=99), Refusal("filter.maxSize", 100)),
        (Filter(metadata={"Owner": "bob", "x": ""}), Refusal("filter.metadata", {"owner": "ann", "x": None})),
        (Filter(tags={"a": "b"}), Refusal("filter.tags", {})),
        (Filter(min_size=100, max_size=100, content_type=("image/*",), metadata={"OWNER": "ann"}), None),
    ],
)
def test_a_refusal_names_the_clause_and_what_it_looked_at(wanted: Filter, expected: Refusal | None) -> None:
    assert refusal(compile_filter(wanted), EVENT) == expected


@pytest.mark.parametrize(
    ("wanted", "field", "says"),
    [
        ({"prefix": ("a",) * 101}, "filter.prefix", "the most is 100"),
        ({"prefix": ("",)}, "filter.prefix", "leave it out"),
        ({"suffix": ("ä" * 513,)}, "filter.suffix", "1026 bytes"),
        ({"content_type": ("png",)}, "filter.contentType", "'png' is no media type"),
        ({"content_type": ("*/*",)}, "filter.contentType", "image/*"),
        ({"content_type": ("image/png; q=1",)}, "filter.contentType", "is no media type"),
        ({"content_type": ("image/png\n",)}, "filter.contentType", "is no media type"),
        ({"min_size": -1}, "filter.minSize", "a number of bytes"),
        ({"max_size": 2**63}, "filter.maxSize", "a number of bytes"),
        ({"min_size": 2, "max_size": 1}, "filter.minSize", "nothing would match"),
        ({"metadata": {"": "x"}}, "filter.metadata", "A name is empty"),
        ({"metadata": {"x": "y" * 1025}}, "filter.metadata", "1025 bytes"),
        ({"metadata": {str(number): "" for number in range(101)}}, "filter.metadata", "the most is 100"),
        ({"tags": {"x" * 1025: ""}}, "filter.tags", "1025 bytes"),
    ],
)
def test_a_filter_that_cannot_be_kept_names_its_clause(wanted: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(InvalidWebhook) as refused:
        require_rules(Rules(filter=Filter(**wanted)))
    assert refused.value.field == field
    assert says in str(refused.value)


@given(st.text(string.ascii_letters + string.digits + ".+-", min_size=1, max_size=20))
def test_any_media_type_is_taken(subtype: str) -> None:
    require_filter(Filter(content_type=(f"application/{subtype}", f"{subtype}/*")))
