"""What every `Database` promises: group commit, failures that undo themselves alone, fresh reads, an orderly end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from tests.conformance.metadata.conftest import Open, create_bucket

from elasticlake.errors import NoSuchBucket, NoSuchKey, Unavailable
from elasticlake.metadata import blob_records, buckets, events, facts, objects
from elasticlake.metadata.database import Committed, Database, Reader, Touching, Transaction, Value
from elasticlake.model.events import Event
from elasticlake.model.objects import BlobPart


def put_fact(name: str, value: str = "value") -> Callable[[Transaction], None]:
    return lambda tx: tx.run("INSERT INTO facts (name, value) VALUES (?, ?)", (name, value))


def fact_names(reader: Reader) -> list[str]:
    return [row[0] for row in reader.rows("SELECT name FROM facts ORDER BY name")]


def log_event(name: str, key: bytes = b"key") -> Callable[[Transaction], int]:
    """Take the bucket's next sequence and write its event."""

    def mutation(tx: Transaction) -> int:
        bucket = buckets.advance(tx, buckets.get(tx, name))
        number = bucket.sequence
        described = Event(
            f"evt_{number}",
            bucket.id,
            name,
            number,
            "object:created",
            0,
            key,
            1,
            "etag",
            "text/plain",
            "l",
            "p",
            "PutObject",
        )
        events.append(tx, described)
        return number

    return mutation


def sequences(reader: Reader) -> list[int]:
    return [row[0] for row in reader.rows("SELECT sequence FROM events ORDER BY bucket_id, sequence")]


def in_another_process(work: Callable[[Database], object], open_database: Open) -> None:
    """Run `work` (a coroutine function) with a database and an event loop of its own, and wait for it."""

    async def run() -> None:
        database = open_database()
        try:
            await work(database)  # type: ignore[misc]
        finally:
            await database.close()

    failures: list[BaseException] = []

    def thread() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            failures.append(error)

    worker = threading.Thread(target=thread)
    worker.start()
    worker.join()
    assert failures == []


# Values.


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("body", b"\x00\xff\x00"),
        ("body", b""),
        ("number", 2**63 - 1),
        ("number", -(2**63)),
        ("text", "ünï — 漢字 🙂"),
        ("text", None),
        ("real", 0.1),
    ],
)
async def test_values_come_back_as_they_went_in(database: Database, column: str, value: Value) -> None:
    """Keys and bodies are bytes, NUL included; counters are 64 bits wide."""

    def mutation(tx: Transaction) -> object:
        match column:
            case "body":
                tx.run("INSERT INTO inline_bodies (body) VALUES (?)", (value,))
                return tx.rows("SELECT body FROM inline_bodies")[0][0]
            case "number":
                tx.run("INSERT INTO blob_intents (blob_id, owner, created_at_ms) VALUES (?, ?, ?)", ("b", "o", value))
                return tx.rows("SELECT created_at_ms FROM blob_intents")[0][0]
            case "text":
                tx.run("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?)", ("id", b"hash", "name", value, "read", 1))
                return tx.rows("SELECT accounts FROM tokens")[0][0]
        return tx.rows("SELECT CAST(? AS DOUBLE PRECISION)", (value,))[0][0]

    assert await database.write(mutation) == value


async def test_keys_sort_by_their_bytes(database: Database) -> None:
    keys = [b"", b"\x00", b"A", b"B", b"a", b"a\x00", b"a\xff", "é".encode(), "漢".encode(), b"\xff"]
    sql = (
        "INSERT INTO uploads (id, bucket_id, key, account_id, initiated_at_ms, content_type, acl)"
        " VALUES (?, 1, ?, '', 0, '', '')"
    )

    def mutation(tx: Transaction) -> None:
        for number, key in enumerate(reversed(keys)):
            tx.run(sql, (str(number), key))

    await database.write(mutation)
    assert (
        await database.read(lambda reader: [row[0] for row in reader.rows("SELECT key FROM uploads ORDER BY key")])
        == keys
    )


# Reads.


