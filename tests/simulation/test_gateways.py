"""I3 where several gateways write to one PostgreSQL at once, whatever the order in which they commit."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import psycopg
import pytest
from tests.postgres import Postgres
from tests.simulation.gateways import PATIENCE_SECONDS, Gateway, WholeBody, findings, outcomes, request
from tests.unit.world import ROOT

from elasticlake.errors import (
    BucketAlreadyOwnedByYou,
    ElasticLakeError,
    NoSuchAccount,
    NoSuchBucket,
    NoSuchUpload,
    NotEmpty,
)
from elasticlake.metadata import buckets, events
from elasticlake.metadata.database import Reader, Touching, Transaction
from elasticlake.metadata.postgres.migrations import migrate_postgres
from elasticlake.model.events import Event
from elasticlake.model.objects import Attributes, Bucket
from elasticlake.service import multipart, versions
from elasticlake.service.multipart import Completion, NamedPart

LARGE = bytes(64 * 1024 + 1)
ETAG_OF_X = "9dd4e461268c8034f5c8564e155c67a6"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def gateways(postgres: Postgres, postgres_url: str, folder: Path) -> Iterator[list[Gateway]]:
    """Three gateways; in the end the data is sound, and no two of them ever stood in each other's way for good."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        migrate_postgres(connection)
    logged = postgres.log.stat().st_size
    opened = [Gateway(postgres_url, folder, f"gateway-{number}") for number in range(3)]
    yield opened
    for gateway in opened:
        gateway.close()
    assert findings(postgres_url, folder) == []
    assert b"deadlock detected" not in postgres.log.read_bytes()[logged:]


@pytest.fixture
def bucket(gateways: list[Gateway]) -> Bucket:
    return gateways[0].run(lambda: gateways[0].buckets.create(request(), "my-bucket"))


def log_of(gateway: Gateway, bucket: Bucket) -> list[Event]:
    return gateway.run(lambda: gateway.database.read(lambda reader: events.after(reader, bucket.id, 0, 100_000)))


def bucket_now(gateway: Gateway, name: str) -> Bucket:
    return gateway.run(lambda: gateway.database.read(lambda reader: buckets.get(reader, name)))


def put_and(then: Callable[[Transaction], None], bucket: Bucket, key: bytes) -> Callable[[Transaction], int]:
    """Put an object, then do something before the commit."""

    def mutation(tx: Transaction) -> int:
        change = versions.Change(buckets.get(tx, bucket.name.name), key, "PutObject", request(), 0, 0)
        new = versions.NewContent(1, ETAG_OF_X, inline=b"x")
        sequence = versions.put(tx, change, new, Attributes(), "private", None).sequence
        then(tx)
        return sequence

    return mutation


class Gate:
    """Holds a mutation up until it is opened; what the mutation did so far is with the database, uncommitted."""

    def __init__(self) -> None:
        self.reached, self._open = threading.Event(), threading.Event()

    def __call__(self, tx: Transaction) -> None:
        tx.rows("SELECT 1")
        self.reached.set()
        assert self._open.wait(PATIENCE_SECONDS)

    def open(self) -> None:
        self._open.set()


class Follower:
    """Reads a log on and on, as a dispatcher does, and never goes back."""

    def __init__(self, gateway: Gateway, bucket: Bucket) -> None:
        self.seen: list[int] = []
        self.reads = 0
        self._stop = False
        self._bucket = bucket
        self._gateway = gateway
        self._following = gateway.start(self._follow)

    async def _follow(self) -> None:
        while not self._stop:
            found = await self._gateway.database.read(self._next, loose=bool(self.reads % 2))
            self.seen += [event.sequence for event in found]
            self.reads += 1
            await asyncio.sleep(0)

    def _next(self, reader: Reader) -> list[Event]:
        return events.after(reader, self._bucket.id, self.seen[-1] if self.seen else 0, 1000)

    def wait_for_reads(self, count: int) -> None:
        wanted = self.reads + count
        while self.reads < wanted:
            assert not self._following.done()
            time.sleep(0.002)

    def end(self) -> list[int]:
        self.wait_for_reads(2)
        self._stop = True
        self._following.result(PATIENCE_SECONDS)
        return self.seen


# The log.


def test_whoever_took_a_sequence_first_commits_first_however_late(gateways: list[Gateway], bucket: Bucket) -> None:
    first, second, third = gateways
    gate, follower = Gate(), Follower(third, bucket)
    touching = Touching(bucket.name.name)
    late = first.start(
        lambda: first.database.write(put_and(gate, bucket, b"a"), touching=Touching("my-bucket", (b"a",)))
    )
    assert gate.reached.wait(PATIENCE_SECONDS)
    eager = second.start(lambda: second.database.write(put_and(lambda tx: None, bucket, b"b"), touching=touching))
    follower.wait_for_reads(50)
    assert not eager.done()
    assert follower.seen == []
    gate.open()
    assert (late.result(PATIENCE_SECONDS), eager.result(PATIENCE_SECONDS)) == (1, 2)
    assert follower.end() == [1, 2]


