"""From an event to the request that tells of it: payload, headers, signatures."""

from __future__ import annotations

from elasticlake import signing
from elasticlake.delivery.attempt import Request
from elasticlake.model.events import Event, encode_payload, payload
from elasticlake.model.ids import DeliveryId, new_event_id
from elasticlake.model.webhooks import Webhook
from elasticlake.record import record

TEST_KEY = b"elasticlake/test.txt"
_TEST_ETAG = "d41d8cd98f00b204e9800998ecf8427e"


@record
class Delivery:
    """One event on its way to one webhook."""

    webhook: Webhook
    event: Event
    id: DeliveryId

    @property
    def is_test(self) -> bool:
        return self.event.sequence == 0

    @property
    def is_redelivery(self) -> bool:
        return self.id.generation > 0 and not self.is_test


def compose(delivery: Delivery, attempt: int, now_ms: int) -> Request:
    """The request of the delivery's n-th attempt. Its body depends on the event alone, so every attempt sends the
    same."""
    webhook, event = delivery.webhook, delivery.event
    body = encode_payload(payload(event, test=delivery.is_test))
    headers = [
        ("Content-Type", "application/json"),
        ("X-ElasticLake-Signature", signing.page_signature(webhook.secret, body)),
        ("X-ElasticLake-Event", event.type),
        ("X-ElasticLake-Delivery", str(delivery.id)),
        ("X-ElasticLake-Attempt", str(attempt)),
        *signing.standard_headers((webhook.secret,), event.id, now_ms // 1000, body),
    ]
    if delivery.is_redelivery:
        headers.append(("X-ElasticLake-Redelivery", "true"))
    return Request(webhook.endpoint, tuple(headers), body, webhook.timeout_seconds)


def test_event(webhook: Webhook, lake: str, pond: str, bucket: str, now_ms: int) -> Event:
    """A page-shaped `object:created` that nothing in the bucket caused."""
    return Event(
        id=new_event_id(now_ms),
        bucket_id=0,
        bucket=bucket,
        sequence=0,
        type="object:created",
        time_ms=now_ms,
        key=TEST_KEY,
        size_bytes=0,
        etag=_TEST_ETAG,
        content_type="text/plain",
        lake=lake,
        pond=pond,
        reason="Test",
    )