async def test_a_query_gives_rows_one_row_or_none(database: Database) -> None:
    await asyncio.gather(database.write(put_fact("a", "1")), database.write(put_fact("b", "2")))
    assert await database.read(lambda reader: reader.rows("SELECT name, value FROM facts ORDER BY name")) == [
        ("a", "1"),
        ("b", "2"),
    ]
    assert await database.read(lambda reader: reader.row("SELECT name FROM facts ORDER BY name DESC")) == ("b",)
    assert await database.read(lambda reader: reader.row("SELECT name FROM facts WHERE name = ?", ("c",))) is None


async def test_whoever_was_told_of_a_write_reads_it(database: Database) -> None:
    for number in range(50):
        await database.read(fact_names)
        await database.write(put_fact(f"{number:02d}"))
        assert await database.read(lambda reader: facts.get(reader, f"{number:02d}")) == "value"  # noqa: B023


async def test_whoever_was_told_of_a_write_reads_it_however_many_read_beside(database: Database) -> None:
    stop = False

    async def read_on() -> None:
        while not stop:
            await database.read(fact_names)
            await asyncio.sleep(0)

    readers = [asyncio.create_task(read_on()) for _ in range(5)]
    for number in range(50):
        await database.write(put_fact(f"{number:02d}"))
        assert f"{number:02d}" in await database.read(fact_names)
    stop = True
    await asyncio.gather(*readers)


async def test_what_another_process_wrote_is_read(database: Database, open_database: Open) -> None:
    other = open_database()
    for number in range(20):
        await other.write(put_fact(f"{number:02d}"))
        await asyncio.sleep(0)
        assert len(await database.read(fact_names)) == number + 1


async def test_a_query_sees_one_moment(database: Database, open_database: Open) -> None:
    await database.write(put_fact("before"))

    def query(reader: Reader) -> tuple[list[str], list[str]]:
        first = fact_names(reader)
        in_another_process(lambda other: other.write(put_fact("meanwhile")), open_database)
        return first, fact_names(reader)

    assert await database.read(query) == (["before"], ["before"])
    await asyncio.sleep(0)
    assert await database.read(fact_names) == ["before", "meanwhile"]


async def test_what_one_view_remembers_is_gone_with_it(database: Database) -> None:
    """A bucket's row is kept in the view's memo: a later view reads its sequence anew."""
    await database.write(create_bucket)
    for number in range(5):
        assert (await database.read(lambda reader: buckets.get(reader, "my-bucket"))).sequence == number
        await database.write(log_event("my-bucket"))


async def test_a_failing_query_leaves_the_next_alone(database: Database) -> None:
    with pytest.raises(NoSuchBucket):
        await database.read(lambda reader: buckets.get(reader, "missing"))
    assert await database.read(fact_names) == []


# Writes.


async def test_a_write_returns_what_its_mutation_returns(database: Database) -> None:
    sql = "INSERT INTO facts (name, value) VALUES (?, ?) RETURNING name, value"
    assert await database.write(lambda tx: tx.changing(sql, ("a", "1"))) == [("a", "1")]
    assert await database.write(lambda tx: tx.changing("DELETE FROM facts RETURNING name")) == [("a",)]
    assert await database.write(lambda tx: tx.changing("DELETE FROM facts RETURNING name")) == []


async def test_a_mutation_sees_what_those_before_it_did(database: Database) -> None:
    outcomes = await asyncio.gather(*(database.write(lambda tx: _add_and_count(tx)) for _ in range(30)))
    assert outcomes == list(range(1, 31))


def _add_and_count(tx: Transaction) -> int:
    count = len(tx.rows("SELECT name FROM facts"))
    tx.run("INSERT INTO facts (name, value) VALUES (?, '')", (str(count),))
    return count + 1


async def test_writes_that_wait_commit_together(database: Database) -> None:
    await database.write(create_bucket)
    groups: list[Committed] = []
    database.on_commit(groups.append)
    outcomes = await asyncio.gather(*(database.write(log_event("my-bucket")) for _ in range(100)))
    assert outcomes == list(range(1, 101))
    assert len(groups) <= 5


