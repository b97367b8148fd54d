"""What a job goes over, a bounded batch at a time: the log, dead deliveries, parked lanes, or objects."""

from __future__ import annotations

from elasticlake.metadata import buckets, events, jobs, objects
from elasticlake.metadata.database import Database, Reader
from elasticlake.metadata.jobs import Job
from elasticlake.model.events import Event
from elasticlake.model.ids import derived_event_id
from elasticlake.model.jobs import Cursor, Span, generation_of
from elasticlake.model.objects import Bucket, ObjectVersion
from elasticlake.record import record
from elasticlake.service.one_by_one import one_by_one
from elasticlake.service.selection import Selection

BATCH = 128
BACKFILL_REASON = "Backfill"


@record
class Found:
    """Something to send. With it, the job is at `cursor`, and has looked at `scanned` more than with the one before."""

    event: Event
    cursor: Cursor
    scanned: int
    is_dead: bool = False
    """Whether the webhook has a dead delivery of the event."""


@record
class Batch:
    """What was found next. After it the job is at `cursor`, and has looked at `passed` that were not to be sent."""

    found: list[Found]
    cursor: Cursor
    passed: int
    is_last: bool


class JobSource:
    """Reads for jobs: the log and the objects (`core`), what has become of deliveries (`state`)."""

    def __init__(self, core: Database, state: Database) -> None:
        self._core = core
        self._state = state

    async def read(self, job: Job, selection: Selection, cursor: Cursor) -> Batch:
        """What comes after the cursor."""
        spans = job.parameters.spans
        if cursor.span >= len(spans):
            return Batch([], cursor, 0, True)
        span, limit = spans[cursor.span], BATCH
        if job.kind == "backfill":
            batch = await self._objects(job, selection, span, cursor, limit)
        elif job.parameters.only == "dead":
            batch = await self._dead(job, selection, span, cursor, limit)
        elif job.parameters.only == "retrying":
            batch = await self._retrying(job, selection, span, cursor, limit)
        else:
            batch = await self._log(job, selection, span, cursor, limit)
        if not batch.is_last:
            return batch
        following = Cursor(cursor.span + 1)
        return Batch(batch.found, following, batch.passed, following.span >= len(spans))

    async def _log(self, job: Job, selection: Selection, span: Span, cursor: Cursor, limit: int) -> Batch:
        after = max(cursor.sequence, span.first - 1)
        rows = await self._core.read(lambda reader: events.after(reader, span.bucket_id, after, limit), loose=True)
        rows = [event for event in rows if event.sequence <= span.last]
        last = rows[-1].sequence if rows else after
        dead = frozenset[int]()
        if rows:
            dead = frozenset(await self._dead_sequences(job, span, after, last, limit))
        found, reached = list[Found](), after
        async for event in one_by_one(rows, selection):
            if _is_wanted(job, selection, event):
                place = cursor._replace(sequence=event.sequence)
                found.append(Found(event, place, event.sequence - reached, event.sequence in dead))
                reached = event.sequence
        # What is missing at the end is no longer, or not any more, in the log.
        is_last = len(rows) < limit
        end = span.last if is_last else last
        return Batch(found, cursor._replace(sequence=end), end - reached, is_last)

    async def _dead(self, job: Job, selection: Selection, span: Span, cursor: Cursor, limit: int) -> Batch:
        after = max(cursor.sequence, span.first - 1)
        sequences = await self._dead_sequences(job, span, after, span.last, limit)
        places = [(sequence, cursor._replace(sequence=sequence)) for sequence in sequences]
        return await self._heads(job, selection, span, cursor, places, limit, is_dead=True)

    async def _retrying(self, job: Job, selection: Selection, span: Span, cursor: Cursor, limit: int) -> Batch:
        # With `bucket` order the lane's key is empty, so the key alone would not tell that it was seen.
        start = cursor.key + b"\x00" if cursor.sequence else b""
        rows = await self._state.read(
            lambda reader: jobs.parked_heads(reader, job.webhook_id, span.bucket_id, start, limit), loose=True
        )
        places = [(sequence, cursor._replace(sequence=1, key=key)) for key, sequence in rows]
        return await self._heads(job, selection, span, cursor, places, limit)

    async def _heads(
        self,
        job: Job,
        selection: Selection,
        span: Span,
        cursor: Cursor,
        places: list[tuple[int, Cursor]],
        limit: int,
        *,
        is_dead: bool = False,
    ) -> Batch:
        """The events of those sequences, as far as the log has them and they are wanted."""

        def look(reader: Reader) -> list[Event | None]:
            return [events.get(reader, span.bucket_id, sequence) for sequence, _ in places]

        found, passed = list[Found](), 0
        heads = zip(await self._core.read(look, loose=True), places, strict=True)
        async for event, (sequence, place) in one_by_one(heads, selection):
            passed += 1
            is_within = event is not None and span.first <= sequence <= span.last
            if event is not None and is_within and _is_wanted(job, selection, event):
                found.append(Found(event, place, passed, is_dead))
                passed = 0
        end = places[-1][1] if places else cursor
        return Batch(found, end, passed, len(places) < limit)

    async def _objects(self, job: Job, selection: Selection, span: Span, cursor: Cursor, limit: int) -> Batch:
        prefix = job.parameters.prefix.encode()
        start = cursor.key + b"\x00" if cursor.key else prefix

        def look(reader: Reader) -> tuple[Bucket | None, list[ObjectVersion]]:
            return buckets.get_by_id(reader, span.bucket_id), objects.versions_from(
                reader, span.bucket_id, start, limit
            )

        bucket, rows = await self._core.read(look, loose=True)
        within = [version for version in rows if version.key.startswith(prefix)] if bucket is not None else []
        found, passed = list[Found](), 0
        async for version in one_by_one(within, selection):
            assert bucket is not None
            passed += 1
            event = backfill_event(job.id, bucket, version)
            if not _refuses(selection, event):
                found.append(Found(event, cursor._replace(key=version.key), passed))
                passed = 0
        end = cursor._replace(key=within[-1].key) if within else cursor
        return Batch(found, end, passed, len(within) < limit)

    async def _dead_sequences(self, job: Job, span: Span, after: int, up_to: int, limit: int) -> list[int]:
        # A dead delivery that the job itself made is no reason to send the event by it again.
        own = generation_of(job.number, job.kind)
        return await self._state.read(
            lambda reader: jobs.dead_sequences(reader, job.webhook_id, span.bucket_id, after, up_to, own, limit),
            loose=True,
        )


