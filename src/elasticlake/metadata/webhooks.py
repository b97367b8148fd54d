"""Webhooks as stored: the secret is ciphertext here, and the caller's business."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from elasticlake.metadata.chosen import rows_of
from elasticlake.metadata.database import Reader, Row, Transaction
from elasticlake.model.rules import from_document, to_document
from elasticlake.model.webhooks import ScopeKind, Webhook, WebhookScope


class StoredWebhook(NamedTuple):
    """A webhook whose secret is still ciphertext, and so is, where it has any, what else is confidential."""

    webhook: Webhook
    secret: bytes
    sealed: bytes | None


class BucketPlace(NamedTuple):
    """What decides whether a webhook matches a bucket."""

    id: int
    sequence: int
    account_id: str
    pond_id: int
    lake_id: int
    is_deleted: bool


_COLUMNS = """
SELECT w.id, w.account_id, w.bucket_id, w.pond_id, w.lake_id, b.name, p.slug, coalesce(pl.slug, l.slug), w.endpoint,
       w.events, w.name, w.retry_schedule, w.timeout_seconds, w.ordering, w.on_dead, w.status, w.disabled_reason,
       w.revision, w.created_at_ms, w.updated_at_ms, w.rules, w.overlap_ends_at_ms, w.secret, w.sealed
FROM webhooks w
LEFT JOIN buckets b ON b.id = w.bucket_id
LEFT JOIN ponds p ON p.id = w.pond_id LEFT JOIN lakes pl ON pl.id = p.lake_id
LEFT JOIN lakes l ON l.id = w.lake_id
"""


def _stored(row: Row) -> StoredWebhook:
    (
        identity, account_id, bucket_id, pond_id, lake_id, bucket, pond, lake, endpoint, events,
        name, schedule, timeout_seconds, ordering, on_dead, status, disabled_reason, revision,
        created_at_ms, updated_at_ms, rules, overlap_ends_at_ms, secret, sealed,
    ) = row  # fmt: skip
    if bucket_id is not None:
        scope = WebhookScope("bucket", bucket_id, bucket)
    elif pond_id is not None:
        scope = WebhookScope("pond", pond_id, f"{lake}--{pond}")
    else:
        scope = WebhookScope("lake", lake_id, lake)
    webhook = Webhook(
        id=identity,
        account_id=account_id,
        scope=scope,
        endpoint=endpoint,
        events=tuple(json.loads(events)),
        name=name,
        retry_schedule_seconds=tuple(json.loads(schedule)),
        timeout_seconds=timeout_seconds,
        ordering=ordering,
        on_dead=on_dead,
        status=status,
        disabled_reason=disabled_reason,
        revision=revision,
        created_at_ms=created_at_ms,
        updated_at_ms=updated_at_ms,
        rules=from_document(json.loads(rules)),
        overlap_ends_at_ms=overlap_ends_at_ms,
    )
    return StoredWebhook(webhook, secret, sealed)


def get(reader: Reader, webhook_id: str) -> StoredWebhook | None:
    row = reader.row(_COLUMNS + "WHERE w.id = ?", (webhook_id,))
    return _stored(row) if row else None


def revision(reader: Reader, webhook_id: str) -> int | None:
    """How often the webhook was changed; None if there is none."""
    row = reader.row("SELECT revision FROM webhooks WHERE id = ?", (webhook_id,))
    return int(row[0]) if row else None


def ids(reader: Reader) -> list[str]:
    """Every webhook's id."""
    return [row[0] for row in reader.rows("SELECT id FROM webhooks ORDER BY id")]


def some(reader: Reader, webhook_ids: Sequence[str]) -> list[StoredWebhook]:
    """Those of the webhooks that exist, by id."""
    sql = _COLUMNS + "WHERE w.id IN ({webhooks}) ORDER BY w.id"
    return [_stored(row) for row in rows_of(reader, sql, webhook_ids)]


def page(reader: Reader, after: str, limit: int, scope: tuple[ScopeKind, int] | None = None) -> list[StoredWebhook]:
    """Webhooks by id: all, or those made for exactly that bucket, pond or lake."""
    if scope is None:
        return [_stored(row) for row in reader.rows(_COLUMNS + "WHERE w.id > ? ORDER BY w.id LIMIT ?", (after, limit))]
    kind, place = scope
    sql = _COLUMNS + f"WHERE w.{kind}_id = ? AND w.id > ? ORDER BY w.id LIMIT ?"
    return [_stored(row) for row in reader.rows(sql, (place, after, limit))]