@pytest.mark.parametrize("long", [False, True])
async def test_a_mutation_that_fails_half_way_undoes_itself_alone_its_sequence_included(
    database: Database, long: bool
) -> None:
    """I3: the sequence that it had taken goes to the next one."""
    await database.write(create_bucket)

    def fail(tx: Transaction) -> None:
        log_event("my-bucket")(tx)
        put_fact("half-way")(tx)
        raise NoSuchKey

    work = [fail if number % 3 == 1 else log_event("my-bucket") for number in range(12)]
    outcomes = await asyncio.gather(*(database.write(mutation, long=long) for mutation in work), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [NoSuchKey if number % 3 == 1 else int for number in range(12)]
    assert [outcome for outcome in outcomes if isinstance(outcome, int)] == list(range(1, 9))
    assert await database.read(sequences) == list(range(1, 9))
    assert await database.read(fact_names) == []
    assert (await database.read(lambda reader: buckets.get(reader, "my-bucket"))).sequence == 8


async def test_a_mutation_that_fails_before_it_changes_a_row_hands_nothing_on(database: Database) -> None:
    """It may have taken a sequence in the memo already."""
    await database.write(create_bucket)
    heard: list[Committed] = []
    database.on_commit(heard.append)

    def fail(tx: Transaction) -> None:
        buckets.advance(tx, buckets.get(tx, "my-bucket"), objects=1, size_bytes=7)
        raise NoSuchKey

    outcomes = await asyncio.gather(
        database.write(put_fact("before")),
        database.write(fail),
        database.write(put_fact("after")),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), NoSuchKey, type(None)]
    bucket = await database.read(lambda reader: buckets.get(reader, "my-bucket"))
    assert (bucket.sequence, bucket.objects, bucket.size_bytes) == (0, 0, 0)
    assert heard == []


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("how", ["read", "changing", "read twice", "hold", "new id"])
async def test_what_a_failing_mutation_had_sent_already_is_undone_as_well(
    database: Database, how: str, long: bool
) -> None:
    """Its changes were with the engine, seen by itself; the others of its group keep theirs, before and after it."""
    await database.write(create_bucket)

    def fail(tx: Transaction) -> None:
        log_event("my-bucket")(tx)
        put_fact("half-way")(tx)
        if how.startswith("read"):
            assert "half-way" in fact_names(tx)
        if how == "changing":
            tx.changing("UPDATE facts SET value = 'changed' RETURNING name")
        if how == "hold":
            tx.hold("SELECT name FROM facts")
        if how == "new id":
            objects.insert_inline(tx, b"body")
        put_fact("more")(tx)
        if how == "read twice":
            assert "more" in fact_names(tx)
        raise NoSuchKey

    def keep(number: int) -> Callable[[Transaction], int]:
        def mutation(tx: Transaction) -> int:
            put_fact(f"kept {number}")(tx)
            return log_event("my-bucket")(tx)

        return mutation

    work = [fail if number % 3 == 1 else keep(number) for number in range(9)]
    outcomes = await asyncio.gather(*(database.write(mutation, long=long) for mutation in work), return_exceptions=True)
    assert [outcome for outcome in outcomes if isinstance(outcome, int)] == list(range(1, 7))
    assert sum(isinstance(outcome, NoSuchKey) for outcome in outcomes) == 3
    assert await database.read(sequences) == list(range(1, 7))
    assert await database.read(fact_names) == [f"kept {number}" for number in range(9) if number % 3 != 1]
    assert await database.read(lambda reader: reader.rows("SELECT DISTINCT value FROM facts")) == [("value",)]
    assert await database.read(lambda reader: reader.rows("SELECT id FROM inline_bodies")) == []
    bucket = await database.read(lambda reader: buckets.get(reader, "my-bucket"))
    assert bucket.sequence == 6


async def test_a_statement_that_breaks_a_constraint_fails_its_own_mutation_alone(database: Database) -> None:
    await database.write(put_fact("taken"))
    outcomes = await asyncio.gather(
        *(database.write(put_fact(name)) for name in ("a", "taken", "b")), return_exceptions=True
    )
    assert [isinstance(outcome, Exception) for outcome in outcomes] == [False, True, False]
    assert await database.read(fact_names) == ["a", "b", "taken"]


