"""From an event to the request that tells of it: payload, envelope, headers, signatures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from elasticlake.clock import Clock
from elasticlake.delivery.attempt import Request
from elasticlake.delivery.tls_contexts import webhook_tls
from elasticlake.model.delivery_headers import delivery_headers
from elasticlake.model.envelopes import BATCH_CONTENT_TYPES, CONTENT_TYPES, batch_envelope, envelope
from elasticlake.model.events import Event, encode_payload, payload
from elasticlake.model.ids import DeliveryId, new_event_id
from elasticlake.model.rotation import signing_secrets
from elasticlake.model.webhooks import Webhook
from elasticlake.record import record
from elasticlake.service.object_links import LINKED_TYPES, ObjectLinks

BATCH_EVENT = "batch"
MAX_LINK_BYTES = 8 * 1024
NO_URLS: Mapping[int, str] = {}
TEST_KEY = b"elasticlake/test.txt"
_TEST_ETAG = "d41d8cd98f00b204e9800998ecf8427e"


@record
class Delivery:
    """One event on its way to one webhook."""

    webhook: Webhook
    event: Event
    id: DeliveryId
    coalesced: int = 0
    """How many earlier events of the key it stands for."""
    also: tuple[Event, ...] = ()
    """The other events of its batch."""
    replay: str | None = None
    """The id of the job that sends the event again."""
    backfill: bool = False
    """Whether the event only tells of an object that exists already."""

    @property
    def members(self) -> list[Delivery]:
        """Each of its events, as if it went alone."""
        return [self, *(replace(self, event=event, also=()) for event in self.also)] if self.also else [self]

    @property
    def message_id(self) -> str:
        """What receivers know it by, however often it comes: the event's id, or a composition's."""
        if self.webhook.rules.batch is None:
            return self.event.id
        return f"bat_{self.event.id.removeprefix('evt_')}_{1 + len(self.also)}"

    @property
    def is_test(self) -> bool:
        return self.event.sequence == 0

    @property
    def is_redelivery(self) -> bool:
        return self.id.generation > 0 and not self.is_test and self.event.about is None and not self.is_of_job

    @property
    def is_of_job(self) -> bool:
        return self.replay is not None or self.backfill

    @property
    def link_seconds(self) -> int | None:
        """How long the payload's link to the object lives; None for a payload without one."""
        return self.webhook.rules.include_url_seconds if self.event.type in LINKED_TYPES else None


@dataclass(frozen=True, slots=True)
class Composer:
    """Makes the requests of attempts; without `links`, a payload that asks for one says null."""

    clock: Clock
    links: ObjectLinks | None = None

    async def request(self, delivery: Delivery, attempt: int) -> Request:
        """The request of the delivery's n-th attempt, now."""
        now_ms = self.clock.now_ms()
        urls = {
            one.event.sequence: url for one in delivery.members if (url := await self._url(one, now_ms)) is not None
        }
        return compose(delivery, attempt, now_ms, urls)

    async def _url(self, delivery: Delivery, now_ms: int) -> str | None:
        seconds = delivery.link_seconds
        # There is no object behind a test.
        if self.links is None or seconds is None or delivery.is_test:
            return None
        return await self.links.url(delivery.event, delivery.webhook.account_id, seconds, now_ms)


def compose(delivery: Delivery, attempt: int, now_ms: int, urls: Mapping[int, str] = NO_URLS) -> Request:
    """The request of the delivery's n-th attempt. Its body depends on events and webhook alone, so every attempt sends
    the same; but for `urls`, by sequence: links to the objects, where the webhook asks for them."""
    webhook, event = delivery.webhook, delivery.event
    sent = [envelope(webhook, one.event, document(one, urls.get(one.event.sequence))) for one in delivery.members]
    batches = webhook.rules.batch is not None
    body = encode_payload(batch_envelope(webhook, sent) if batches else sent[0])
    secrets = signing_secrets(webhook, now_ms)
    content_type = (BATCH_CONTENT_TYPES if batches else CONTENT_TYPES)[webhook.rules.format]
    kind = BATCH_EVENT if batches else event.type
    headers = delivery_headers(kind, delivery.message_id, delivery.id, attempt, secrets, now_ms, body, content_type)
    if delivery.is_redelivery:
        headers.append(("X-ElasticLake-Redelivery", "true"))
    if delivery.replay is not None:
        headers.append(("X-ElasticLake-Replay", delivery.replay))
    headers += webhook.sealed.headers
    tls = webhook_tls(webhook.id, webhook.revision, webhook.sealed)
    return Request(webhook.endpoint, tuple(headers), body, webhook.timeout_seconds, tls)


def document(delivery: Delivery, url: str | None = None) -> dict[str, Any]:
    """The payload that goes into the envelope."""
    described = payload(delivery.event, include_metadata=delivery.webhook.rules.include_metadata, test=delivery.is_test)
    if delivery.coalesced:
        described["coalesced"] = delivery.coalesced
    if delivery.backfill:
        described["backfill"] = True
    if delivery.link_seconds is not None:
        described["object"]["url"] = url
    return described


def weight(webhook: Webhook, event: Event) -> int:
    """The bytes that the event takes in a batch's body."""
    delivery = Delivery(webhook, event, DeliveryId(webhook.id, event.bucket_id, event.sequence))
    room_for_link = MAX_LINK_BYTES if delivery.link_seconds is not None else 0
    return len(encode_payload(envelope(webhook, event, document(delivery)))) + room_for_link


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
