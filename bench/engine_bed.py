"""A PostgreSQL, the buckets that are written to, and the gateways that are let loose on them."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from bench.engine_gateway import Done, Kind, Load, fill, work
from bench.memory import cpu_seconds, tree
from bench.stats import percentiles
from elasticlake.metadata import buckets, hierarchy, webhooks
from elasticlake.metadata.database import Transaction
from elasticlake.metadata.postgres.database import PostgresDatabase
from elasticlake.metadata.postgres.migrations import migrate_postgres
from elasticlake.model.accounts import ROOT_ACCOUNT
from elasticlake.model.objects import Bucket

BODY_BYTES = 4096
MANY_BUCKETS = 64
KEYS_PER_GATEWAY = 100_000_000
START_SECONDS = 60.0
_WAL_BYTES = "SELECT (pg_current_wal_lsn() - '0/0')::bigint"
_MORE_BUCKETS = """
INSERT INTO buckets (name, lake_id, pond_id, account_id, acl, created_at_ms, first_sequence, sequence)
SELECT 'more-' || n, 1, 1, 'root', 'private', 0, 1, 0 FROM generate_series(1, %s) n
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """One load: so many gateways with so many requests at once each, on so many buckets."""

    kind: Kind
    gateways: int
    concurrency: int
    buckets: int = 1

    @property
    def name(self) -> str:
        where = "1 bucket" if self.buckets == 1 else f"{self.buckets} buckets"
        return f"{self.kind}, {where}, {self.gateways} x {self.concurrency}"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a shape brought. `gateway_us` and `server_us` are processor time for each operation, in microseconds."""

    name: str
    per_second: float
    p50_ms: float
    p99_ms: float
    mutations_per_commit: float | None
    gateway_us: float
    server_us: float | None
    """None where the server runs on another machine."""
    wal_bytes: float | None
    """Written to the server's log for each mutation."""


@dataclass(slots=True)
class EngineBed:
    """`postmaster` is the server's first process, if it runs here."""

    url: str
    seconds: float
    postmaster: int | None = None
    _buckets: tuple[Bucket, ...] = ()
    _gateways: Iterator[int] = field(default_factory=lambda: iter(range(1, 1 << 30)))

    def prepare(self) -> None:
        """Make the schema and the buckets; the database is empty."""
        with psycopg.connect(self.url) as connection:
            migrate_postgres(connection)
        self._buckets = asyncio.run(_prepared(self.url))

    def measure(self, shape: Shape) -> Measured:
        """Run the shape's gateways side by side."""
        processes = multiprocessing.get_context("spawn")
        barrier, results = processes.Barrier(shape.gateways + 1), processes.Queue()
        workers = [
            processes.Process(target=work, args=(self._load(shape), barrier, results), daemon=True)
            for _ in range(shape.gateways)
        ]
        for worker in workers:
            worker.start()
        with psycopg.connect(self.url, autocommit=True) as connection:
            barrier.wait(START_SECONDS)
            cpu, wal = self._server_seconds(), _number(connection, _WAL_BYTES)
            barrier.wait(self.seconds + START_SECONDS)
            cpu, wal = self._server_seconds() - cpu, _number(connection, _WAL_BYTES) - wal
            barrier.wait(START_SECONDS)
        done: list[Done] = [results.get(timeout=START_SECONDS) for _ in workers]
        for worker in workers:
            worker.join()
        return self._measured(shape, done, cpu, wal)

    def scan_ms(self, more_buckets: int) -> float:
        """How long a dispatcher takes to look at so many buckets, which it does once a second; the best of three."""
        with psycopg.connect(self.url) as connection:
            connection.execute(_MORE_BUCKETS, (more_buckets,))
        return asyncio.run(_scan_seconds(self.url)) * 1e3

    def _load(self, shape: Shape) -> Load:
        first_key = next(self._gateways) * KEYS_PER_GATEWAY
        places = self._buckets[: shape.buckets]
        return Load(self.url, shape.kind, places, shape.concurrency, self.seconds, BODY_BYTES, first_key)

    def _server_seconds(self) -> float:
        return sum(map(cpu_seconds, tree(self.postmaster))) if self.postmaster else 0.0

    def _measured(self, shape: Shape, done: Sequence[Done], cpu: float, wal: int) -> Measured:
        latencies = [seconds for one in done for seconds in one.latencies_seconds]
        count, points, groups = len(latencies), percentiles(latencies), sum(one.groups for one in done)
        return Measured(
            name=shape.name,
            per_second=count / max(one.elapsed_seconds for one in done),
            p50_ms=points.p50_ms,
            p99_ms=points.p99_ms,
            mutations_per_commit=count / groups if groups else None,
            gateway_us=sum(one.cpu_seconds for one in done) / count * 1e6,
            server_us=cpu / count * 1e6 if self.postmaster else None,
            wal_bytes=wal / count if groups else None,
        )


async def _prepared(url: str) -> tuple[Bucket, ...]:
    database = PostgresDatabase(url)
    try:
        made = await database.write(_make_buckets)
        await fill(database, made[0], BODY_BYTES)
    finally:
        await database.close()
    return made


def _make_buckets(tx: Transaction) -> tuple[Bucket, ...]:
    hierarchy.insert_lake(tx, "default", ROOT_ACCOUNT, "default", 0)
    lake = hierarchy.get_lake(tx, "default")
    assert lake is not None
    hierarchy.insert_pond(tx, lake.id, "default", "default", 0)
    pond = hierarchy.get_pond(tx, "default", "default")
    assert pond is not None
    names = [f"bench-{number}" for number in range(MANY_BUCKETS)]
    return tuple(buckets.insert(tx, name, lake.id, pond.id, ROOT_ACCOUNT, "private", 0) for name in names)


async def _scan_seconds(url: str) -> float:
    database, seconds = PostgresDatabase(url), []
    try:
        for _ in range(3):
            started_at = time.perf_counter()
            await database.read(webhooks.all_places)
            seconds.append(time.perf_counter() - started_at)
    finally:
        await database.close()
    return min(seconds)


def _number(connection: psycopg.Connection[Any], sql: str) -> int:
    row = connection.execute(sql.encode()).fetchone()
    assert row is not None
    return int(row[0])
