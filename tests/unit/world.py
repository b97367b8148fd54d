"""A small ElasticLake without a server: real services over real stores in a folder, and a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg

from elasticlake.blobs.disk import LocalDisk
from elasticlake.blobs.files import FileBlobs
from elasticlake.config.master_key import MasterKey
from elasticlake.metadata import buckets, events
from elasticlake.metadata.database import Database, Transaction
from elasticlake.metadata.history import Attempt, History, HistoryLog, HistoryReader, HistoryWriter
from elasticlake.metadata.migrations import Schema, migrate_sqlite
from elasticlake.metadata.postgres.database import PostgresDatabase
from elasticlake.metadata.postgres.history import PostgresHistoryReader, PostgresHistoryWriter
from elasticlake.metadata.postgres.migrations import migrate_postgres
from elasticlake.metadata.sqlite import connect
from elasticlake.metadata.sqlite_database import SqliteDatabase
from elasticlake.model.accounts import Caller, Scope
from elasticlake.model.egress import EgressPolicy
from elasticlake.model.objects import Attributes, Bucket
from elasticlake.service import versions
from elasticlake.service.accounts import Accounts
from elasticlake.service.activity import Activities
from elasticlake.service.buckets import Buckets
from elasticlake.service.context import Request, SpaceGuard, Stores
from elasticlake.service.deliveries import Deliveries
from elasticlake.service.feed import Feed
from elasticlake.service.hierarchy import Hierarchy
from elasticlake.service.jobs import Jobs
from elasticlake.service.measures import Measures
from elasticlake.service.object_deliveries import ObjectDeliveries
from elasticlake.service.reconcile import Reconciling
from elasticlake.service.statistics import Statistics
from elasticlake.service.tokens import ROOT_TOKEN, Tokens
from elasticlake.service.webhooks import Webhooks

ROOT_TOKEN_TEXT = "root-token"
START_MS = 1_767_323_045_678
ROOT = ROOT_TOKEN
KEY = MasterKey(bytes(32))


@dataclass
class StillClock:
    """A clock that moves when it is told to."""

    time_ms: int = START_MS

    def now_ms(self) -> int:
        return self.time_ms

    def monotonic(self) -> float:
        return self.time_ms / 1000


@dataclass(frozen=True)
class RootKey:
    access_key_id: str = "ROOTKEY"
    secret: str = "root-secret"


@dataclass(frozen=True)
class Alone:
    """No other process shares the store."""

    is_eldest: bool = True
    names: frozenset[str] = frozenset()


@dataclass
class World:
    """Everything that a test of the services needs."""

    folder: Path
    core: Database
    delivery: Database
    clock: StillClock
    stores: Stores
    accounts: Accounts
    tokens: Tokens
    hierarchy: Hierarchy
    buckets: Buckets
    measures: Measures
    webhooks: Webhooks
    deliveries: Deliveries
    object_deliveries: ObjectDeliveries
    jobs: Jobs
    reconciling: Reconciling
    statistics: Statistics
    feed: Feed
    activities: Activities
    url: str | None = None
    """The PostgreSQL database beneath; None for SQLite."""
    wakes: list[int] = field(default_factory=list)

    async def bucket(self, name: str, account_id: str = "root") -> Bucket:
        return await self.buckets.create(self.request(account_id), name)

    def request(self, account_id: str = "root") -> Request:
        return Request(Caller(account_id, "AKID", Scope()), "REQUEST")

    async def put(self, bucket_name: str, key: bytes, data: bytes = b"x") -> int:
        """Store an object and return its event's sequence."""
        new = versions.NewContent(len(data), "etag", inline=data)

        def mutation(tx: Transaction) -> int:
            change = self._change(buckets.get(tx, bucket_name), key, "PutObject")
            return versions.put(tx, change, new, Attributes(), "private", None).sequence

        return await self.core.write(mutation)

    async def attempt(self, webhook_id: str, bucket_id: int, sequence: int, number: int = 1, **how: Any) -> Attempt:
        """As `attempt`, for the event that has that sequence in the log."""
        event = await self.core.read(lambda reader: events.get(reader, bucket_id, sequence))
        assert event is not None
        return replace(attempt(webhook_id, bucket_id, sequence, number, **how), event_id=event.id)

    async def remove(self, bucket_name: str, key: bytes) -> None:
        def mutation(tx: Transaction) -> None:
            versions.delete(tx, self._change(buckets.get(tx, bucket_name), key, "DeleteObject"))

        await self.core.write(mutation)

    def _change(self, bucket: Bucket, key: bytes, reason: str) -> versions.Change:
        return versions.Change(bucket, key, reason, self.request(), self.clock.now_ms(), 0)

    async def trim_log(self, bucket: Bucket, first_sequence: int) -> None:
        """What retention does to a log."""

        def mutation(tx: Transaction) -> None:
            tx.run("DELETE FROM events WHERE bucket_id = ? AND sequence < ?", (bucket.id, first_sequence))
            tx.run("UPDATE buckets SET first_sequence = ? WHERE id = ?", (first_sequence, bucket.id))

        await self.core.write(mutation)

    def open_history_log(self) -> HistoryLog:
        """Where the dispatcher writes attempts."""
        return HistoryWriter(self.folder / "history") if self.url is None else PostgresHistoryWriter(self.url)

    def open_history(self) -> History:
        return HistoryReader(self.folder / "history") if self.url is None else PostgresHistoryReader(self.url)

    def record(self, *attempts: Attempt) -> None:
        """Write attempts as the dispatcher does."""
        writer = self.open_history_log()
        writer.append(attempts)
        writer.close()