def all_webhooks(reader: Reader) -> list[StoredWebhook]:
    """Every webhook: what a dispatcher loads when the definitions changed."""
    return [_stored(row) for row in reader.rows(_COLUMNS + "ORDER BY w.id")]


def derived_from(reader: Reader, webhook_id: str) -> list[StoredWebhook]:
    """The webhooks that were made from this one, by entries of notification configurations."""
    return [_stored(row) for row in reader.rows(_COLUMNS + "WHERE w.derived_from = ? ORDER BY w.id", (webhook_id,))]


def derived_in(reader: Reader, bucket_id: int) -> list[StoredWebhook]:
    """The webhooks that the bucket's notification configuration made."""
    sql = _COLUMNS + "WHERE w.bucket_id = ? AND w.derived_from IS NOT NULL ORDER BY w.id"
    return [_stored(row) for row in reader.rows(sql, (bucket_id,))]


def version(reader: Reader) -> int:
    """A number that grows with every change of a webhook's definition."""
    row = reader.row("SELECT value FROM facts WHERE name = 'webhooksVersion'")
    return int(row[0]) if row else 0


def _touch(tx: Transaction) -> None:
    tx.run(
        "INSERT INTO facts (name, value) VALUES ('webhooksVersion', '1')"
        " ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(facts.value AS INTEGER) + 1 AS TEXT)"
    )


def put(tx: Transaction, stored: StoredWebhook) -> None:
    """Create or change the webhook."""
    webhook = stored.webhook
    places = {"bucket": None, "pond": None, "lake": None} | {webhook.scope.kind: webhook.scope.id}
    tx.run(
        "INSERT INTO webhooks (id, account_id, bucket_id, pond_id, lake_id, name, endpoint, events, secret,"
        " retry_schedule, timeout_seconds, ordering, on_dead, status, disabled_reason, revision,"
        " created_at_ms, updated_at_ms, rules, overlap_ends_at_ms, sealed, derived_from)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET"
        " name = excluded.name, endpoint = excluded.endpoint, events = excluded.events, secret = excluded.secret,"
        " retry_schedule = excluded.retry_schedule, timeout_seconds = excluded.timeout_seconds,"
        " ordering = excluded.ordering, on_dead = excluded.on_dead, status = excluded.status,"
        " disabled_reason = excluded.disabled_reason, revision = excluded.revision,"
        " updated_at_ms = excluded.updated_at_ms, rules = excluded.rules,"
        " overlap_ends_at_ms = excluded.overlap_ends_at_ms, sealed = excluded.sealed",
        (
            webhook.id,
            webhook.account_id,
            places["bucket"],
            places["pond"],
            places["lake"],
            webhook.name,
            webhook.endpoint,
            json.dumps(webhook.events),
            stored.secret,
            json.dumps(webhook.retry_schedule_seconds),
            webhook.timeout_seconds,
            webhook.ordering,
            webhook.on_dead,
            webhook.status,
            webhook.disabled_reason,
            webhook.revision,
            webhook.created_at_ms,
            webhook.updated_at_ms,
            json.dumps(to_document(webhook.rules)),
            webhook.overlap_ends_at_ms,
            stored.sealed,
            webhook.rules.notification.webhook_id if webhook.rules.notification is not None else None,
        ),
    )
    _touch(tx)


def delete(tx: Transaction, webhook_id: str) -> None:
    tx.run("DELETE FROM webhook_starts WHERE webhook_id = ?", (webhook_id,))
    tx.run("DELETE FROM webhooks WHERE id = ?", (webhook_id,))
    _touch(tx)


_PLACES = "SELECT id, sequence, account_id, pond_id, lake_id, deleted_at_ms IS NOT NULL FROM buckets "


def places_in_scope(reader: Reader, kind: ScopeKind, place_id: int, account_id: str) -> list[BucketPlace]:
    """The buckets that a webhook of that scope and account matches, deleted ones whose log is kept included."""
    column = "id" if kind == "bucket" else f"{kind}_id"
    sql = _PLACES + f"WHERE {column} = ? AND account_id = ?"
    return [BucketPlace(*row) for row in reader.rows(sql, (place_id, account_id))]


