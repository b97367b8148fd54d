"""The payload: the page's fields first, with its names, types and order, then ours."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.integration.founding_page import PAYLOAD

from elasticlake.model.events import EVENT_TYPES, Event, EventType, Previous, encode_payload, payload

PAGE = json.loads(PAYLOAD)
EVENT = Event(
    id="evt_1",
    bucket_id=7,
    bucket=PAGE["bucket"],
    sequence=5,
    type="object:created",
    time_ms=1_761_834_153_999,
    key=PAGE["object"]["key"].encode(),
    size_bytes=PAGE["object"]["size"],
    etag=PAGE["object"]["etag"],
    content_type=PAGE["object"]["contentType"],
    lake=PAGE["lake"],
    pond=PAGE["pond"],
    reason="PutObject",
    principal="AKID",
    request_id="R1",
)
OURS = ["id", "sequence", "reason", "principal", "requestId"]


def test_the_pages_fields_come_first_as_the_page_writes_them() -> None:
    document = payload(EVENT)
    assert list(document) == [*PAGE, *OURS]
    assert list(document["object"]) == list(PAGE["object"])
    shown = {name: document[name] for name in PAGE}
    assert shown | {"timestamp": PAGE["timestamp"]} == PAGE
    assert document["timestamp"] == "2025-10-30T14:22:33Z"


def test_the_types_are_the_pages() -> None:
    document = payload(EVENT)
    assert {name: type(document[name]) for name in PAGE} == {name: type(value) for name, value in PAGE.items()}
    described = document["object"]
    assert {name: type(described[name]) for name in described} == {
        name: type(value) for name, value in PAGE["object"].items()
    }


def test_ours() -> None:
    document = payload(EVENT)
    assert [document[name] for name in OURS] == ["evt_1", 5, "PutObject", "AKID", "R1"]


def test_what_an_update_replaced() -> None:
    document = payload(replace(EVENT, type="object:updated", previous=Previous(9, "old")))
    assert document["previous"] == {"size": 9, "etag": "old"}
    assert list(document) == [*PAGE, "id", "sequence", "reason", "previous", "principal", "requestId"]
    versioned = payload(replace(EVENT, previous=Previous(9, "old", "v1")))
    assert versioned["previous"] == {"size": 9, "etag": "old", "versionId": "v1"}


def test_a_version_is_named_where_there_are_versions() -> None:
    assert list(payload(replace(EVENT, version_id="v2"))["object"])[-1] == "versionId"
    assert "versionId" not in payload(EVENT)["object"]


def test_metadata_comes_where_it_is_asked_for() -> None:
    event = replace(EVENT, metadata={"colour": "red"})
    assert "metadata" not in payload(event)["object"]
    assert payload(event, include_metadata=True)["object"]["metadata"] == {"colour": "red"}
    assert payload(EVENT, include_metadata=True)["object"]["metadata"] == {}


def test_a_test_is_marked_last() -> None:
    assert list(payload(EVENT, test=True))[-1] == "test"
    assert payload(EVENT, test=True)["test"] is True
    assert "test" not in payload(EVENT)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_every_type_has_the_same_shape(event_type: EventType) -> None:
    assert list(payload(replace(EVENT, type=event_type))) == list(payload(EVENT))


def test_the_page_knows_the_types() -> None:
    assert EVENT_TYPES == ("object:created", "object:updated", "object:deleted", "multipart:completed")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100), st.integers(0, 2**53))
def test_the_bytes_are_compact_json_of_the_raw_key_and_always_the_same(key: str, size_bytes: int) -> None:
    event = replace(EVENT, key=key.encode(), size_bytes=size_bytes)
    body = encode_payload(payload(event))
    assert body == encode_payload(payload(event))
    document = json.loads(body)
    assert (document["object"]["key"], document["object"]["size"]) == (key, size_bytes)
    assert body == json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def test_the_largest_payload_is_within_64_kib() -> None:
    # A control character takes six bytes, and a key has at most 1,024 of them.
    event = replace(EVENT, key=b"\x01" * 1024, lake="\u00e9" * 200, pond="\u00e9" * 200)
    event = replace(event, metadata={"m": "\x01" * 2048}, previous=Previous(1, "e" * 40, "v" * 64))
    assert len(encode_payload(payload(event, include_metadata=True))) < 64 * 1024
