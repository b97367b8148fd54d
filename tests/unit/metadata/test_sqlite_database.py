"""What the embedded engine makes of the faults of its file; what it promises is in the conformance suite."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import apsw
import pytest
import pytest_asyncio

from elasticlake.errors import InsufficientStorage, Unavailable
from elasticlake.metadata.database import Reader, Transaction
from elasticlake.metadata.migrations import migrate_sqlite
from elasticlake.metadata.sqlite import connect
from elasticlake.metadata.sqlite_database import MAX_GROUP, SqliteDatabase


class Fault:
    """What the next write to the file, or read of it, runs into."""

    error: apsw.Error | None = None
    reading: apsw.Error | None = None


class FaultyFile(apsw.VFSFile):
    def __init__(self, fault: Fault, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._fault = fault
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._fault.error is not None:
            raise self._fault.error
        super().xWrite(data, offset)

    def xRead(self, amount: int, offset: int) -> bytes:
        if self._fault.reading is not None:
            raise self._fault.reading
        return super().xRead(amount, offset)


class FaultyVfs(apsw.VFS):
    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        super().__init__("faulty", "unix")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return FaultyFile(self._fault, name, flags)


@pytest.fixture
def fault() -> Fault:
    return Fault()


@pytest_asyncio.fixture
async def database(tmp_path: Path, fault: Fault) -> AsyncIterator[SqliteDatabase]:
    connection = connect(tmp_path / "metadata.db", durable=False)
    migrate_sqlite(connection, "core")
    connection.close()
    vfs = FaultyVfs(fault)
    opened = SqliteDatabase(tmp_path / "metadata.db", vfs="faulty")
    yield opened
    await opened.close()
    vfs.unregister()


def put(tx: Transaction, name: str) -> str:
    tx.run("INSERT INTO facts (name, value) VALUES (?, '')", (name,))
    return name


def names(reader: Reader) -> list[str]:
    return [row[0] for row in reader.rows("SELECT name FROM facts ORDER BY name")]


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize(
    ("error", "expected"), [(apsw.FullError("full"), InsufficientStorage), (apsw.IOError("broken"), Unavailable)]
)
async def test_a_file_that_cannot_be_written_fails_the_whole_group_which_may_be_tried_again(
    database: SqliteDatabase, fault: Fault, error: apsw.Error, expected: type[Exception], long: bool
) -> None:
    fault.error = error
    work = [database.write(lambda tx, name=name: put(tx, name), long=long) for name in ("a", "b")]  # type: ignore[misc]
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [expected] * 2
    assert await database.read(names) == []
    fault.error = None
    assert await database.write(lambda tx: put(tx, "a")) == "a"
    assert await database.read(names) == ["a"]


async def test_a_file_that_cannot_be_read_is_reported_in_our_own_words(database: SqliteDatabase, fault: Fault) -> None:
    mishaps: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, mishap: mishaps.append(mishap))
    fault.reading = apsw.IOError("broken")
    with pytest.raises(Unavailable):
        await database.read(names)
    fault.reading = None
    await asyncio.sleep(0)
    assert mishaps == []
    assert await database.write(lambda tx: put(tx, "a")) == "a"
    assert await database.read(names) == ["a"]


async def test_a_query_that_is_wrong_is_reported_as_it_is(database: SqliteDatabase) -> None:
    with pytest.raises(apsw.SQLError):
        await database.read(lambda reader: reader.rows("SELECT nothing FROM nowhere"))


async def test_more_than_a_group_holds_is_several_groups(database: SqliteDatabase) -> None:
    count = 2 * MAX_GROUP + 1
    work = [database.write(lambda tx, name=f"{number:04d}": put(tx, name)) for number in range(count)]  # type: ignore[misc]
    assert await asyncio.gather(*work) == [f"{number:04d}" for number in range(count)]
    assert len(await database.read(names)) == count


async def test_long_mutations_and_groups_of_others_take_turns(database: SqliteDatabase) -> None:
    order: list[str] = []

    def noted(name: str) -> Callable[[Transaction], None]:
        def mutation(tx: Transaction) -> None:
            put(tx, name)
            order.append(name)

        return mutation

    long = [database.write(noted(name), long=True) for name in ("long 1", "long 2", "long 3")]
    others = [database.write(noted(f"{number:04d}")) for number in range(MAX_GROUP + 1)]
    await asyncio.gather(*long, *others)
    group = [f"{number:04d}" for number in range(MAX_GROUP)]
    assert order == ["long 1", *group, "long 2", f"{MAX_GROUP:04d}", "long 3"]


async def test_reads_of_one_turn_of_the_event_loop_share_a_snapshot(database: SqliteDatabase, tmp_path: Path) -> None:
    other = connect(tmp_path / "metadata.db", durable=False)
    assert await database.read(names) == []
    other.execute("INSERT INTO facts (name, value) VALUES ('other', '')")
    assert await database.read(names) == []
    await asyncio.sleep(0)
    assert await database.read(names) == ["other"]
    other.close()
