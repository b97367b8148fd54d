"""From what the server sends to typed events, whatever the envelope."""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.webhooks.sent import BUCKET, EVENT, SECRET, WEBHOOK, event, sent, webhook

from elasticlake.delivery import composer
from elasticlake.delivery.attempt import Request
from elasticlake.model.delivery_headers import delivery_headers
from elasticlake.model.events import EVENT_TYPES as SENT_TYPES
from elasticlake.model.events import OPERATIONAL_TYPES, Previous
from elasticlake.model.ids import DeliveryId
from elasticlake.model.notifications import Notification
from elasticlake.model.rules import FORMATS, Batch, Rules
from elasticlake.webhooks import (
    Delivery,
    Event,
    EventObject,
    InvalidPayload,
    SignatureMismatch,
    parse,
    parse_batch,
)
from elasticlake.webhooks import Previous as Replaced
from elasticlake.webhooks.event import EVENT_TYPES
from elasticlake.webhooks.records import TEST_EVENT

KEY = "Grüße +☂/photo 1.jpg"
WHEN = datetime(2025, 10, 30, 14, 22, 33, tzinfo=UTC)
OURS = ("elasticlake", "cloudevents")
ABOUT = {"id": "wh_2", "name": "", "endpoint": "https://e.example/", "bucket": BUCKET, "disabledReason": "failing"}
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def parsed(request: Request, **how: Any) -> Event:
    return parse(request.body, request.headers, SECRET, **how)


