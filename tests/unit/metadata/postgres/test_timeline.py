"""A server that was promoted is on another timeline: what was read before may not be true any more."""

from __future__ import annotations

import psycopg
from tests.postgres import running_postgres

from elasticlake.metadata.postgres.database import PostgresDatabase


async def test_a_promoted_server_is_on_another_timeline() -> None:
    with running_postgres(durable=False) as postgres:
        database = PostgresDatabase(postgres.url)
        before = [await database.read(lambda reader: reader.timeline(), loose=loose) for loose in (True, False)]
        postgres.restart()
        again = await database.read(lambda reader: reader.timeline())
        postgres.stop()
        (postgres.data / "standby.signal").touch()
        postgres.start()
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            assert connection.execute("SELECT pg_promote()").fetchone() == (True,)
        after = await database.read(lambda reader: reader.timeline())
        await database.close()
    assert before == [again, again]
    assert after != again
