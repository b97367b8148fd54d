"""What webhooks are told of each other: events of no bucket, each sent to those that subscribed to its kind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from elasticlake.metadata import deliveries
from elasticlake.metadata.database import Reader, Transaction
from elasticlake.metadata.deliveries import RequestedDelivery
from elasticlake.model.events import Event, OperationalType
from elasticlake.model.ids import NO_BUCKET

KEPT_MS = 30 * 86_400_000


def announce(
    tx: Transaction,
    event_id: str,
    account_id: str,
    event_type: OperationalType,
    document: Mapping[str, Any],
    subscribers: Iterable[str],
    now_ms: int,
) -> None:
    """Write the event, and a delivery of it to each of the webhooks; old ones go."""
    tx.run("DELETE FROM operational_events WHERE time_ms < ?", (now_ms - KEPT_MS,))
    sql = (
        "INSERT INTO operational_events (event_id, account_id, type, time_ms, document)"
        " VALUES (?, ?, ?, ?, ?) RETURNING id"
    )
    identity = int(tx.changing(sql, (event_id, account_id, event_type, now_ms, json.dumps(document)))[0][0])
    for webhook_id in subscribers:
        deliveries.put_requested(
            tx, RequestedDelivery(webhook_id, NO_BUCKET, identity, 1, "pending", 0, now_ms, now_ms)
        )


def first_sequence(reader: Reader) -> int:
    """The number of the first event that is kept; 0 where none is."""
    row = reader.row("SELECT min(id) FROM operational_events")
    return int(row[0]) if row is not None and row[0] is not None else 0


def get(reader: Reader, identity: int) -> Event | None:
    """The event; None if it is too old."""
    row = reader.row("SELECT event_id, type, time_ms, document FROM operational_events WHERE id = ?", (identity,))
    if row is None:
        return None
    event_id, event_type, time_ms, document = row
    return Event(
        id=event_id,
        bucket_id=NO_BUCKET,
        bucket="",
        sequence=identity,
        type=event_type,
        time_ms=time_ms,
        key=b"",
        size_bytes=0,
        etag="",
        content_type="",
        lake="",
        pond="",
        reason="",
        about=json.loads(document),
    )
