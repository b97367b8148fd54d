"""The headers of a delivery, whoever sends it."""

from __future__ import annotations

from collections.abc import Sequence

from elasticlake import signing
from elasticlake.model.ids import DeliveryId

JSON = "application/json"


def delivery_headers(
    event: str,
    message_id: str,
    delivery_id: DeliveryId,
    attempt: int,
    secrets: Sequence[str],
    now_ms: int,
    body: bytes,
    content_type: str = JSON,
) -> list[tuple[str, str]]:
    """What the body is, what it tells of, and who proves it: `message_id` is the event's, and of `secrets` the first
    alone signs `X-ElasticLake-Signature`."""
    return [
        ("Content-Type", content_type),
        ("X-ElasticLake-Signature", signing.page_signature(secrets[0], body)),
        ("X-ElasticLake-Event", event),
        ("X-ElasticLake-Delivery", str(delivery_id)),
        ("X-ElasticLake-Attempt", str(attempt)),
        *signing.standard_headers(secrets, message_id, now_ms // 1000, body),
    ]


def standing_headers(version: str) -> tuple[tuple[str, str], ...]:
    """Those of every attempt, before its own."""
    return (
        ("User-Agent", f"ElasticLake/{version} (webhooks)"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),
    )
