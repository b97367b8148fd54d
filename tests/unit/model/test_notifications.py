"""Entries of notification configurations: which events they mean."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from elasticlake.model.envelopes import batch_envelope, envelope
from elasticlake.model.events import Event, EventType, payload
from elasticlake.model.filters import Filter
from elasticlake.model.notifications import (
    EVENT_NAMES,
    Notification,
    arn_of,
    event_clause,
    event_types,
    from_document,
    key_filter,
    to_document,
)
from elasticlake.model.rules import Batch, Rules
from elasticlake.model.rules import from_document as rules_from
from elasticlake.model.rules import to_document as rules_to
from elasticlake.model.webhooks import Webhook, WebhookScope

ENTRY = Notification(
    "uploads", "queue", "wh_a", ("s3:ObjectCreated:*",), (("Prefix", "in/"), ("suffix", ".jpg")), number=2
)
WEBHOOK = Webhook(
    "wh_b",
    "root",
    WebhookScope("bucket", 1, "bucket"),
    "https://example.com",
    ("object:created",),
    rules=Rules(format="s3", notification=ENTRY),
)


def event(kind: EventType, reason: str) -> Event:
    return Event(
        id="evt_019a357fb4287736c896b33f5fb6d6",
        bucket_id=1,
        bucket="bucket",
        sequence=1,
        type=kind,
        time_ms=1_767_323_045_678,
        key=b"in/a.jpg",
        size_bytes=1,
        etag="etag",
        content_type="image/jpeg",
        lake="lake",
        pond="pond",
        reason=reason,
    )


CREATED: tuple[EventType, ...] = ("object:created", "object:updated")


@pytest.mark.parametrize(
    ("names", "types"),
    [
        (["s3:ObjectCreated:*"], CREATED),
        (["s3:ObjectCreated:Copy"], CREATED),
        (["s3:ObjectRemoved:*"], ("object:deleted",)),
        (["s3:LifecycleExpiration:Delete"], ("object:deleted",)),
        (["s3:ObjectAcl:Put"], ("object:updated",)),
        (["s3:ObjectTagging:*"], ("object:updated",)),
        (["s3:ObjectRemoved:Delete", "s3:ObjectCreated:Put"], (*CREATED, "object:deleted")),
        (["s3:ObjectRestore:*", "s3:Replication:*", "s3:ReducedRedundancyLostObject"], ()),
    ],
)
def test_the_types_among_which_its_events_are(names: list[str], types: tuple[EventType, ...]) -> None:
    assert event_types(names) == types


@pytest.mark.parametrize(
    ("name", "kind", "reason", "holds"),
    [
        ("s3:ObjectCreated:*", "object:created", "PutObject", True),
        ("s3:ObjectCreated:*", "object:updated", "CopyObject", True),
        ("s3:ObjectCreated:*", "object:created", "CompleteMultipartUpload", True),
        ("s3:ObjectCreated:*", "object:updated", "PutObjectAcl", False),
        ("s3:ObjectCreated:Put", "object:updated", "PutObject", True),
        ("s3:ObjectCreated:Put", "object:created", "CopyObject", False),
        ("s3:ObjectCreated:Post", "object:created", "PostObject", True),
        ("s3:ObjectCreated:Copy", "object:created", "CopyObject", True),
        ("s3:ObjectCreated:CompleteMultipartUpload", "object:created", "PutObject", False),
        ("s3:ObjectRemoved:Delete", "object:deleted", "DeleteObjects", True),
        ("s3:ObjectRemoved:DeleteMarkerCreated", "object:deleted", "DeleteObject", False),
        ("s3:ObjectRemoved:*", "object:deleted", "Lifecycle", False),
        ("s3:LifecycleExpiration:*", "object:deleted", "Lifecycle", True),
        ("s3:ObjectAcl:Put", "object:updated", "PutObjectAcl", True),
        ("s3:ObjectTagging:*", "object:updated", "DeleteObjectTagging", True),
        ("s3:ObjectTagging:Put", "object:updated", "DeleteObjectTagging", False),
        ("s3:ObjectRestore:*", "object:created", "PutObject", False),
    ],
)
def test_what_is_told_is_what_was_asked_for(name: str, kind: EventType, reason: str, holds: bool) -> None:
    clause = event_clause(replace(ENTRY, events=(name,)))
    happened = event(kind, reason)
    assert clause.holds(happened) is holds
    told = envelope(WEBHOOK, happened, payload(happened))["Records"][0]["eventName"]
    assert clause.value(happened) == f"s3:{told}"


def test_every_event_asked_for_by_name_has_a_type_or_never_happens() -> None:
    """A clause that no event of the types can fulfil would be a configuration that silently does nothing."""
    reasons = [
        *((kind, reason) for kind in CREATED for reason in ("PutObject", "PostObject", "CopyObject")),
        ("object:created", "CompleteMultipartUpload"),
        *(("object:updated", f"{does}Object{what}") for does in ("Put", "Delete") for what in ("Acl", "Tagging")),
        ("object:deleted", "DeleteObject"),
        ("object:deleted", "Lifecycle"),
    ]
    for kind, reason in reasons:
        happened = event(kind, reason)
        for name in EVENT_NAMES:
            if event_clause(replace(ENTRY, events=(name,))).holds(happened):
                assert kind in event_types([name]), name


def test_the_names_are_those_of_s3() -> None:
    assert {
        "s3:ObjectCreated:*",
        "s3:ObjectRestore:Completed",
        "s3:IntelligentTiering",
        "s3:ObjectAcl:Put",
    } < EVENT_NAMES
    assert "s3:ObjectCreated" not in EVENT_NAMES
    assert "s3:*" not in EVENT_NAMES
    assert len(EVENT_NAMES) == 31


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ((), Filter()),
        ((("prefix", "in/"),), Filter(prefix=("in/",))),
        ((("Suffix", ".jpg"), ("Prefix", "in/")), Filter(prefix=("in/",), suffix=(".jpg",))),
        ((("prefix", ""),), Filter()),
        ((("prefix", "a+b%2Bc/%C3%A4"),), Filter(prefix=("a b+c/ä",))),
    ],
)
def test_the_filter_that_its_rules_amount_to(rules: tuple[tuple[str, str], ...], wanted: Filter) -> None:
    assert key_filter(replace(ENTRY, key_rules=rules)) == wanted


def test_it_is_stored_as_json() -> None:
    assert from_document(json.loads(json.dumps(to_document(ENTRY)))) == ENTRY
    rules = WEBHOOK.rules
    assert rules_from(json.loads(json.dumps(rules_to(rules)))) == rules
    assert "notification" not in rules_to(Rules())


def test_records_name_the_entry() -> None:
    happened = event("object:created", "PutObject")
    record = envelope(WEBHOOK, happened, payload(happened))["Records"][0]
    assert record["s3"]["configurationId"] == "uploads"
    own = replace(WEBHOOK, rules=Rules(format="s3"))
    assert envelope(own, happened, payload(happened))["Records"][0]["s3"]["configurationId"] == "wh_b"


def test_its_test_is_s3s() -> None:
    test = replace(event("object:created", "Test"), sequence=0)
    told = envelope(WEBHOOK, test, payload(test, test=True))
    assert told == {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2026-01-02T03:04:05.678Z",
        "Bucket": "bucket",
        "RequestId": "36C896B33F5FB6D6",
        "HostId": "36C896B33F5FB6D6",
    }
    batching = replace(WEBHOOK, rules=replace(WEBHOOK.rules, batch=Batch(10)))
    assert batch_envelope(batching, [told]) == told


def test_its_name_for_a_webhook() -> None:
    assert arn_of("wh_mfrggzdfmztwq2lk") == "arn:elasticlake:webhook:::wh_mfrggzdfmztwq2lk"
