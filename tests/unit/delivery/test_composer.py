"""From an event to its request."""

import json
from dataclasses import replace

from standardwebhooks import Webhook as StandardWebhook

from elasticlake.clock import SystemClock
from elasticlake.delivery import composer
from elasticlake.delivery.composer import Composer, Delivery, compose
from elasticlake.model.envelopes import CONTENT_TYPES, envelope
from elasticlake.model.events import EVENT_TYPES, Event, Previous, payload
from elasticlake.model.ids import DeliveryId
from elasticlake.model.rotation import rotated
from elasticlake.model.rules import Rules
from elasticlake.model.webhooks import Sealed, Webhook, WebhookScope
from elasticlake.signing import page_signature

NOW = 1_767_323_045_678
WEBHOOK = Webhook(
    id="wh_mfrggzdfmztwq2lk",
    account_id="root",
    scope=WebhookScope("bucket", 7, "lake1--pond1--my-bucket"),
    endpoint="https://myapp.com/hook",
    events=("object:created",),
    timeout_seconds=12,
    secret="my-webhook-secret",
)
EVENT = Event(
    id="evt_1",
    bucket_id=7,
    bucket="lake1--pond1--my-bucket",
    sequence=5,
    type="object:updated",
    time_ms=NOW,
    key="ключ".encode(),
    size_bytes=1,
    etag="e",
    content_type="text/plain",
    lake="production",
    pond="documents",
    reason="PutObject",
    previous=Previous(2, "p"),
    principal="AKID",
    request_id="R1",
)


def delivery(generation: int = 0) -> Delivery:
    return Delivery(WEBHOOK, EVENT, DeliveryId(WEBHOOK.id, EVENT.bucket_id, EVENT.sequence, generation))


