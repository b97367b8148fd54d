"""The operating system's file operations, as durability needs them."""

import os
from pathlib import Path

import pytest

from elasticlake.blobs.disk import LocalDisk


@pytest.fixture
def disk() -> LocalDisk:
    return LocalDisk()


def test_what_was_written_is_read_from_any_offset(disk: LocalDisk, tmp_path: Path) -> None:
    handle = disk.create(tmp_path / "file")
    for piece in (b"one ", bytearray(b"two "), memoryview(b"three")):
        disk.write(handle, piece)
    disk.sync(handle)
    disk.close(handle)
    handle = disk.open(tmp_path / "file")
    assert disk.read(handle, 4, 3) == b"two"
    assert disk.read(handle, 8, 100) == b"three"
    assert disk.read(handle, 100, 1) == b""
    disk.close(handle)


def test_a_file_is_made_once_and_for_its_owner_alone(disk: LocalDisk, tmp_path: Path) -> None:
    disk.close(disk.create(tmp_path / "file"))
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        disk.create(tmp_path / "file")


def test_handles_do_not_reach_child_processes(disk: LocalDisk, tmp_path: Path) -> None:
    made = disk.create(tmp_path / "file")
    opened = disk.open(tmp_path / "file")
    assert not os.get_inheritable(made)
    assert not os.get_inheritable(opened)
    disk.close(made)
    disk.close(opened)


def test_a_rename_takes_the_old_name_away(disk: LocalDisk, tmp_path: Path) -> None:
    disk.close(disk.create(tmp_path / "old"))
    disk.rename(tmp_path / "old", tmp_path / "new")
    disk.sync_directory(tmp_path)
    assert disk.names(tmp_path) == ["new"]


def test_removing_says_whether_there_was_anything(disk: LocalDisk, tmp_path: Path) -> None:
    disk.close(disk.create(tmp_path / "file"))
    assert disk.remove(tmp_path / "file")
    assert not disk.remove(tmp_path / "file")


def test_what_is_missing_has_no_size_and_no_names(disk: LocalDisk, tmp_path: Path) -> None:
    assert disk.size(tmp_path / "missing") is None
    assert disk.names(tmp_path / "missing") == []


def test_folders_are_made_with_their_parents_and_may_be_there(disk: LocalDisk, tmp_path: Path) -> None:
    disk.make_directory(tmp_path / "a" / "b")
    disk.make_directory(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_free_space_is_what_the_system_says(disk: LocalDisk, tmp_path: Path) -> None:
    assert 0 < disk.free_bytes(tmp_path) < 2**63
