"""The first round trip of a group: begin, lock in one order, and fetch what its mutations will ask for.

I3 rests on the order of these statements: the buckets' rows are locked in a statement of their own, and only a later
one, which sees what the lock waited for, reads what was there before.
"""

from __future__ import annotations

from collections.abc import Sequence

from elasticlake.metadata import buckets, objects
from elasticlake.metadata.database import Touching
from elasticlake.metadata.postgres.encoding import Array
from elasticlake.metadata.postgres.link import Reply
from elasticlake.metadata.postgres.transaction import PostgresTransaction, Statement

# Whatever the database's default is: a snapshot taken before the wait for a lock would not see what was waited for.
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
# Any number, as long as nobody else in this database uses it.
_ALONE = "SELECT pg_advisory_xact_lock(7238001)"
_LOCK = "SELECT id FROM buckets WHERE name = ANY(?) AND deleted_at_ms IS NULL ORDER BY id FOR UPDATE"
_BUCKETS = buckets.COLUMNS + "WHERE b.name = ANY(?) AND b.deleted_at_ms IS NULL"
_OBJECTS = f"""
SELECT b.id, {objects.COLUMNS}
FROM unnest(?::text[], ?::bytea[]) AS wanted (name, key)
JOIN buckets b ON b.name = wanted.name AND b.deleted_at_ms IS NULL
JOIN objects o ON o.bucket_id = b.id AND o.key = wanted.key
"""
_UPLOADS = "SELECT id FROM uploads WHERE id = ANY(?) ORDER BY id FOR UPDATE"
_INTENTS = "SELECT blob_id FROM blob_intents WHERE blob_id = ANY(?) FOR UPDATE"


def begin(tx: PostgresTransaction, wanted: Sequence[Touching | None]) -> None:
    """Begin the transaction of these mutations; `None` stands for one that must run alone."""
    touched = [touching for touching in wanted if touching is not None]
    names = sorted({touching.bucket for touching in touched if touching.bucket is not None})
    keys = sorted({(one.bucket, key) for one in touched if one.bucket is not None for key in one.keys})
    uploads = sorted({touching.upload for touching in touched if touching.upload is not None})
    intents = [blob_id for touching in touched for blob_id in touching.intents]
    statements: list[Statement] = [(_BEGIN, ())]
    if len(touched) < len(wanted):
        statements.append((_ALONE, ()))
    if names:
        statements += [(_LOCK, (Array("text", names),)), (_BUCKETS, (Array("text", names),))]
    if uploads:
        statements.append((_UPLOADS, (Array("text", uploads),)))
    if keys:
        named = Array("text", [name for name, _ in keys])
        statements.append((_OBJECTS, (named, Array("bytea", [key for _, key in keys]))))
    if intents:
        statements.append((_INTENTS, (Array("text", intents),)))
    replies = {sql: reply for (sql, _), reply in zip(statements, tx.exchange(statements), strict=True)}
    if names:
        _remember_buckets(tx, replies)
    if keys:
        _remember_objects(tx, keys, replies[_OBJECTS])
    if intents:
        tx.memo.update({("intent", row[0]): True for row in replies[_INTENTS].rows()})


def _remember_buckets(tx: PostgresTransaction, replies: dict[str, Reply]) -> None:
    """A bucket that was deleted and made anew while we waited has a row that is not locked: it is looked for again when
    it is asked for."""
    locked = {row[0] for row in replies[_LOCK].rows()}
    for row in replies[_BUCKETS].rows():
        bucket = buckets.from_row(row)
        if bucket.id in locked:
            tx.memo["bucket", bucket.name.name] = bucket


def _remember_objects(tx: PostgresTransaction, keys: Sequence[tuple[str, bytes]], reply: Reply) -> None:
    """Also that there is none, which is as good to know."""
    for name, key in keys:
        bucket = tx.memo.get(("bucket", name))
        if bucket is not None:
            tx.memo["object", bucket.id, key] = None
    for bucket_id, *row in reply.rows():
        version = objects.from_row(tuple(row))
        if ("object", bucket_id, version.key) in tx.memo:
            tx.memo["object", bucket_id, version.key] = version