def test_a_reader_never_passes_over_what_commits_later(gateways: list[Gateway], bucket: Bucket) -> None:
    """Transactions of all lengths, some of which fail at the end."""
    chance = random.Random(7)
    follower = Follower(gateways[2], bucket)

    def dawdle_and_maybe_fail(tx: Transaction, seconds: float, fails: bool) -> None:
        tx.rows("SELECT pg_sleep(?)", (seconds,))
        if fails:
            raise NotEmpty

    async def write(gateway: Gateway, key: bytes, seconds: float, fails: bool) -> int:
        then = partial(dawdle_and_maybe_fail, seconds=seconds, fails=fails)
        return await gateway.database.write(put_and(then, bucket, key), touching=Touching("my-bucket", (key,)))

    writing: list[Future[int]] = []
    for number in range(120):
        gateway = gateways[number % 2]
        seconds, fails = chance.choice((0, 0, 0.001, 0.01)), chance.random() < 0.3
        writing.append(gateway.start(partial(write, gateway, b"%d" % (number % 10), seconds, fails)))
        time.sleep(chance.choice((0, 0, 0.002)))
    done = outcomes(writing)
    taken = sorted(outcome for outcome in done if isinstance(outcome, int))
    assert taken == list(range(1, len(taken) + 1))
    assert 0 < len(taken) < 120
    assert follower.end() == taken


def test_a_key_is_created_once_however_many_put_it_at_once(gateways: list[Gateway], bucket: Bucket) -> None:
    rounds = 40
    for number in range(rounds):
        puts = [gateway.start(partial(gateway.put, "my-bucket", b"key", b"%d" % number)) for gateway in gateways]
        assert len(set(outcomes(puts))) == 3
        deleter = gateways[number % 3]
        deleter.run(partial(deleter.objects.delete, request(), "my-bucket", b"key"))
    log = log_of(gateways[0], bucket)
    assert [event.sequence for event in log] == list(range(1, 4 * rounds + 1))
    types = [event.type.removeprefix("object:") for event in log]
    assert types == ["created", "updated", "updated", "deleted"] * rounds
    for before, after in itertools.pairwise(log):
        assert after.type == "object:created" or after.previous is None or after.previous.etag == before.etag


@pytest.mark.parametrize("seed", range(3))
def test_batches_that_touch_the_same_buckets_in_any_order(gateways: list[Gateway], seed: int) -> None:
    chance = random.Random(seed)
    names = [f"bucket-{number}" for number in range(12)]
    made = [gateways[0].run(partial(gateways[0].buckets.create, request(), name)) for name in names]

    async def burst(gateway: Gateway, order: list[str]) -> None:
        await asyncio.gather(*(gateway.put(name, b"%d" % number) for number, name in enumerate(order)))

    bursts: list[Future[None]] = []
    expected = dict.fromkeys(names, 0)
    for _ in range(8):
        for gateway in gateways:
            order = chance.choices(names, k=24)
            for name in order:
                expected[name] += 1
            bursts.append(gateway.start(partial(burst, gateway, order)))
    assert outcomes(bursts) == [None] * 24
    for place in made:
        log = log_of(gateways[1], place)
        assert [event.sequence for event in log] == list(range(1, expected[place.name.name] + 1))
        now = bucket_now(gateways[2], place.name.name)
        assert (now.sequence, now.objects) == (len(log), len({event.key for event in log}))


# Mutations that exclude each other.


def test_of_two_who_create_a_bucket_one_has_it_already(gateways: list[Gateway]) -> None:
    for number in range(20):
        name = f"lake{number}--pond--bucket"
        creating = [gateway.start(partial(gateway.buckets.create, request(), name)) for gateway in gateways]
        done = outcomes(creating)
        assert sorted(type(outcome).__name__ for outcome in done) == [
            Bucket.__name__,
            BucketAlreadyOwnedByYou.__name__,
            BucketAlreadyOwnedByYou.__name__,
        ], done
    first = gateways[0]
    rows = first.run(
        lambda: first.database.read(lambda reader: reader.rows("SELECT count(*), count(DISTINCT name) FROM buckets"))
    )
    assert rows == [(20, 20)]


def test_an_account_is_not_deleted_while_it_gets_a_bucket(gateways: list[Gateway]) -> None:
    first, second, third = gateways
    survivors = 0
    for number in range(20):
        account_id = f"account-{number}"
        third.run(partial(third.accounts.create, ROOT, account_id, "Name", "name@example.com"))
        creating = first.start(partial(first.buckets.create, request(account_id), f"bucket-{number}"))
        deleting = second.start(partial(second.accounts.delete, ROOT, account_id))
        made, deleted = outcomes([creating, deleting])
        assert (isinstance(made, Bucket), isinstance(deleted, NotEmpty)) in ((True, True), (False, False)), (
            made,
            deleted,
        )
        assert isinstance(made, Bucket | NoSuchAccount)
        survivors += isinstance(made, Bucket)
    assert 0 <= survivors <= 20