def test_the_request() -> None:
    request = compose(delivery(), 3, NOW)
    headers = dict(request.headers)
    assert (request.url, request.deadline_seconds) == ("https://myapp.com/hook", 12)
    assert list(headers) == [
        "Content-Type",
        "X-ElasticLake-Signature",
        "X-ElasticLake-Event",
        "X-ElasticLake-Delivery",
        "X-ElasticLake-Attempt",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    ]
    assert headers["Content-Type"] == "application/json"
    assert headers["X-ElasticLake-Signature"] == page_signature(WEBHOOK.secret, request.body)
    assert headers["X-ElasticLake-Event"] == "object:updated"
    assert DeliveryId.parse(headers["X-ElasticLake-Delivery"]) == DeliveryId(WEBHOOK.id, 7, 5)
    assert headers["X-ElasticLake-Attempt"] == "3"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("evt_1", str(NOW // 1000))
    assert json.loads(request.body)["object"]["key"] == "ключ"


def test_the_standard_library_verifies_it() -> None:
    request = compose(delivery(), 1, SystemClock().now_ms())
    verified = StandardWebhook(WEBHOOK.secret.encode()).verify(request.body, dict(request.headers))
    assert verified == json.loads(request.body)


def test_every_attempt_has_the_same_body_and_only_its_number_and_time_change() -> None:
    first, later = compose(delivery(), 1, NOW), compose(delivery(), 2, NOW + 60_000)
    assert first.body == later.body
    changed = {name for name, value in first.headers if dict(later.headers)[name] != value}
    assert changed == {"X-ElasticLake-Attempt", "webhook-timestamp", "webhook-signature"}


def test_a_redelivery_says_so_and_keeps_the_events_id() -> None:
    again = compose(delivery(1), 1, NOW)
    assert dict(again.headers)["X-ElasticLake-Redelivery"] == "true"
    assert dict(again.headers)["webhook-id"] == "evt_1"
    assert again.body == compose(delivery(), 1, NOW).body
    assert "X-ElasticLake-Redelivery" not in dict(compose(delivery(), 1, NOW).headers)


def test_a_test_is_page_shaped_and_marked() -> None:
    event = composer.test_event(WEBHOOK, "production", "documents", "lake1--pond1--my-bucket", NOW)
    request = compose(Delivery(WEBHOOK, event, DeliveryId(WEBHOOK.id, 7, 0, 1)), 1, NOW)
    document = json.loads(request.body)
    assert list(document)[:6] == ["event", "timestamp", "bucket", "object", "lake", "pond"]
    assert list(document["object"]) == ["key", "size", "etag", "contentType"]
    assert (document["event"], document["sequence"], document["test"]) == ("object:created", 0, True)
    assert (document["lake"], document["pond"], document["bucket"]) == ("production", "documents", event.bucket)
    assert document["id"].startswith("evt_")
    # It is of a later generation, but nothing was delivered before.
    assert "X-ElasticLake-Redelivery" not in dict(request.headers)


def test_the_form_is_the_webhooks_and_so_is_the_media_type() -> None:
    for wanted, media_type in CONTENT_TYPES.items():
        webhook = replace(WEBHOOK, rules=Rules(format=wanted, include_metadata=True))
        event = replace(EVENT, metadata={"author": "ann"})
        request = compose(replace(delivery(), webhook=webhook, event=event), 1, NOW)
        headers = dict(request.headers)
        assert headers["Content-Type"] == media_type
        assert headers["X-ElasticLake-Signature"] == page_signature(WEBHOOK.secret, request.body)
        assert json.loads(request.body) == envelope(webhook, event, payload(event, include_metadata=True))
        assert request.body == compose(replace(delivery(), webhook=webhook, event=event), 2, NOW + 1).body


def test_metadata_is_there_where_it_was_asked_for() -> None:
    event = replace(EVENT, metadata={"author": "ann"})
    wanted = replace(WEBHOOK, rules=Rules(include_metadata=True))
    assert "metadata" not in json.loads(compose(replace(delivery(), event=event), 1, NOW).body)["object"]
    sent = json.loads(compose(Delivery(wanted, event, delivery().id), 1, NOW).body)
    assert sent["object"]["metadata"] == {"author": "ann"}


def test_while_a_secret_rotates_both_sign_and_the_pages_signature_is_the_olds() -> None:
    webhook = rotated(WEBHOOK, "another-secret", 60, NOW)
    now, later = (compose(replace(delivery(), webhook=webhook), 1, at) for at in (NOW, NOW + 60_000))
    assert now.body == later.body
    assert dict(now.headers)["webhook-signature"].count("v1,") == 2
    assert dict(now.headers)["X-ElasticLake-Signature"] == page_signature(WEBHOOK.secret, now.body)
    assert dict(later.headers)["webhook-signature"].count("v1,") == 1
    assert dict(later.headers)["X-ElasticLake-Signature"] == page_signature("another-secret", later.body)


def test_the_owners_headers_go_along() -> None:
    webhook = replace(WEBHOOK, sealed=Sealed(headers=(("Authorization", "Bearer x"), ("X-Key", "k"))))
    request = compose(replace(delivery(), webhook=webhook), 1, NOW)
    assert request.headers[-2:] == webhook.sealed.headers
    assert request.headers[:-2] == compose(delivery(), 1, NOW).headers
    assert "Bearer" not in repr(request)


def test_a_link_is_in_the_payload_where_there_is_something_to_fetch() -> None:
    webhook = replace(WEBHOOK, rules=Rules(include_url_seconds=60))
    for event_type in EVENT_TYPES:
        event = replace(EVENT, type=event_type)
        request = compose(Delivery(webhook, event, delivery().id), 1, NOW, {event.sequence: "https://x"})
        described = json.loads(request.body)["object"]
        assert described.get("url") == (None if event_type == "object:deleted" else "https://x")
        assert ("url" in described) == (event_type != "object:deleted")
    assert "url" not in json.loads(compose(delivery(), 1, NOW).body)["object"]


async def test_without_somebody_to_sign_it_the_link_is_null() -> None:
    webhook = replace(WEBHOOK, rules=Rules(include_url_seconds=60))
    request = await Composer(SystemClock()).request(replace(delivery(), webhook=webhook), 1)
    assert json.loads(request.body)["object"]["url"] is None


def test_the_secret_is_in_nothing_that_could_be_logged() -> None:
    assert WEBHOOK.secret not in repr(delivery())
    assert WEBHOOK.secret not in repr(compose(delivery(), 1, NOW))
