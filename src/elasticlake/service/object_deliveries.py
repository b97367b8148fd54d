"""Who was told of an object: the deliveries of a key's events, whichever webhook they are for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from elasticlake.metadata import events, webhooks
from elasticlake.metadata.database import Database, Reader
from elasticlake.model.accounts import Token
from elasticlake.model.ids import DeliveryId
from elasticlake.model.objects import Bucket
from elasticlake.model.webhooks import Webhook
from elasticlake.service.deliveries import Deliveries
from elasticlake.service.delivery_status import Delivery
from elasticlake.service.hierarchy import visible_bucket
from elasticlake.service.pages import Page, PageRequest, decode_cursor, encode_cursor
from elasticlake.service.webhooks import reaches_webhook

PAIRS_AT_ONCE = 100
"""How many (event, webhook) a page looks at."""
_ENDLESS = 2**62

Pair = tuple[Webhook, DeliveryId]


class Told(NamedTuple):
    """A delivery, and whose it is."""

    webhook: Webhook
    delivery: Delivery


class ObjectDeliveries:
    """Reads over the log (`core`), described as `deliveries` describes each."""

    def __init__(self, core: Database, deliveries: Deliveries) -> None:
        self._core = core
        self._deliveries = deliveries

    async def page(self, token: Token, bucket_name: str, key: bytes, request: PageRequest) -> Page[Delivery]:
        """The deliveries of the key's events that the log still has, the newest event first; of one event, by the
        webhooks' ids. Webhooks are those in whose scope the bucket lies, disabled ones included.

        Redeliveries and replays are not listed: an event that one of them brought is delivered. A page may hold fewer
        than `limit` and still have a next one. Raises `NoSuchBucket`, `AccessDenied`.
        """
        last = (_ENDLESS, "") if request.cursor is None else _decoded(request.cursor)
        limit = min(request.limit, PAIRS_AT_ONCE)
        pairs = await self._core.read(lambda reader: _pairs(reader, token, bucket_name, key, last, limit + 1))
        described = await self._deliveries.described(pairs[:limit])
        more = encode_cursor(*_place(pairs[limit - 1])) if len(pairs) > limit else None
        return Page([delivery for delivery in described if delivery is not None], more)

    async def of_events(self, token: Token, bucket_name: str, sequences: Sequence[int]) -> list[Told]:
        """To which webhooks each of these events went, in the order given, with the same webhooks as `page`.

        At most `PAIRS_AT_ONCE` deliveries are looked at. Raises `NoSuchBucket`, `AccessDenied`.
        """
        pairs = await self._core.read(lambda reader: _pairs_of(reader, token, bucket_name, sequences))
        described = await self._deliveries.described(pairs)
        return [
            Told(webhook, delivery)
            for (webhook, _), delivery in zip(pairs, described, strict=True)
            if delivery is not None
        ]


def _pairs_of(reader: Reader, token: Token, bucket_name: str, sequences: Sequence[int]) -> list[Pair]:
    bucket = visible_bucket(reader, token, bucket_name, "admin")
    listening = _listening(reader, token, bucket)
    pairs = ((hook, DeliveryId(hook.id, bucket.id, sequence)) for sequence in sequences for hook in listening)
    return list(islice(pairs, PAIRS_AT_ONCE))


def _listening(reader: Reader, token: Token, bucket: Bucket) -> list[Webhook]:
    """The webhooks that hear of the bucket, as far as the token sees them."""
    place = webhooks.place(reader, bucket.id)
    heard = webhooks.listening(reader, place) if place is not None else []
    return [stored.webhook for stored in heard if reaches_webhook(token, stored.webhook)]


def _pairs(reader: Reader, token: Token, bucket_name: str, key: bytes, last: tuple[int, str], limit: int) -> list[Pair]:
    """At most `limit` pairs that come after the last one of the page before."""
    bucket = visible_bucket(reader, token, bucket_name, "admin")
    listening = _listening(reader, token, bucket)
    if not listening:
        return []
    # Of the first event some or all may have been on the page before.
    wanted = limit // len(listening) + 2
    found = events.of_key_backwards(reader, bucket.id, key, 0, last[0], wanted)
    sequences = [event.sequence for event in found]
    return list(islice(_beyond(last, bucket.id, sequences, listening), limit))


def _beyond(last: tuple[int, str], bucket_id: int, sequences: list[int], listening: list[Webhook]) -> Iterator[Pair]:
    for sequence in sequences:
        for webhook in listening:
            if sequence < last[0] or webhook.id > last[1]:
                yield webhook, DeliveryId(webhook.id, bucket_id, sequence)


def _place(pair: Pair) -> tuple[int, str]:
    return pair[1].sequence, pair[0].id


def _decoded(cursor: str) -> tuple[int, str]:
    sequence, webhook_id = decode_cursor(cursor, int, str)
    return int(sequence), str(webhook_id)
