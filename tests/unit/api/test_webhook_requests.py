"""What the description says that endpoints receive is what is sent: each event, in every envelope."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
from tests.unit.api.described import Described

from elasticlake.delivery import composer
from elasticlake.delivery.composer import Delivery, compose
from elasticlake.model.events import EVENT_TYPES, OPERATIONAL_TYPES, Event, Previous
from elasticlake.model.ids import DeliveryId
from elasticlake.model.notifications import Notification
from elasticlake.model.rules import FORMATS, Batch, Format, Rules
from elasticlake.model.webhooks import Webhook, WebhookScope
from elasticlake.signing import generate_secret

NOW_MS = 1_767_323_045_678
WEBHOOK = Webhook(
    id="wh_mfrggzdfmztwq2lk",
    account_id="root",
    scope=WebhookScope("bucket", 7, "lake1--pond1--my-bucket"),
    endpoint="https://myapp.com/hook",
    events=("object:created",),
    secret=generate_secret(),
)
ABOUT = {"id": "wh_1", "name": "", "endpoint": "https://myapp.com/", "bucket": "lake1--pond1--my-bucket"}


def event(kind: Any, **fields: Any) -> Event:
    known: dict[str, Any] = {
        "id": "evt_019a357fb4287736c896b33f5fb6d6", "bucket_id": 7, "bucket": "lake1--pond1--my-bucket", "sequence": 5,
        "type": kind, "time_ms": NOW_MS, "key": "ключ".encode(), "size_bytes": 1, "etag": "e",
        "content_type": "text/plain", "lake": "production", "pond": "documents", "reason": "PutObject",
    }  # fmt: skip
    return Event(**known | fields)


def about(kind: Any) -> Event:
    facts = {"failingSince": "2026-01-02T03:04:05Z", "disabledAt": "2026-01-07T03:04:05Z"}
    return event(kind, about=ABOUT | (facts if kind == "webhook:failing" else {"disabledReason": "failing"}))


def require(described: Described, delivery: Delivery, name: str) -> Any:
    """The body, after head and body were held to the description."""
    request = compose(delivery, 1, NOW_MS)
    head = {header.lower(): value for header, value in request.headers}
    post = described.document["webhooks"][name]["post"]
    for reference in post["parameters"]:
        pointer = reference["$ref"].removeprefix("#")
        parameter = described.document["components"]["parameters"][pointer.rpartition("/")[2]]
        value = head.pop(parameter["name"].lower(), None)
        assert value is not None or not parameter["required"], parameter["name"]
        if value is not None:
            described.validate(value, f"{pointer}/schema")
    place = f"/webhooks/{name}/post/requestBody/content/{head.pop('content-type').replace('/', '~1')}/schema"
    assert not head
    body = json.loads(request.body)
    described.validate(body, place)
    return body


def delivery(rules: Rules, told: Event, **how: Any) -> Delivery:
    webhook = replace(WEBHOOK, rules=rules)
    return Delivery(webhook, told, DeliveryId(webhook.id, told.bucket_id, told.sequence), **how)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_an_event_with_all_that_it_may_have(described: Described, kind: str, form: Format) -> None:
    rules = Rules(format=form, include_metadata=True, include_url_seconds=300)
    told = event(kind, version_id="v1", metadata={"a": "b"}, previous=Previous(2, "p", "v0"), principal="AK")
    require(described, delivery(rules, told, coalesced=3, backfill=True, replay="job_1"), kind)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", OPERATIONAL_TYPES)
def test_an_event_of_another_webhook(described: Described, kind: str, form: Format) -> None:
    require(described, delivery(Rules(format=form), about(kind)), kind)


@pytest.mark.parametrize("form", FORMATS)
def test_a_batch(described: Described, form: Format) -> None:
    rules = Rules(format=form, batch=Batch(10))
    also = (event("object:deleted", sequence=6), *((about("webhook:failing"),) if form != "s3" else ()))
    require(described, delivery(rules, event("object:created"), also=also), "batch")


def test_a_test_and_s3_s_own(described: Described) -> None:
    told = composer.test_event(WEBHOOK, "production", "documents", "lake1--pond1--my-bucket", NOW_MS)
    assert require(described, delivery(Rules(), told), "object:created")["test"] is True
    rules = Rules(format="s3", notification=Notification("uploads", "topic", "wh_parent", ("s3:ObjectCreated:*",)))
    assert require(described, delivery(rules, told), "object:created")["Event"] == "s3:TestEvent"


@pytest.mark.parametrize(
    "change", [{"sequence": "5"}, {"object": {"key": "k"}}, {"event": "object:moved"}, {"id": None}]
)
def test_what_is_no_payload_is_refused(described: Described, change: dict[str, Any]) -> None:
    body = json.loads(compose(delivery(Rules(), event("object:created")), 1, NOW_MS).body)
    with pytest.raises(jsonschema_rs.ValidationError):
        described.validate(body | change, "/components/schemas/Payload")
