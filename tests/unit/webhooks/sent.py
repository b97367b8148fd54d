"""Deliveries as the server makes them, for receivers to take."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from elasticlake.delivery.attempt import Request
from elasticlake.delivery.composer import Delivery, compose
from elasticlake.model.events import Event
from elasticlake.model.ids import DeliveryId
from elasticlake.model.rules import Rules
from elasticlake.model.webhooks import Webhook, WebhookScope

SECRET = "my-webhook-secret"
BUCKET = "lake1--pond1--my-bucket"
WEBHOOK = Webhook(
    id="wh_mfrggzdfmztwq2lk",
    account_id="root",
    scope=WebhookScope("bucket", 7, BUCKET),
    endpoint="https://myapp.com/hook",
    events=("object:created",),
    secret=SECRET,
)
EVENT = Event(
    id="evt_019a357fb4287736c896b33f5fb6d6",
    bucket_id=7,
    bucket=BUCKET,
    sequence=42,
    type="object:created",
    time_ms=1_761_834_153_000,
    key="Grüße +☂/photo 1.jpg".encode(),
    size_bytes=1048576,
    etag="d41d8cd98f00b204e9800998ecf8427e",
    content_type="image/jpeg",
    lake="production",
    pond="documents",
    reason="PutObject",
    metadata={"owner": "bob"},
    principal="ELQ3ZXWJ2K7RT5VYBN4A",
    request_id="0A4537C4DB329D69",
)


def event(sequence: int = 42, **changed: Any) -> Event:
    """An event of its own for each sequence."""
    return replace(EVENT, id=f"evt_{sequence:030x}", sequence=sequence, **changed)


def webhook(**rules: Any) -> Webhook:
    return replace(WEBHOOK, rules=Rules(**rules))


def sent(
    told: Event = EVENT,
    *also: Event,
    to: Webhook = WEBHOOK,
    attempt: int = 1,
    generation: int = 0,
    at_ms: int | None = None,
    **how: Any,
) -> Request:
    """The request of a delivery's attempt, made now unless `at_ms` says otherwise."""
    identity = DeliveryId(to.id, told.bucket_id, told.sequence, generation)
    now_ms = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    return compose(Delivery(to, told, identity, also=also, **how), attempt, now_ms)