# Waiting for what changes meanwhile.


def test_a_bucket_that_is_made_anew_while_puts_wait_for_it(gateways: list[Gateway], bucket: Bucket) -> None:
    first, second, third = gateways
    first.run(lambda: first.put("my-bucket", b"old"))
    first.run(lambda: first.objects.delete(request(), "my-bucket", b"old"))
    gate = Gate()

    def make_anew(tx: Transaction) -> Bucket:
        old = buckets.get(tx, "my-bucket")
        buckets.mark_deleted(tx, old, 5)
        place = tx.row("SELECT lake_id, pond_id FROM buckets WHERE id = ?", (old.id,))
        assert place is not None
        made = buckets.insert(tx, "my-bucket", *place, "root", "private", 6)
        gate(tx)
        return made

    making = first.start(lambda: first.database.write(make_anew))
    assert gate.reached.wait(PATIENCE_SECONDS)
    meant_for_the_old = second.start(lambda: second.objects.put(request(), bucket, b"key", WholeBody(), Attributes()))
    meant_for_the_name = third.start(
        lambda: third.database.write(
            put_and(lambda tx: None, bucket, b"key"), touching=Touching("my-bucket", (b"key",))
        )
    )
    time.sleep(0.1)
    assert not meant_for_the_old.done()
    assert not meant_for_the_name.done()
    gate.open()
    made = making.result(PATIENCE_SECONDS)
    refused, sequence = outcomes([meant_for_the_old, meant_for_the_name])
    assert isinstance(refused, NoSuchBucket)
    assert sequence == 3
    assert [event.type for event in log_of(second, made)] == ["object:created"]
    assert [event.sequence for event in log_of(second, bucket)] == [1, 2]
    assert bucket_now(second, "my-bucket").objects == 1


@pytest.mark.parametrize("ending", ["complete", "abort", "delete the bucket"])
def test_a_part_that_comes_while_its_upload_ends(
    gateways: list[Gateway], folder: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """It is in time or it is refused; either way no blob is lost, and none is left."""
    monkeypatch.setattr(multipart, "MIN_PART_BYTES", 0)
    first, second, third = gateways
    seen: set[str] = set()
    for number in range(15):
        name, key = f"bucket-{number}", b"key"
        first.run(partial(first.buckets.create, request(), name))
        upload = first.run(partial(first.multipart.create, request(), name, key, Attributes()))
        part, _ = first.run(partial(first.multipart.put_part, upload, 1, WholeBody(LARGE)))
        completion = Completion([NamedPart(1, part.etag)])
        end = {
            "complete": partial(first.multipart.complete, request(), name, key, upload.id, completion),
            "abort": partial(first.multipart.abort, request(), name, key, upload.id),
            "delete the bucket": partial(first.buckets.delete, request(), name),
        }[ending]
        coming = [
            second.start(partial(second.multipart.put_part, upload, 1, WholeBody(LARGE + b"y"))),
            third.start(partial(third.multipart.put_part, upload, 2, WholeBody(LARGE + b"z"))),
        ]
        time.sleep(0.002 * (number % 5))
        ended = outcomes([first.start(end)])[0]
        for outcome in outcomes(coming):
            assert isinstance(outcome, tuple | NoSuchUpload | NoSuchBucket), outcome
            seen.add(type(outcome).__name__)
        if isinstance(ended, ElasticLakeError):
            # The part that was named was replaced in time: the upload goes on with what there is.
            assert ending == "complete"
            first.run(partial(first.multipart.abort, request(), name, key, upload.id))
    assert seen


def test_payloads_carry_the_lakes_name_as_at_their_commit(gateways: list[Gateway]) -> None:
    first, second, third = gateways
    name = "lake1--pond1--bucket"
    place = first.run(partial(first.buckets.create, request(), name))
    stop = False

    async def put_on(gateway: Gateway) -> None:
        for number in itertools.count():
            if stop:
                return
            await gateway.put(name, b"%d" % (number % 20))

    putting = [gateway.start(partial(put_on, gateway)) for gateway in (first, second)]
    heads = []
    for number in range(12):
        third.run(partial(third.hierarchy.rename_lake, ROOT, "lake1", f"Lake {number:02d}"))
        heads.append(bucket_now(third, name).sequence)
        time.sleep(0.02)
    stop = True
    assert outcomes(putting) == [None, None]
    log = log_of(third, place)
    names = [event.lake for event in log]
    assert names == sorted(names, key=lambda shown: shown if shown.startswith("Lake ") else "")
    for number, head in enumerate(heads):
        assert all(event.lake >= f"Lake {number:02d}" for event in log if event.sequence > head)
    assert len(set(names)) > 3