def place(reader: Reader, bucket_id: int) -> BucketPlace | None:
    row = reader.row(_PLACES + "WHERE id = ?", (bucket_id,))
    return BucketPlace(*row) if row else None


class ListenedLog(NamedTuple):
    """A log that a webhook listens to: how far it goes, and where in it the webhook began."""

    webhook_id: str
    bucket_id: int
    sequence: int
    start: int


_LISTENED = """
SELECT w.id, b.id, b.sequence, coalesce(s.sequence, 0)
FROM webhooks w JOIN buckets b ON {place} AND b.account_id = w.account_id
LEFT JOIN webhook_starts s ON s.webhook_id = w.id AND s.bucket_id = b.id
WHERE w.id IN ({webhooks}) AND b.sequence > coalesce(s.sequence, 0)
"""
_LISTENED_LOGS = " UNION ALL ".join(
    _LISTENED.replace("{place}", place)
    for place in ("b.id = w.bucket_id", "b.pond_id = w.pond_id", "b.lake_id = w.lake_id")
)


def listened_logs(reader: Reader, webhook_ids: Sequence[str]) -> list[ListenedLog]:
    """The logs in which something has happened since the webhooks began, deleted buckets' included."""
    return [ListenedLog(*row) for row in rows_of(reader, _LISTENED_LOGS, webhook_ids)]


def listening(reader: Reader, place: BucketPlace) -> list[StoredWebhook]:
    """The webhooks in whose scope the bucket lies, enabled or not, by id."""
    sql = _COLUMNS + ("WHERE (w.bucket_id = ? OR w.pond_id = ? OR w.lake_id = ?) AND w.account_id = ? ORDER BY w.id")
    return [_stored(row) for row in reader.rows(sql, (place.id, place.pond_id, place.lake_id, place.account_id))]


def all_places(reader: Reader) -> list[BucketPlace]:
    """Every bucket, deleted ones whose log is kept included."""
    return [BucketPlace(*row) for row in reader.rows(_PLACES)]


def shown_place(reader: Reader, scope: WebhookScope) -> tuple[str, str, str]:
    """Lake and pond display names and a bucket name for a payload that stands for the scope (a test's)."""
    if scope.kind == "bucket":
        sql = (
            "SELECT l.name, p.name, b.name FROM buckets b JOIN ponds p ON p.id = b.pond_id"
            " JOIN lakes l ON l.id = b.lake_id WHERE b.id = ?"
        )
    elif scope.kind == "pond":
        sql = (
            "SELECT l.name, p.name, l.slug || '--' || p.slug || '--test' FROM ponds p"
            " JOIN lakes l ON l.id = p.lake_id WHERE p.id = ?"
        )
    else:
        sql = "SELECT l.name, 'test', l.slug || '--test--test' FROM lakes l WHERE l.id = ?"
    row = reader.row(sql, (scope.id,))
    return (row[0], row[1], row[2]) if row else ("test", "test", scope.name)


def insert_starts(tx: Transaction, webhook_id: str, kind: ScopeKind, place_id: int, account_id: str) -> None:
    """The webhook sees what happens from now on: remember where the log of each bucket is that it matches."""
    column = "id" if kind == "bucket" else f"{kind}_id"
    tx.run(
        "INSERT INTO webhook_starts (webhook_id, bucket_id, sequence)"
        f" SELECT CAST(? AS TEXT), id, sequence FROM buckets WHERE {column} = ? AND account_id = ?"
        " ON CONFLICT (webhook_id, bucket_id) DO UPDATE SET sequence = excluded.sequence",
        (webhook_id, place_id, account_id),
    )


def start(reader: Reader, webhook_id: str, bucket_id: int) -> int:
    """Where the webhook began in the bucket's log: 0 for a bucket that is younger than the webhook."""
    sql = "SELECT sequence FROM webhook_starts WHERE webhook_id = ? AND bucket_id = ?"
    row = reader.row(sql, (webhook_id, bucket_id))
    return int(row[0]) if row else 0


def starts(reader: Reader, webhook_id: str) -> dict[int, int]:
    """Where the webhook began, by bucket; those that are younger than it are left out."""
    rows = reader.rows("SELECT bucket_id, sequence FROM webhook_starts WHERE webhook_id = ?", (webhook_id,))
    return {row[0]: row[1] for row in rows}