def signed(document: Any, message_id: str = "evt_1") -> tuple[bytes, list[tuple[str, str]]]:
    """A body that the server would not send, with headers that it would."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    identity = DeliveryId(WEBHOOK.id, 1, 1)
    return body, delivery_headers("e", message_id, identity, 1, [SECRET], time.time_ns() // 1_000_000, body)


def test_the_types_are_all_that_are_sent() -> None:
    assert (*SENT_TYPES, *OPERATIONAL_TYPES, TEST_EVENT) == EVENT_TYPES


@pytest.mark.parametrize("form", OURS)
def test_all_that_a_payload_says(form: Any) -> None:
    told = replace(EVENT, type="object:updated", previous=Previous(7, "old", "v1"), version_id="v2")
    to = webhook(format=form, include_metadata=True)
    request = sent(told, to=to, attempt=3, coalesced=4)
    found = parsed(request)
    document = json.loads(request.body)
    assert found == Event(
        type="object:updated",
        time=WHEN,
        id=EVENT.id,
        bucket=BUCKET,
        object=EventObject(KEY, 1048576, EVENT.etag, "image/jpeg", "v2", {"owner": "bob"}),
        lake="production",
        pond="documents",
        sequence=42,
        reason="PutObject",
        previous=Replaced(7, "old", "v1"),
        principal=EVENT.principal,
        request_id=EVENT.request_id,
        coalesced=4,
        delivery=Delivery(dict(request.headers)["X-ElasticLake-Delivery"], 3),
        raw=document,
    )
    assert found.time.tzinfo is UTC


def test_all_that_a_record_says() -> None:
    to = webhook(format="s3", include_metadata=True)
    request = sent(replace(EVENT, version_id="v2"), to=to, coalesced=4, backfill=True)
    found = parsed(request)
    assert found == Event(
        type="object:created",
        time=WHEN,
        id=EVENT.id,
        bucket=BUCKET,
        object=EventObject(KEY, 1048576, EVENT.etag, None, "v2", {"owner": "bob"}),
        sequence=42,
        reason="ObjectCreated:Put",
        principal=EVENT.principal,
        request_id=EVENT.request_id,
        coalesced=4,
        backfill=True,
        delivery=Delivery(dict(request.headers)["X-ElasticLake-Delivery"], 1),
        raw=json.loads(request.body)["Records"][0],
    )


@given(st.text(min_size=1).filter(lambda key: not any("\ud800" <= one <= "\udfff" for one in key)))
@pytest.mark.parametrize("form", FORMATS)
def test_every_key_comes_as_it_is(form: Any, key: str) -> None:
    found = parsed(sent(replace(EVENT, key=key.encode()), to=webhook(format=form)))
    assert found.object is not None
    assert found.object.key == key


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", SENT_TYPES)
def test_every_type_of_event(form: Any, kind: Any) -> None:
    reasons = {"object:deleted": "DeleteObject", "multipart:completed": "CompleteMultipartUpload"}
    found = parsed(sent(replace(EVENT, type=kind, reason=reasons.get(kind, "PutObject")), to=webhook(format=form)))
    # To S3 all that bring an object are one.
    assert found.type == (kind if form in OURS or kind == "object:deleted" else "object:created")


@pytest.mark.parametrize(
    ("kind", "reason", "expected", "name"),
    [
        ("object:updated", "PutObjectAcl", "object:updated", "ObjectAcl:Put"),
        ("object:updated", "DeleteObjectTagging", "object:updated", "ObjectTagging:Delete"),
        ("object:deleted", "Lifecycle", "object:deleted", "LifecycleExpiration:Delete"),
        ("object:updated", "CopyObject", "object:created", "ObjectCreated:Copy"),
    ],
)
def test_the_events_of_s3(kind: Any, reason: str, expected: str, name: str) -> None:
    found = parsed(sent(replace(EVENT, type=kind, reason=reason), to=webhook(format="s3")))
    assert (found.type, found.reason) == (expected, name)


@pytest.mark.parametrize("form", FORMATS)
def test_what_a_delivery_adds(form: Any) -> None:
    to = webhook(format=form)
    assert parsed(sent(to=to, attempt=12)).delivery.attempt == 12
    assert parsed(sent(to=to, generation=1)).delivery.redelivery
    assert parsed(sent(to=to, replay="job_1")).delivery == Delivery(
        dict(sent(to=to).headers)["X-ElasticLake-Delivery"], 1, "job_1"
    )
    assert parsed(sent(to=to, backfill=True)).backfill


@pytest.mark.parametrize("form", FORMATS)
def test_a_link_to_the_object(form: Any) -> None:
    to = webhook(format=form, include_url_seconds=300)
    identity = DeliveryId(to.id, EVENT.bucket_id, EVENT.sequence)
    urls = {EVENT.sequence: "https://lake.example/x?signature=s"}
    found = parsed(composer.compose(composer.Delivery(to, EVENT, identity), 1, time.time_ns() // 1_000_000, urls))
    assert found.object is not None
    assert found.object.url == urls[EVENT.sequence]
    assert "signature" not in repr(found)
    assert parsed(sent(to=to)).object == dataclasses.replace(found.object, url=None)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("batch", [None, Batch(10)], ids=["single", "batch"])
def test_a_test(form: Any, batch: Batch | None) -> None:
    to = webhook(format=form, batch=batch)
    first, second = (
        parsed(sent(composer.test_event(to, "production", "documents", BUCKET, at), to=to, generation=1))
        for at in (1, 2)
    )
    assert (first.type, first.test, first.sequence) == ("object:created", True, 0)
    assert first.object is not None
    assert first.object.key == "elasticlake/test.txt"
    assert first.id != second.id


def test_the_test_of_a_notification_configuration() -> None:
    to = replace(
        WEBHOOK, rules=Rules(format="s3", notification=Notification("entry", "queue", "wh_1", ("s3:ObjectCreated:*",)))
    )
    told = composer.test_event(to, "production", "documents", BUCKET, EVENT.time_ms)
    found = parsed(sent(told, to=to, generation=1))
    assert (found.type, found.test, found.bucket, found.object) == (TEST_EVENT, True, BUCKET, None)
    assert (found.id, found.time) == (told.id, WHEN)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("batch", [None, Batch(10)], ids=["single", "batch"])
def test_what_webhooks_are_told_of_each_other(form: Any, batch: Batch | None) -> None:
    told = replace(EVENT, type="webhook:disabled", about=ABOUT, bucket="", bucket_id=0)
    found = parsed(sent(told, to=webhook(format=form, batch=batch), generation=1))
    assert (found.type, found.bucket, found.object, found.sequence) == ("webhook:disabled", None, None, None)
    assert found.webhook == ABOUT
    assert (found.id, found.time) == (EVENT.id, WHEN)


@pytest.mark.parametrize("form", FORMATS)
def test_a_batch(form: Any) -> None:
    members = [event(sequence) for sequence in (41, 42, 43)]
    request = sent(*members, to=webhook(format=form, batch=Batch(10)))
    found = parse_batch(request.body, request.headers, SECRET)
    assert [one.sequence for one in found] == [41, 42, 43]
    assert len({one.id for one in found}) == 3
    if form in OURS:
        assert [one.id for one in found] == [one.id for one in members]
    with pytest.raises(InvalidPayload, match=r"batch of 3 events"):
        parsed(request)


@pytest.mark.parametrize("form", FORMATS)
def test_an_event_keeps_its_id_in_every_batch(form: Any) -> None:
    to = webhook(format=form, batch=Batch(10))
    first, second = sent(event(41), event(42), to=to), sent(event(42), to=to)
    assert parse_batch(first.body, first.headers, SECRET)[1].id == parsed(second).id


@pytest.mark.parametrize("form", FORMATS)
def test_a_body_without_a_batch_is_a_batch_of_one(form: Any) -> None:
    request = sent(to=webhook(format=form))
    assert parse_batch(request.body, request.headers, SECRET) == [parsed(request)]


def test_an_id_that_nothing_proves_is_not_used() -> None:
    request = sent(to=webhook(format="s3"))
    headers = dict(request.headers) | {"webhook-id": "forged"}
    assert parse(request.body, headers, SECRET, schemes=("elasticlake",)).id == f"{BUCKET}/42"


def test_what_is_not_verified_is_not_read() -> None:
    body, headers = signed(b"no JSON")
    with pytest.raises(SignatureMismatch):
        parse(body + b" ", headers, SECRET)
    with pytest.raises(SignatureMismatch):
        parse_batch(body, headers, "another")


def test_an_event_is_a_value() -> None:
    request = sent(to=webhook(include_metadata=True))
    found = parsed(request)
    assert hash(found) == hash(parsed(request))
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.type = "object:deleted"  # type: ignore[misc]


def test_members_and_types_that_later_servers_add() -> None:
    payload = {"event": "bucket:created", "timestamp": "2025-10-30T16:22:33+02:00", "id": "evt_1", "new": {"x": [1]}}
    found = parse(*signed(payload), SECRET)
    assert (found.type, found.time, found.object) == ("bucket:created", WHEN, None)
    assert found.raw == payload
    record = json.loads(sent(to=webhook(format="s3")).body)["Records"][0] | {"eventName": "ObjectRestore:Post"}
    assert parse(*signed({"Records": [record], "new": 1}), SECRET).type == "s3:ObjectRestore:Post"


def test_the_least_that_a_record_says() -> None:
    record = {
        "eventName": "ObjectRemoved:Delete",
        "eventTime": "2025-10-30T14:22:33.000Z",
        "s3": {"bucket": {"name": "b"}, "object": {"key": "a+b%2Bc", "sequencer": "2A"}},
    }
    found = parse(*signed({"Records": [record]}), SECRET)
    assert (found.type, found.id, found.sequence, found.principal) == ("object:deleted", "evt_1", 42, None)
    assert found.object == EventObject("a b+c")


@pytest.mark.parametrize("attempt", ["x", "٣", "-1", "9" * 5000, ""])
def test_a_header_that_nothing_depends_on_may_be_anything(attempt: str) -> None:
    request = sent()
    headers = dict(request.headers) | {"X-ElasticLake-Attempt": attempt}
    assert parse(request.body, headers, SECRET).delivery.attempt is None


PAYLOAD: dict[str, Any] = {
    "event": "object:created",
    "timestamp": "2025-10-30T14:22:33Z",
    "id": "evt_1",
    "object": {"key": "k"},
}
RECORD: dict[str, Any] = json.loads(sent(to=webhook(format="s3")).body)["Records"][0]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"\xff",
        b'{"event": NaN',
        b"[" * 100_000,
        b"9" * 5000,
        None,
        1,
        "text",
        [],
        {},
        [[PAYLOAD]],
        [PAYLOAD, 1],
        {"Records": []},
        {"Records": {}},
        {"Records": [1]},
        {"specversion": "1.0"},
        {"specversion": "1.0", "data": "text"},
        {"Event": TEST_EVENT},
        *[{name: value for name, value in PAYLOAD.items() if name != left_out} for left_out in PAYLOAD],
        *[
            PAYLOAD | wrong
            for wrong in [
                {"event": 1},
                {"event": ""},
                {"id": None},
                {"timestamp": "yesterday"},
                {"timestamp": "2025-10-30T14:22:33"},
                {"timestamp": 1},
                {"object": []},
                {"object": {"key": ""}},
                {"object": {"key": "k", "size": -1}},
                {"object": {"key": "k", "size": True}},
                {"object": {"key": "k", "size": 1.5}},
                {"object": {"key": "k", "metadata": {"a": 1}}},
                {"bucket": 1},
                {"test": "yes"},
                {"previous": 1},
            ]
        ],
        *[
            {"Records": [RECORD | wrong]}
            for wrong in [
                {"eventName": None},
                {"s3": None},
                {"s3": {"bucket": {}, "object": {"key": "k", "sequencer": "1"}}},
                {"s3": {"bucket": {"name": "b"}, "object": {"key": "%ff", "sequencer": "1"}}},
                {"s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}},
                {"s3": {"bucket": {"name": "b"}, "object": {"key": "k", "sequencer": None}}},
                {"s3": {"bucket": {"name": "b"}, "object": {"key": "k", "sequencer": "-1"}}},
                {"s3": {"bucket": {"name": "b"}, "object": {"key": "k", "sequencer": "1_0"}}},
            ]
        ],
    ],
)
def test_what_is_no_event(document: Any) -> None:
    with pytest.raises(InvalidPayload) as refused:
        parse_batch(*signed(document), SECRET)
    assert str(refused.value).endswith(".")


@given(any_json)
def test_whatever_is_signed_is_an_event_or_refused(document: Any) -> None:
    for tried in (
        document,
        {"Records": [document]},
        PAYLOAD | {"object": document},
        {"specversion": 1, "data": document},
    ):
        try:
            assert parse_batch(*signed(tried), SECRET)
        except InvalidPayload:
            continue


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("batch", [None, Batch(10)], ids=["single", "batch"])
def test_a_backfill_is_another_event_than_what_made_the_object(form: Any, batch: Batch | None) -> None:
    to = webhook(format=form, batch=batch)
    made = parsed(sent(to=to)).id
    told = [parsed(sent(replace(EVENT, id=f"evt_{job}"), to=to, backfill=True)).id for job in (1, 2, 2)]
    assert len({made, *told}) == 3
    assert told[1] == told[2]
