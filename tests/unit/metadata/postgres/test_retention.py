"""Two trim one log at once, as when one of them was taken for dead: its first sequence never goes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import psycopg
from tests.conformance.metadata.conftest import create_bucket

from elasticlake.metadata import audit, buckets, retention
from elasticlake.metadata.database import Row, Touching, Transaction, Value
from elasticlake.metadata.postgres.database import PostgresDatabase

EVENT = """
INSERT INTO events (bucket_id, sequence, id, type, time_ms, key, size_bytes, etag, content_type, lake, pond, reason)
SELECT id, number, number::text, 'object:created', 0, 'key'::bytea, 1, '', '', '', '', ''
FROM buckets, generate_series(1, 9) AS number
"""
OTHER = "WITH trimmed AS (DELETE FROM events WHERE sequence < 8) UPDATE buckets SET first_sequence = 8"


class Overtaken:
    """The transaction, in which something happens after the first events were read."""

    def __init__(self, tx: Transaction, happens: Callable[[], object]) -> None:
        self._tx = tx
        self._happens = happens
        self.row, self.run = tx.row, tx.run

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        found = self._tx.rows(sql, parameters)
        self._happens()
        return found


async def test_what_another_trimmed_meanwhile_stays_trimmed(database: PostgresDatabase, url: str) -> None:
    bucket = await database.write(create_bucket)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(EVENT)
        other.execute("UPDATE buckets SET sequence = 9")
        await database.write(
            lambda tx: retention.trim(Overtaken(tx, lambda: other.execute(OTHER)), bucket.id, 1, 0, 3),  # type: ignore[arg-type]
            touching=Touching(),
            long=True,
        )
    assert await database.read(lambda reader: buckets.first_sequence(reader, bucket.id)) == 8
    assert await database.read(lambda reader: list(audit.sequences(reader, bucket.id))) == [8, 9]
