"""Which pieces of which logs a job goes over, and how much that is to look at."""

from __future__ import annotations

from elasticlake.errors import EventsExpired, InvalidInput
from elasticlake.metadata import buckets, heads, jobs, webhooks
from elasticlake.metadata.database import Database, Reader
from elasticlake.metadata.heads import Head
from elasticlake.metadata.webhooks import BucketPlace
from elasticlake.model.accounts import Token
from elasticlake.model.jobs import JobKind, JobParameters, Span
from elasticlake.model.webhooks import Webhook
from elasticlake.service.delivery_status import in_scope
from elasticlake.service.hierarchy import visible_bucket

MAX_BUCKETS = 10_000
_AT_ONCE = 50


async def spans(
    core: Database, token: Token, webhook: Webhook, kind: JobKind, parameters: JobParameters
) -> tuple[Span, ...]:
    """A span for each bucket that the job is about, with the end of its log as it is now.

    Raises `InvalidInput`, `NoSuchBucket`, and `EventsExpired` where events asked for by sequence are gone.
    """
    places = await core.read(lambda reader: _places(reader, token, webhook, parameters))
    found: list[Span] = []
    for start in range(0, len(places), _AT_ONCE):
        some = places[start : start + _AT_ONCE]
        found += await core.read(lambda reader: [_span(reader, kind, parameters, place) for place in some])  # noqa: B023
    return tuple(span for span in found if kind == "backfill" or span.length)


async def total(
    core: Database, state: Database, webhook: Webhook, kind: JobKind, parameters: JobParameters
) -> int | None:
    """How much there is to look at; None where that would have to be counted."""
    if kind == "backfill":
        return None if parameters.prefix else await core.read(lambda reader: _objects(reader, parameters.spans))
    if parameters.only == "all":
        return sum(span.length for span in parameters.spans)
    if any((parameters.from_sequence, parameters.to_sequence, parameters.since_ms, parameters.until_ms)):
        return None
    count = jobs.count_dead if parameters.only == "dead" else jobs.count_lanes
    counted = await state.read(lambda reader: count(reader, webhook.id))
    return sum(counted.get(span.bucket_id, 0) for span in parameters.spans)


def place_in_scope(reader: Reader, token: Token, webhook: Webhook, bucket_name: str) -> BucketPlace:
    """The named bucket; raises `NoSuchBucket`, and `InvalidInput` where the webhook does not listen to it."""
    place = webhooks.place(reader, visible_bucket(reader, token, bucket_name, "admin").id)
    if place is None or not in_scope(webhook, place):
        raise InvalidInput("bucket", f"The webhook does not listen to {bucket_name}.")
    return place


def _places(reader: Reader, token: Token, webhook: Webhook, parameters: JobParameters) -> list[BucketPlace]:
    if parameters.bucket is not None:
        return [place_in_scope(reader, token, webhook, parameters.bucket)]
    scope = webhook.scope
    if scope.kind != "bucket" and (parameters.from_sequence is not None or parameters.to_sequence is not None):
        raise InvalidInput("bucket", "Each bucket has sequences of its own: name the bucket.")
    places = webhooks.places_in_scope(reader, scope.kind, scope.id, webhook.account_id)
    if len(places) > MAX_BUCKETS:
        raise InvalidInput("bucket", f"The webhook listens to more than {MAX_BUCKETS:,} buckets: name one.")
    return sorted(places)


def _span(reader: Reader, kind: JobKind, parameters: JobParameters, place: BucketPlace) -> Span:
    if kind == "backfill":
        return Span(place.id)
    kept = buckets.first_sequence(reader, place.id)
    if parameters.from_sequence is not None and parameters.from_sequence < kept:
        raise EventsExpired(kept)
    head = Head(place.id, "", place.account_id, kept, place.sequence, None)
    first, last = parameters.from_sequence or kept, place.sequence
    if parameters.since_ms is not None:
        first = heads.last_before(reader, head, parameters.since_ms) + 1
    if parameters.until_ms is not None:
        last = heads.last_before(reader, head, parameters.until_ms)
    if parameters.to_sequence is not None:
        last = min(last, parameters.to_sequence)
    return Span(place.id, first, last)


def _objects(reader: Reader, wanted: tuple[Span, ...]) -> int:
    found = [buckets.get_by_id(reader, span.bucket_id) for span in wanted]
    return sum(bucket.objects for bucket in found if bucket is not None)
