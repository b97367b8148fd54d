"""The three forms of a payload: ours, CloudEvents' and S3's."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import pytest

from elasticlake.errors import InvalidWebhook
from elasticlake.model.accounts import canonical_id
from elasticlake.model.envelopes import CONTENT_TYPES, envelope, require_events_for
from elasticlake.model.events import EVENT_TYPES, OPERATIONAL_TYPES, Event, Previous, payload
from elasticlake.model.rules import FORMATS, Format, Rules
from elasticlake.model.s3_records import REGION, event_name
from elasticlake.model.webhooks import Webhook, WebhookScope
from elasticlake.s3.operations.buckets import DEFAULT_REGION

WEBHOOK = Webhook(
    id="wh_mfrggzdfmztwq2lk",
    account_id="acme",
    scope=WebhookScope("bucket", 7, "lake1--pond1--my-bucket"),
    endpoint="https://myapp.com/hook",
    events=("object:created",),
)
EVENT = Event(
    id="evt_1",
    bucket_id=7,
    bucket="lake1--pond1--my-bucket",
    sequence=42,
    type="object:updated",
    time_ms=1_767_323_045_678,
    key="größe ü/red flower+1.jpg".encode(),
    size_bytes=1024,
    etag="d41d8cd98f00b204e9800998ecf8427e",
    content_type="image/jpeg",
    lake="production",
    pond="documents",
    reason="PutObject",
    previous=Previous(2, "p"),
    principal="AKID",
    request_id="R1",
)
ABOUT = replace(EVENT, type="webhook:failing", bucket="", key=b"", sequence=9, about={"id": "wh_2", "name": "audit"})


def sent(wanted: Format, event: Event = EVENT, **members: Any) -> dict[str, Any]:
    webhook = replace(WEBHOOK, rules=Rules(format=wanted))
    document = payload(event, include_metadata=bool(members.pop("include_metadata", False)))
    document.get("object", {}).update(members)
    return dict(envelope(webhook, event, document))


def record(event: Event = EVENT, **members: Any) -> dict[str, Any]:
    (found,) = sent("s3", event, **members)["Records"]
    return dict(found)


def test_each_format_has_its_media_type() -> None:
    assert set(CONTENT_TYPES) == set(FORMATS)
    assert CONTENT_TYPES["cloudevents"] == "application/cloudevents+json"


@pytest.mark.parametrize("event", [EVENT, ABOUT])
def test_our_own_is_the_payload(event: Event) -> None:
    assert sent("elasticlake", event) == payload(event)


# CloudEvents 1.0.2, section "Context Attributes": REQUIRED ones, and the types of all.
def require_cloud_event(document: dict[str, Any]) -> None:
    for name in ("id", "source", "specversion", "type"):
        assert isinstance(document[name], str)
        assert document[name]
    assert document["specversion"] == "1.0"
    # "URI-reference"; "time" is RFC 3339's; attributes' names are lower-case letters and digits; values are text.
    assert urlsplit(document["source"]).path == document["source"]
    assert re.fullmatch(r"[\w./~%-]+", document["source"], re.ASCII)
    assert datetime.fromisoformat(document["time"]).tzinfo is not None
    assert document["datacontenttype"] == "application/json"
    for name, value in document.items():
        assert re.fullmatch(r"[a-z0-9]{1,20}", name), name
        assert name == "data" or (isinstance(value, str) and value), name
        assert name == "data" or not re.search(r"[\x00-\x1f\x7f-\x9f]", value), name


def test_a_cloud_event() -> None:
    document = sent("cloudevents")
    require_cloud_event(document)
    assert document == {
        "specversion": "1.0",
        "id": "evt_1",
        "source": "/lake1--pond1--my-bucket",
        "type": "io.elasticlake.object.updated",
        "time": "2026-01-02T03:04:05.678Z",
        "datacontenttype": "application/json",
        "subject": "größe ü/red flower+1.jpg",
        "sequence": "0000000000000000042",
        "data": payload(EVENT),
    }


def test_cloud_events_types() -> None:
    types = [sent("cloudevents", replace(EVENT, type=one))["type"] for one in EVENT_TYPES]
    assert types == [
        "io.elasticlake.object.created",
        "io.elasticlake.object.updated",
        "io.elasticlake.object.deleted",
        "io.elasticlake.multipart.completed",
    ]


def test_cloud_events_sequences_sort_as_text() -> None:
    numbers = [1, 9, 10, 99, 2**31, 2**63 - 1]
    texts = [sent("cloudevents", replace(EVENT, sequence=number))["sequence"] for number in numbers]
    assert texts == sorted(texts)
    assert [int(text) for text in texts] == numbers
    assert len({len(text) for text in texts}) == 1


@pytest.mark.parametrize("key", ["line\nbreak", "nul\x00", "\x85", "\ufffe", "\U0010ffff", "\ufdd0"])
def test_a_key_that_is_no_string_of_cloud_events_is_in_the_data_alone(key: str) -> None:
    document = sent("cloudevents", replace(EVENT, key=key.encode()))
    assert "subject" not in document
    assert document["data"]["object"]["key"] == key
    require_cloud_event(document)


@pytest.mark.parametrize("key", [" ", "\u00a0", "\ufffd", "\U0001f600", "~"])
def test_any_other_key_is_its_subject(key: str) -> None:
    assert sent("cloudevents", replace(EVENT, key=key.encode()))["subject"] == key


def test_an_operational_cloud_event_is_of_a_webhook() -> None:
    document = sent("cloudevents", ABOUT)
    require_cloud_event(document)
    assert (document["source"], document["type"]) == ("/v1/webhooks/wh_2", "io.elasticlake.webhook.failing")
    assert "subject" not in document
    assert document["data"] == payload(ABOUT)


# Amazon S3 User Guide, "Event message structure": the members of version 2.1, in its order.
def test_a_record_as_s3_writes_it() -> None:
    assert list(sent("s3")) == ["Records"]
    assert json.dumps(record()) == json.dumps(
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
            "eventTime": "2026-01-02T03:04:05.678Z",
            "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "AKID"},
            "requestParameters": {"sourceIPAddress": "0.0.0.0"},
            "responseElements": {"x-amz-request-id": "R1", "x-amz-id-2": "R1"},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "wh_mfrggzdfmztwq2lk",
                "bucket": {
                    "name": "lake1--pond1--my-bucket",
                    "ownerIdentity": {"principalId": canonical_id("acme")},
                    "arn": "arn:aws:s3:::lake1--pond1--my-bucket",
                },
                "object": {
                    "key": "gr%C3%B6%C3%9Fe+%C3%BC/red+flower%2B1.jpg",
                    "size": 1024,
                    "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                    "sequencer": "000000000000002A",
                },
            },
        }
    )
    assert REGION == DEFAULT_REGION


@pytest.mark.parametrize("key", ["a b", "a+b", "ä/ö", "a%20b", "?&=#", "line\nbreak", "(x)*~'", "temp/lost.png"])
def test_handlers_decode_the_key_as_they_always_did(key: str) -> None:
    encoded = record(replace(EVENT, key=key.encode()))["s3"]["object"]["key"]
    assert unquote_plus(encoded) == key
    assert encoded.isascii()
    assert " " not in encoded
    assert encoded.count("/") == key.count("/")


@pytest.mark.parametrize(
    ("event_type", "reason", "name"),
    [
        ("object:created", "PutObject", "ObjectCreated:Put"),
        ("object:updated", "PutObject", "ObjectCreated:Put"),
        ("object:created", "PostObject", "ObjectCreated:Post"),
        ("object:updated", "CopyObject", "ObjectCreated:Copy"),
        ("object:created", "CompleteMultipartUpload", "ObjectCreated:CompleteMultipartUpload"),
        ("multipart:completed", "CompleteMultipartUpload", "ObjectCreated:CompleteMultipartUpload"),
        ("object:created", "Test", "ObjectCreated:Put"),
        ("object:updated", "PutObjectAcl", "ObjectAcl:Put"),
        ("object:updated", "PutObjectTagging", "ObjectTagging:Put"),
        ("object:updated", "DeleteObjectTagging", "ObjectTagging:Delete"),
        ("object:deleted", "DeleteObject", "ObjectRemoved:Delete"),
        ("object:deleted", "DeleteObjects", "ObjectRemoved:Delete"),
        ("object:deleted", "Lifecycle", "LifecycleExpiration:Delete"),
    ],
)
def test_s3s_names_of_events(event_type: Any, reason: str, name: str) -> None:
    event = replace(EVENT, type=event_type, reason=reason)
    assert record(event)["eventName"] == event_name(event) == name
    assert record(event)["eventVersion"] == (
        "2.1" if name.split(":")[0] in ("ObjectCreated", "ObjectRemoved") else "2.3"
    )


def test_a_removal_has_neither_size_nor_etag() -> None:
    event = replace(EVENT, type="object:deleted", reason="DeleteObject")
    assert list(record(event)["s3"]["object"]) == ["key", "sequencer"]
    assert list(record(replace(event, version_id="v1"))["s3"]["object"]) == ["key", "versionId", "sequencer"]


def test_sequencers_sort_as_text() -> None:
    numbers = [1, 15, 16, 255, 2**32, 2**63 - 1]
    texts = [record(replace(EVENT, sequence=number))["s3"]["object"]["sequencer"] for number in numbers]
    assert texts == sorted(texts)
    assert [int(text, 16) for text in texts] == numbers


def test_who_is_not_known() -> None:
    nobody = record(replace(EVENT, principal=None, request_id=None))
    assert nobody["userIdentity"] == {"principalId": "Anonymous"}
    assert nobody["responseElements"] == {"x-amz-request-id": "", "x-amz-id-2": ""}


def test_what_was_asked_for_beyond_s3s_is_in_the_object() -> None:
    event = replace(EVENT, metadata={"author": "ann"})
    found = record(event, include_metadata=True, url="https://x")["s3"]["object"]
    assert list(found)[-3:] == ["sequencer", "metadata", "url"]
    assert (found["metadata"], found["url"]) == ({"author": "ann"}, "https://x")
    test = envelope(replace(WEBHOOK, rules=Rules(format="s3")), event, payload(event, test=True))
    assert test["Records"][0]["test"] is True
    marked = envelope(replace(WEBHOOK, rules=Rules(format="s3")), event, payload(event) | {"coalesced": 3})
    assert marked["Records"][0]["coalesced"] == 3


@pytest.mark.parametrize("other", ["object:created", "object:updated"])
def test_a_completed_upload_is_told_once(other: Any) -> None:
    with pytest.raises(InvalidWebhook) as caught:
        require_events_for("s3", (other, "multipart:completed"))
    assert caught.value.field == "events"
    require_events_for("s3", ("object:created", "object:updated", "object:deleted"))
    require_events_for("s3", ("object:deleted", "multipart:completed"))
    for wanted in FORMATS:
        if wanted != "s3":
            require_events_for(wanted, (*EVENT_TYPES, *OPERATIONAL_TYPES))


def test_s3_has_no_record_for_a_webhook() -> None:
    with pytest.raises(InvalidWebhook, match="no record for webhook:failing"):
        require_events_for("s3", ("object:created", "webhook:failing"))
    assert sent("s3", ABOUT) == payload(ABOUT)
