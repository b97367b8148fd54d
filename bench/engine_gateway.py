"""One gateway's share of the load on the PostgreSQL engine, in a process of its own, without HTTP."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Literal

import uvloop

from elasticlake.metadata import buckets, objects
from elasticlake.metadata.database import Reader, Touching
from elasticlake.metadata.postgres.database import PostgresDatabase
from elasticlake.model.accounts import ROOT_ACCOUNT, Caller, Scope
from elasticlake.model.objects import Attributes, Bucket
from elasticlake.server.tuning import tune_process
from elasticlake.service import versions
from elasticlake.service.context import Request

Kind = Literal["put", "loose read", "snapshot read"]
Operation = Callable[[int], Awaitable[object]]
MEETING_SECONDS = 60.0
KNOWN_KEYS = 1000
"""So many objects are in the first bucket before anything is measured: those are read."""
WARM_UP = 16
_REQUEST = Request(Caller(ROOT_ACCOUNT, "ELBENCH", Scope()), "0000000000000000")


@dataclass(frozen=True, slots=True)
class Load:
    """What one gateway does: so many requests at once, one after another, for a time."""

    url: str
    kind: Kind
    buckets: tuple[Bucket, ...]
    """The next PUT goes to the next bucket; reads go to the first."""
    concurrency: int
    seconds: float
    body_bytes: int
    first_key: int
    """PUTs make new keys from here on."""


@dataclass(slots=True)
class Done:
    """What a gateway did."""

    latencies_seconds: list[float] = field(default_factory=list)
    elapsed_seconds: float = 0.0
    cpu_seconds: float = 0.0
    groups: int = 0
    """Transactions that changed a log."""


def work(load: Load, barrier: Barrier, results: "Queue[Done]") -> None:
    """The process's life: connect, meet the others, do the work, meet them again, report."""
    tune_process()
    results.put(uvloop.run(_work(load, barrier)))


async def fill(database: PostgresDatabase, bucket: Bucket, body_bytes: int) -> None:
    """Put what will be read."""
    put = _puts(database, Load("", "put", (bucket,), 1, 0, body_bytes, 0))
    await asyncio.gather(*map(put, range(KNOWN_KEYS)))


async def _work(load: Load, barrier: Barrier) -> Done:
    database, done = PostgresDatabase(load.url), Done()
    operation = _puts(database, load) if load.kind == "put" else _reads(database, load)
    numbers = itertools.count()
    await asyncio.gather(*[operation(next(numbers)) for _ in range(WARM_UP)])
    database.on_commit(lambda _: _count_group(done))
    await asyncio.to_thread(barrier.wait, MEETING_SECONDS)
    started_at, cpu = time.perf_counter(), time.process_time()
    until = started_at + load.seconds
    await asyncio.gather(*[_repeat(operation, numbers, done, until) for _ in range(load.concurrency)])
    done.elapsed_seconds, done.cpu_seconds = time.perf_counter() - started_at, time.process_time() - cpu
    # Between these two the server's processes are looked at: they live as long as their connections.
    await asyncio.to_thread(barrier.wait, load.seconds + MEETING_SECONDS)
    await asyncio.to_thread(barrier.wait, MEETING_SECONDS)
    await database.close()
    return done


def _count_group(done: Done) -> None:
    done.groups += 1


async def _repeat(operation: Operation, numbers: Iterator[int], done: Done, until: float) -> None:
    now = time.perf_counter()
    while now < until:
        await operation(next(numbers))
        before, now = now, time.perf_counter()
        done.latencies_seconds.append(now - before)


def _puts(database: PostgresDatabase, load: Load) -> Operation:
    """The mutation of a PUT whose body is small enough to be stored with its row."""
    body, attributes = b"x" * load.body_bytes, Attributes()

    def put(number: int) -> Awaitable[object]:
        bucket, key = load.buckets[number % len(load.buckets)], _key(load.first_key + number)
        change = versions.Change(bucket, key, "PutObject", _REQUEST, time.time_ns() // 1_000_000, 0)
        new = versions.NewContent(len(body), "d41d8cd98f00b204e9800998ecf8427e", inline=body)
        touching = Touching(bucket.name.name, (key,))
        return database.write(lambda tx: versions.put(tx, change, new, attributes, "private", None), touching=touching)

    return put


def _reads(database: PostgresDatabase, load: Load) -> Operation:
    """A GET's read: the bucket, then the object with its body."""
    name = load.buckets[0].name.name

    def get(number: int) -> Awaitable[object]:
        def query(reader: Reader) -> None:
            found = objects.get_with_body(reader, buckets.get(reader, name).id, _key(number % KNOWN_KEYS))
            assert found is not None

        return database.read(query, loose=load.kind == "loose read")

    return get


def _key(number: int) -> bytes:
    return b"key-%012d" % number