async def test_the_memo_goes_from_one_mutation_of_a_group_to_the_next_and_ends_with_the_group(
    database: Database,
) -> None:
    def remember(tx: Transaction) -> object:
        tx.memo["seen"] = tx.memo.get("seen", 0) + 1
        return tx.memo["seen"]

    def fail(tx: Transaction) -> None:
        tx.memo["seen"] = 1000
        tx.run("DELETE FROM facts")
        raise NoSuchKey

    outcomes = await asyncio.gather(
        *(database.write(mutation) for mutation in (remember, remember, fail, remember)), return_exceptions=True
    )
    assert outcomes[:2] == [1, 2]
    assert outcomes[3] == 3
    assert await database.write(remember) == 1


async def test_what_is_left_for_the_end_of_the_group_runs_once_and_last(database: Database) -> None:
    def mutation(tx: Transaction) -> None:
        put_fact(str(len(tx.rows("SELECT name FROM facts"))))(tx)
        tx.before_commit("count", count)

    def count(tx: Transaction) -> None:
        tx.run("INSERT INTO inline_bodies (body) VALUES (?)", (str(len(fact_names(tx))).encode(),))

    await asyncio.gather(*(database.write(mutation) for _ in range(3)))
    assert await database.read(lambda reader: reader.rows("SELECT body FROM inline_bodies")) == [(b"3",)]


