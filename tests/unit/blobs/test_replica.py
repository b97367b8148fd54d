"""A folder of blobs made from another: links where they can be, copies where not."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from elasticlake.blobs.disk import LocalDisk
from elasticlake.blobs.files import FileBlobs
from elasticlake.blobs.replica import BlobReplica

BLOB, BODY = "abcdef", bytes(range(256)) * 10_000


@pytest.fixture
async def source(tmp_path: Path) -> Path:
    (tmp_path / "blobs").mkdir()
    blobs = FileBlobs(tmp_path / "blobs", LocalDisk(), threads=1)
    writer = await blobs.create(BLOB)
    await writer.write(BODY)
    await writer.commit()
    blobs.close()
    return tmp_path / "blobs"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        assert Path(folder).stat().st_dev != tmp_path.stat().st_dev
        yield Path(folder)


async def read(folder: Path) -> bytes:
    """The blob as a store that is opened on the folder gives it."""
    blobs = FileBlobs(folder, LocalDisk(), threads=1)
    body = b"".join([piece async for piece in blobs.read(BLOB, 0, len(BODY))])
    blobs.close()
    return body


async def test_on_the_same_file_system_a_blob_is_linked(source: Path, tmp_path: Path) -> None:
    replica = BlobReplica(source, tmp_path / "replica")
    assert replica.add(BLOB) == len(BODY)
    replica.seal()
    assert await read(tmp_path / "replica") == BODY
    assert (source / "ab" / BLOB).stat().st_nlink == 2
    (source / "ab" / BLOB).unlink()
    assert await read(tmp_path / "replica") == BODY


async def test_sealing_syncs_every_folder_and_their_names(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica = BlobReplica(source, tmp_path / "replica")
    replica.add(BLOB)
    synced, fsync = list[str](), os.fsync

    def recorded(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", recorded)
    replica.seal()
    assert synced == [str(tmp_path / "replica/ab"), str(tmp_path / "replica")]


async def test_on_another_it_is_copied(source: Path, elsewhere: Path) -> None:
    replica = BlobReplica(source, elsewhere / "replica")
    assert replica.add(BLOB) == len(BODY)
    replica.seal()
    assert await read(elsewhere / "replica") == BODY
    assert (elsewhere / "replica/ab" / BLOB).stat().st_mode & 0o777 == 0o600


def test_a_blob_that_is_gone_is_told(source: Path, tmp_path: Path, elsewhere: Path) -> None:
    for target in (tmp_path / "replica", elsewhere / "replica"):
        replica = BlobReplica(source, target)
        assert replica.add("abc000") is None
        assert list((target / "ab").iterdir()) == []


def test_it_is_for_its_owner_alone_and_new(source: Path, tmp_path: Path) -> None:
    BlobReplica(source, tmp_path / "replica").add(BLOB)
    folders = [tmp_path / "replica", *(tmp_path / "replica").iterdir()]
    assert {folder.name for folder in folders[1:]} == {folder.name for folder in source.iterdir()}
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
    with pytest.raises(FileExistsError):
        BlobReplica(source, tmp_path / "replica")
