"""A bucket's S3 notification configuration: its entries, kept as the webhooks that they make."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from elasticlake.clock import Clock
from elasticlake.config.master_key import MasterKey
from elasticlake.errors import InvalidDestination, NoSuchBucket
from elasticlake.metadata import buckets, deliveries, webhooks
from elasticlake.metadata.database import Database, Transaction
from elasticlake.metadata.webhooks import StoredWebhook
from elasticlake.model.activity import Done
from elasticlake.model.notifications import Notification, arn_of
from elasticlake.model.objects import Bucket
from elasticlake.model.webhooks import Webhook, WebhookScope
from elasticlake.record import record
from elasticlake.service.access import bucket_for
from elasticlake.service.activity import note
from elasticlake.service.context import Request
from elasticlake.service.delivery_status import in_scope
from elasticlake.service.derived_webhooks import derive, derive_again
from elasticlake.service.sealing import seal, unseal
from elasticlake.service.webhooks import request_delivery, start_now


@record
class _Replaced:
    """What a new configuration came to."""

    changed: list[Webhook]
    """Made or changed by it."""
    removed: list[str]


class Notifications:
    """Reads and replaces notification configurations. Webhooks that nobody made this way are never touched."""

    def __init__(
        self, core: Database, delivery: Database, master_key: MasterKey, clock: Clock, wake: Callable[[], None]
    ) -> None:
        self._core = core
        self._delivery = delivery
        self._master_key = master_key
        self._clock = clock
        self._wake = wake

    async def get(self, request: Request, bucket_name: str) -> list[Notification]:
        """The bucket's entries in the order they were put. Raises `NoSuchBucket`, `AccessDenied`."""
        bucket = await bucket_for(self._core, request.caller, bucket_name, "admin")
        return _entries(await self._core.read(lambda reader: webhooks.derived_in(reader, bucket.id)))

    async def put(
        self, request: Request, bucket_name: str, wanted: Sequence[Notification], *, sends_test: bool = True
    ) -> None:
        """Replace the bucket's entries; one without an id gets one.

        An entry with the id of a known one and the same destination goes on as its webhook, where that stands in the
        log; any other begins now. With `sends_test` what is new or changed is sent S3's test event, unless it was
        written as a function. Raises `InvalidDestination`, `NoSuchBucket`, `AccessDenied`.
        """
        bucket = await bucket_for(self._core, request.caller, bucket_name, "admin")
        now_ms = self._clock.now_ms()

        def mutation(tx: Transaction) -> _Replaced:
            replaced = self._replace(tx, bucket, wanted, now_ms)
            note(tx, request.actor, now_ms, _done(bucket, replaced, len(wanted)))
            return replaced

        replaced = await self._core.write(mutation)
        for webhook_id in replaced.removed:
            await self._delivery.write(partial(deliveries.forget_webhook, webhook_id=webhook_id))
        tested = [webhook.id for webhook in replaced.changed if sends_test and _is_tested(webhook)]
        for webhook_id in tested:
            await self._delivery.write(
                partial(request_delivery, webhook_id=webhook_id, bucket_id=bucket.id, sequence=0, now_ms=now_ms)
            )
        self._wake()

    def _replace(self, tx: Transaction, bucket: Bucket, wanted: Sequence[Notification], now_ms: int) -> _Replaced:
        _require_current(tx, bucket)
        stored = webhooks.derived_in(tx, bucket.id)
        known = {_entry(one).id: unseal(self._master_key.decrypt, one) for one in stored}
        kept: set[str] = set()
        changed = []
        for entry in _identified(wanted, _entries(stored)):
            before = known.get(entry.id)
            webhook = self._webhook(tx, bucket, entry, before, now_ms)
            kept.add(webhook.id)
            if webhook is not before:
                webhooks.put(tx, seal(self._master_key.encrypt, webhook))
                changed.append(webhook)
            if before is None or webhook.id != before.id:
                start_now(tx, webhook)
        removed = [webhook.id for webhook in known.values() if webhook.id not in kept]
        for webhook_id in removed:
            webhooks.delete(tx, webhook_id)
        return _Replaced(changed, removed)

    def _webhook(
        self, tx: Transaction, bucket: Bucket, entry: Notification, before: Webhook | None, now_ms: int
    ) -> Webhook:
        base = self._destination(tx, bucket, entry)
        goes_on = before is not None and _entry_of(before).webhook_id == entry.webhook_id
        if before is not None and goes_on:
            return derive_again(before, base, entry, now_ms)
        return derive(base, entry, WebhookScope("bucket", bucket.id, bucket.name.name), now_ms)

    def _destination(self, tx: Transaction, bucket: Bucket, entry: Notification) -> Webhook:
        """The webhook that the entry names; raises `InvalidDestination` if it cannot tell of the bucket's events."""
        arn = arn_of(entry.webhook_id)
        stored, place = webhooks.get(tx, entry.webhook_id), webhooks.place(tx, bucket.id)
        if stored is None or stored.webhook.account_id != bucket.account_id:
            raise InvalidDestination(arn, "names no webhook of this bucket's account")
        if stored.webhook.rules.notification is not None:
            raise InvalidDestination(arn, "names a webhook that a notification configuration made itself")
        if place is None or not in_scope(stored.webhook, place):
            scope = stored.webhook.scope
            raise InvalidDestination(arn, f"names a webhook that listens to {scope.kind} {scope.name} alone")
        return unseal(self._master_key.decrypt, stored)


def _done(bucket: Bucket, replaced: _Replaced, entries: int) -> Done:
    detail = {"entries": entries, "changed": len(replaced.changed), "removed": len(replaced.removed)}
    name = bucket.name.name
    return Done("bucket:notificationsChanged", name, bucket.account_id, name, detail)


def _require_current(tx: Transaction, bucket: Bucket) -> None:
    if buckets.get(tx, bucket.name.name).id != bucket.id:
        raise NoSuchBucket


def _is_tested(webhook: Webhook) -> bool:
    """S3 asks a function's permissions instead of calling it."""
    return _entry_of(webhook).destination != "cloudFunction"


def _entry_of(webhook: Webhook) -> Notification:
    entry = webhook.rules.notification
    assert entry is not None
    return entry


def _entry(stored: StoredWebhook) -> Notification:
    return _entry_of(stored.webhook)


def _entries(stored: Iterable[StoredWebhook]) -> list[Notification]:
    return sorted(map(_entry, stored), key=lambda entry: entry.number)


def _identified(wanted: Sequence[Notification], known: Sequence[Notification]) -> list[Notification]:
    """The entries, numbered, each with an id. What comes without one and is there already, unclaimed, is the same
    still: a configuration that is put again as it was goes on."""
    claimed = {entry.id for entry in wanted if entry.id}
    unclaimed = {_content(entry): entry.id for entry in known if entry.id not in claimed}
    return [
        replace(entry, number=number, id=entry.id or unclaimed.pop(_content(entry), "") or str(uuid.uuid4()))
        for number, entry in enumerate(wanted)
    ]


def _content(entry: Notification) -> Notification:
    return replace(entry, id="", number=0)