@pytest.mark.parametrize("long", [False, True])
async def test_a_fault_at_the_end_of_the_group_fails_the_group_and_nothing_after_it(
    database: Database, long: bool
) -> None:
    def fault(tx: Transaction) -> None:
        raise ZeroDivisionError

    def mutation(tx: Transaction) -> None:
        put_fact(str(len(fact_names(tx))))(tx)
        tx.before_commit("fault", fault)

    outcomes = await asyncio.gather(*(database.write(mutation, long=long) for _ in range(2)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError] * 2
    await database.write(put_fact("after"))
    assert await database.read(fact_names) == ["after"]


async def test_a_waiter_that_goes_away_takes_nobody_along(database: Database) -> None:
    first, second = (asyncio.create_task(database.write(put_fact(name))) for name in ("first", "second"))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert "second" in await database.read(fact_names)
    await database.write(put_fact("third"))


async def test_a_long_mutation_does_not_stop_the_event_loop(database: Database) -> None:
    def mutation(tx: Transaction) -> None:
        put_fact("long")(tx)
        time.sleep(0.3)

    writing = asyncio.create_task(database.write(mutation, long=True))
    longest = 0.0
    while not writing.done():
        before = time.monotonic()
        await asyncio.sleep(0.005)
        longest = max(longest, time.monotonic() - before)
    assert longest < 0.2
    assert await database.read(fact_names) == ["long"]


async def test_reads_go_on_beside_a_long_mutation(database: Database) -> None:
    begun, end = threading.Event(), threading.Event()

    def mutation(tx: Transaction) -> None:
        put_fact("long")(tx)
        begun.set()
        assert end.wait(10)

    writing = asyncio.create_task(database.write(mutation, long=True))
    await asyncio.to_thread(begun.wait, 10)
    assert await database.read(fact_names) == []
    end.set()
    await writing
    assert await database.read(fact_names) == ["long"]


# Several processes.


async def test_two_processes_share_a_log_without_a_gap(database: Database, open_database: Open) -> None:
    await database.write(create_bucket)
    both = (database, open_database())
    outcomes: list[int] = []
    for _ in range(5):
        outcomes += await asyncio.gather(*(each.write(log_event("my-bucket")) for _ in range(10) for each in both))
    assert sorted(outcomes) == list(range(1, 101))
    assert await database.read(sequences) == list(range(1, 101))


async def test_a_write_waits_for_another_process_without_stopping_the_event_loop(
    database: Database, open_database: Open
) -> None:
    begun, end = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        put_fact("first")(tx)
        begun.set()
        assert end.wait(10)

    first = asyncio.create_task(open_database().write(hold, long=True))
    await asyncio.to_thread(begun.wait, 10)
    second = asyncio.create_task(database.write(lambda tx: [put_fact("second")(tx), fact_names(tx)][1]))
    for _ in range(10):
        await asyncio.sleep(0.01)
    assert not second.done()
    end.set()
    await first
    assert await second == ["first", "second"]


# Listeners.


async def test_listeners_hear_the_last_sequence_of_each_bucket_on_the_event_loop(database: Database) -> None:
    ids = [
        (await database.write(lambda tx, name=name: create_bucket(tx, name))).id  # type: ignore[misc]
        for name in ("one-bucket", "two-bucket")
    ]
    heard: list[Committed] = []
    threads: set[int] = set()

    def listen(committed: Committed) -> None:
        threads.add(threading.get_ident())
        heard.append(dict(committed))

    database.on_commit(listen)
    await asyncio.gather(*(database.write(log_event(name)) for name in ("one-bucket", "two-bucket", "one-bucket")))
    await asyncio.sleep(0)
    last: Committed = {}
    for committed in heard:
        last.update(committed)
    assert last == {ids[0]: 2, ids[1]: 1}
    assert threads == {threading.get_ident()}


async def test_listeners_hear_of_nothing_that_changed_no_log(database: Database) -> None:
    await database.write(create_bucket)
    heard: list[Committed] = []
    database.on_commit(heard.append)

    def fail(tx: Transaction) -> None:
        log_event("my-bucket")(tx)
        raise NoSuchKey

    await database.write(put_fact("a"))
    with pytest.raises(NoSuchKey):
        await database.write(fail)
    await asyncio.sleep(0)
    assert heard == []


async def test_a_listener_reads_what_it_was_told_of(database: Database) -> None:
    await database.write(create_bucket)
    reading: list[asyncio.Task[list[int]]] = []
    told: list[int] = []

    async def read_log() -> list[int]:
        return await database.read(sequences)

    def listen(committed: Committed) -> None:
        told.append(max(committed.values()))
        reading.append(asyncio.ensure_future(read_log()))

    database.on_commit(listen)
    for _ in range(10):
        await database.write(log_event("my-bucket"))
    await asyncio.sleep(0)
    for sequence, task in zip(told, reading, strict=True):
        assert sequence in await task


# The end.


async def test_closing_commits_what_waits(open_database: Open) -> None:
    database = open_database()
    writing = [asyncio.create_task(database.write(put_fact(f"{number:03d}"))) for number in range(300)]
    writing.append(asyncio.create_task(database.write(put_fact("long"), long=True)))
    await asyncio.sleep(0)
    await database.close()
    assert all(task.done() for task in writing)
    await asyncio.gather(*writing)
    assert len(await open_database().read(fact_names)) == 301


@pytest.mark.parametrize(
    "give_up",
    [
        lambda tx: blob_records.abandon_intent(tx, "blob", 5),
        lambda tx: blob_records.abandon_intents(tx, 100, 5),
        lambda tx: blob_records.abandon_of_owner(tx, "me", 100, 5),
    ],
)
async def test_a_blob_that_was_given_up_in_the_same_group_gets_no_row(
    database: Database, give_up: Callable[[Transaction], object]
) -> None:
    """The intent is fetched when the group begins, and gone when the upload comes to it."""

    def upload(tx: Transaction) -> None:
        blob_records.consume_intent(tx, "blob")
        objects.insert_manifest(tx, "manifest", (BlobPart(1, "blob", 5),))

    await database.write(lambda tx: blob_records.insert_intent(tx, "blob", "me", 1))
    _, outcome = await asyncio.gather(
        database.write(give_up, touching=Touching()),
        database.write(upload, touching=Touching(intents=("blob",))),
        return_exceptions=True,
    )
    assert isinstance(outcome, Unavailable)
    assert await database.read(lambda reader: blob_records.due_deletions(reader, 5, 10)) == ["blob"]
    assert await database.read(lambda reader: reader.rows("SELECT blob_id FROM manifests")) == []