def backfill_event(job_id: str, bucket: Bucket, version: ObjectVersion) -> Event:
    """An `object:created` that tells of an object as it is. Told again, it is the same event."""
    return Event(
        id=derived_event_id(version.modified_at_ms, job_id, bucket.id, version.key, version.sequence),
        bucket_id=bucket.id,
        bucket=bucket.name.name,
        sequence=version.sequence,
        type="object:created",
        time_ms=version.modified_at_ms,
        key=version.key,
        size_bytes=version.size_bytes,
        etag=version.etag,
        content_type=version.attributes.content_type,
        lake=bucket.lake_name,
        pond=bucket.pond_name,
        reason=BACKFILL_REASON,
        version_id=version.version_id,
        metadata=version.attributes.metadata,
    )


def backfill_of(reader: Reader, job_id: str, bucket_id: int, key: bytes) -> Event | None:
    """The event that tells of the object as it is now; None if there is none."""
    bucket, version = buckets.get_by_id(reader, bucket_id), objects.get(reader, bucket_id, key)
    return None if bucket is None or version is None else backfill_event(job_id, bucket, version)


def is_backfilled(selection: Selection, event: Event) -> bool:
    """Whether the webhook's filter lets a backfill's event through: its event types do not count, since its owner asked
    for it."""
    return not _refuses(selection, event)


def _is_wanted(job: Job, selection: Selection, event: Event) -> bool:
    return job.parameters.takes(event.type, event.key) and selection.selects(event)


def _refuses(selection: Selection, event: Event) -> bool:
    return selection.refuses is not None and selection.refuses(event)