def attempt(
    webhook_id: str, bucket_id: int, sequence: int, number: int = 1, *, generation: int = 0, status: str = "delivered"
) -> Attempt:
    """One attempt as the history holds it."""
    return Attempt(
        webhook_id=webhook_id,
        bucket_id=bucket_id,
        sequence=sequence,
        generation=generation,
        attempt=number,
        event_id=f"evt_{sequence}",
        event="object:created",
        key=b"key",
        started_at_ms=START_MS + 1000 * number,
        duration_ms=12.5,
        status_code=200 if status == "delivered" else 500,
        error_class=None,
        error=None,
        request_headers=(("X-ElasticLake-Attempt", str(number)),),
        request_body=b"{}",
        response_headers=(("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")),
        response_body=b"caf\xe9",
        status=status,
        next_attempt_at_ms=None,
    )


def open_database(path: Path, schema: Schema) -> SqliteDatabase:
    connection = connect(path, durable=False)
    migrate_sqlite(connection, schema)
    connection.close()
    return SqliteDatabase(path, durable=False)


def open_databases(folder: Path, url: str | None) -> tuple[Database, Database]:
    """The metadata and the state of deliveries, with the newest schema."""
    if url is None:
        return open_database(folder / "core.db", "core"), open_database(folder / "delivery.db", "delivery")
    with psycopg.connect(url, autocommit=True) as connection:
        migrate_postgres(connection)
    return PostgresDatabase(url), PostgresDatabase(url, durable=False)


@asynccontextmanager
async def open_world(folder: Path, policy: EgressPolicy | None = None, url: str | None = None) -> AsyncIterator[World]:
    """A fresh world in `folder` (and in the empty PostgreSQL database at `url`), closed in the end."""
    core, delivery = open_databases(folder, url)
    blobs = FileBlobs(folder / "blobs", LocalDisk(), threads=1)
    clock, wakes = StillClock(), list[int]()
    stores = Stores(core, blobs, clock, SpaceGuard(blobs, clock, 0), "test")
    history = HistoryReader(folder / "history") if url is None else PostgresHistoryReader(url)
    counted = HistoryReader(folder / "history") if url is None else PostgresHistoryReader(url)

    def wake() -> None:
        wakes.append(clock.now_ms())

    deliveries = Deliveries(core, delivery, history, clock, wake)
    world = World(
        folder=folder,
        core=core,
        delivery=delivery,
        clock=clock,
        stores=stores,
        accounts=Accounts(stores, KEY, RootKey()),
        tokens=Tokens(stores, ROOT_TOKEN_TEXT),
        hierarchy=Hierarchy(stores),
        buckets=Buckets(stores),
        measures=Measures(core),
        webhooks=Webhooks(core, delivery, KEY, policy or EgressPolicy(), clock, wake),
        deliveries=deliveries,
        object_deliveries=ObjectDeliveries(core, deliveries),
        jobs=Jobs(core, delivery, clock, wake),
        reconciling=Reconciling(core, delivery),
        statistics=Statistics(core, counted, clock),
        feed=Feed(core, clock=clock),
        activities=Activities(core),
        url=url,
        wakes=wakes,
    )
    try:
        yield world
    finally:
        history.close()
        counted.close()
        await core.close()
        await delivery.close()
