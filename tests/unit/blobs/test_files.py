"""Blobs as files: what faults of the disk, and clients that go away half-way, leave behind."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.simulation.trace import Machine, Survival, Trace
from tests.simulation.traced_disk import TracedDisk

from elasticlake.blobs.disk import LocalDisk
from elasticlake.blobs.files import FileBlobs
from elasticlake.errors import InsufficientStorage, Unavailable
from elasticlake.model.ids import new_blob_id


class FaultyDisk(LocalDisk):
    """A disk on which some operation fails, or waits."""

    def __init__(self) -> None:
        super().__init__()
        self.fails: dict[str, int] = {}
        self.waits: dict[str, threading.Event] = {}
        self.arrived = threading.Event()
        self.handles: set[int] = set()
        self.steps: list[str] = []

    def _pass(self, operation: str) -> None:
        self.steps.append(operation)
        if operation in self.waits:
            self.arrived.set()
            assert self.waits[operation].wait(10)
        if operation in self.fails:
            raise OSError(self.fails[operation], os.strerror(self.fails[operation]))

    def make_directory(self, path: Path) -> None:
        self._pass("make_directory")
        super().make_directory(path)

    def create(self, path: Path) -> int:
        self._pass("create")
        handle = super().create(path)
        self.handles.add(handle)
        return handle

    def open(self, path: Path) -> int:
        self._pass("open")
        handle = super().open(path)
        self.handles.add(handle)
        return handle

    def write(self, handle: int, data: bytes | bytearray | memoryview) -> None:
        self._pass("write")
        assert handle in self.handles, "written to after it was closed"
        super().write(handle, data)

    def sync(self, handle: int) -> None:
        self._pass("sync")
        assert handle in self.handles, "synced after it was closed"
        super().sync(handle)

    def rename(self, source: Path, target: Path) -> None:
        self._pass("rename")
        super().rename(source, target)

    def sync_directory(self, path: Path) -> None:
        self._pass("sync_directory")
        super().sync_directory(path)

    def read(self, handle: int, offset: int, size_bytes: int) -> bytes:
        self._pass("read")
        assert handle in self.handles, "read after it was closed"
        return super().read(handle, offset, size_bytes)

    def remove(self, path: Path) -> bool:
        self._pass("remove")
        return super().remove(path)

    def names(self, path: Path) -> list[str]:
        self._pass("names")
        return super().names(path)

    def size(self, path: Path) -> int | None:
        self._pass("size")
        return super().size(path)

    def close(self, handle: int) -> None:
        self.handles.remove(handle)
        super().close(handle)


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk()


@pytest_asyncio.fixture
async def blobs(disk: FaultyDisk, tmp_path: Path) -> AsyncIterator[FileBlobs]:
    store = FileBlobs(tmp_path / "blobs", disk, threads=4)
    disk.steps.clear()
    yield store
    for event in disk.waits.values():
        event.set()
    store.close()
    assert disk.handles == set(), "a file was left open"


async def store(blobs: FileBlobs, data: bytes = b"data", *, blob_id: str | None = None) -> str:
    blob_id = blob_id or new_blob_id()
    writer = await blobs.create(blob_id)
    try:
        await writer.write(data)
        await writer.commit()
    except BaseException:
        await writer.abort()
        raise
    return blob_id


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


async def test_a_commit_syncs_the_file_then_renames_it_then_syncs_its_folder(
    blobs: FileBlobs, disk: FaultyDisk
) -> None:
    await store(blobs, blob_id="ab1")
    disk.steps.clear()
    await store(blobs, blob_id="ab2")
    assert disk.steps == ["create", "write", "sync", "rename", "sync_directory"]


async def test_the_first_blob_of_a_folder_makes_it_and_syncs_its_name_before_it_is_moved_there(
    blobs: FileBlobs, disk: FaultyDisk, tmp_path: Path
) -> None:
    assert [path.name for path in (tmp_path / "blobs").iterdir()] == ["tmp"]
    await store(blobs, blob_id="ab1")
    assert disk.steps == [
        "create", "write", "sync", "make_directory", "sync_directory", "rename", "sync_directory"
    ]  # fmt: skip
    assert (tmp_path / "blobs/ab/ab1").exists()


@pytest.mark.parametrize("operation", ["make_directory", "sync_directory"])
async def test_a_folder_that_could_not_be_made_or_synced_is_made_by_the_next_blob(
    blobs: FileBlobs, disk: FaultyDisk, operation: str
) -> None:
    disk.fails[operation] = errno.ENOSPC
    with pytest.raises(InsufficientStorage):
        await store(blobs, blob_id="ab1")
    disk.fails.clear()
    disk.steps.clear()
    await store(blobs, blob_id="ab1")
    assert disk.steps[3:] == ["make_directory", "sync_directory", "rename", "sync_directory"]


async def test_nobody_moves_a_blob_into_a_folder_that_another_thread_is_about_to_sync(
    blobs: FileBlobs, disk: FaultyDisk
) -> None:
    disk.waits["sync_directory"] = threading.Event()
    storing = []
    for number in range(2):
        storing.append(asyncio.create_task(store(blobs, blob_id=f"ab{number}")))
        assert await asyncio.to_thread(disk.arrived.wait, 10)
        disk.arrived.clear()
    assert "rename" not in disk.steps
    disk.waits["sync_directory"].set()
    await asyncio.gather(*storing)


async def test_a_folder_that_another_process_made_meanwhile_is_not_taken_for_safe(
    blobs: FileBlobs, disk: FaultyDisk, tmp_path: Path
) -> None:
    (tmp_path / "blobs/ab").mkdir()
    await store(blobs, blob_id="ab1")
    assert disk.steps[-3:] == ["sync_directory", "rename", "sync_directory"]


def test_what_is_there_when_it_starts_is_synced_once(disk: FaultyDisk, tmp_path: Path) -> None:
    (tmp_path / "blobs/ab").mkdir(parents=True)
    FileBlobs(tmp_path / "blobs", disk, threads=1).close()
    assert disk.steps == ["make_directory", "names", "sync_directory", "sync_directory"]


WRITING = ("create", "write", "sync", "make_directory", "sync_directory", "rename")


@pytest.mark.parametrize("operation", WRITING)
@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, InsufficientStorage),
        (errno.EDQUOT, InsufficientStorage),
        (errno.EIO, Unavailable),
        (errno.EMFILE, Unavailable),
    ],
)
async def test_a_disk_that_cannot_write_is_reported_in_our_own_words_and_nothing_is_left(
    blobs: FileBlobs, disk: FaultyDisk, tmp_path: Path, operation: str, number: int, expected: type[Exception]
) -> None:
    disk.fails[operation] = number
    with pytest.raises(Unavailable) as caught:
        await store(blobs)
    assert type(caught.value) is expected
    disk.fails.clear()
    assert files_in(tmp_path) == []
    await store(blobs)
    assert len(files_in(tmp_path)) == 1


@pytest.mark.parametrize("operation", ["open", "read"])
async def test_a_disk_that_cannot_read_is_reported_in_our_own_words(
    blobs: FileBlobs, disk: FaultyDisk, operation: str
) -> None:
    blob_id = await store(blobs)
    disk.fails[operation] = errno.EIO
    with pytest.raises(Unavailable):
        await anext(blobs.read(blob_id, 0, 4))


async def test_a_disk_that_cannot_delete_is_reported_in_our_own_words(blobs: FileBlobs, disk: FaultyDisk) -> None:
    blob_id = await store(blobs)
    disk.fails["remove"] = errno.EIO
    with pytest.raises(Unavailable):
        await blobs.delete([blob_id])


async def test_a_disk_that_cannot_be_listed_is_reported_in_our_own_words(blobs: FileBlobs, disk: FaultyDisk) -> None:
    disk.fails |= {"names": errno.EIO, "size": errno.EIO}
    with pytest.raises(Unavailable):
        await anext(blobs.ids())
    with pytest.raises(Unavailable):
        await blobs.size(new_blob_id())


async def test_a_slow_listing_does_not_stop_the_loop(blobs: FileBlobs, disk: FaultyDisk) -> None:
    blob_id = await store(blobs)
    disk.waits["names"] = threading.Event()
    listing = asyncio.create_task(anext(blobs.ids()))  # type: ignore[arg-type]
    assert await asyncio.to_thread(disk.arrived.wait, 10)
    disk.waits["names"].set()
    assert await listing == blob_id


@pytest.mark.parametrize("operation", WRITING)
async def test_a_client_that_goes_away_leaves_no_file_and_no_thread_at_work_on_it(
    blobs: FileBlobs, disk: FaultyDisk, tmp_path: Path, operation: str
) -> None:
    """A thread cannot be stopped: what follows has to wait for it, or it writes to whatever has the handle next."""
    disk.waits[operation] = threading.Event()
    storing = asyncio.create_task(store(blobs))
    await asyncio.to_thread(disk.arrived.wait, 10)
    storing.cancel()
    await asyncio.sleep(0.02)
    assert not storing.done()
    disk.waits[operation].set()
    with pytest.raises(asyncio.CancelledError):
        await storing
    assert files_in(tmp_path) == []
    assert disk.handles == set()


@pytest.mark.parametrize("operation", ["open", "read"])
async def test_a_reader_that_goes_away_closes_its_file_when_the_thread_is_done_with_it(
    blobs: FileBlobs, disk: FaultyDisk, operation: str
) -> None:
    blob_id = await store(blobs)
    disk.waits[operation] = threading.Event()
    reading = asyncio.create_task(anext(blobs.read(blob_id, 0, 4)))
    await asyncio.to_thread(disk.arrived.wait, 10)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    disk.waits[operation].set()
    blobs.close()
    assert disk.handles == set()


async def test_deleting_a_blob_removes_what_its_writer_left_behind(blobs: FileBlobs, tmp_path: Path) -> None:
    blob_id = await store(blobs)
    (tmp_path / "blobs" / "tmp" / "half").write_bytes(b"half")
    await blobs.delete(["half"])
    assert files_in(tmp_path) == [blob_id]


async def test_whatever_a_crash_leaves_of_the_folders_the_next_start_goes_on_with(tmp_path: Path) -> None:
    """Names reach the disk in any order, so that one folder is there says nothing of the others. What was stored before
    the crash is there after it."""
    (tmp_path / "life").mkdir()
    trace = Trace(tmp_path / "life")
    blobs = FileBlobs(tmp_path / "life" / "blobs", TracedDisk(trace), threads=1)
    for blob_id in ("ab1", "cd1", "ab2"):
        await store(blobs, blob_id=blob_id)
        trace.mark(blob_id)
    blobs.close()
    machine, stored = Machine(trace.base), []
    for number, record in enumerate(trace.records):
        machine.apply(record)
        stored += [record.mark] if record.mark else []
        for seed in range(10):
            machine.crash(Survival("chance", seed)).write_to(tmp_path / "crashed")
            again = FileBlobs(tmp_path / "crashed" / "blobs", LocalDisk(), threads=1)
            assert await again.size(await store(again)) == 4, f"crash after {number}, seed {seed}"
            found = [await again.size(str(blob_id)) for blob_id in stored]
            assert found == [4] * len(stored), f"crash after {number}, seed {seed}"
            again.close()
