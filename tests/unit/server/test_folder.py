"""The data folder: private, and one server's at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from elasticlake.server import folder as module
from elasticlake.server.folder import DataFolder, DataMoved, FolderInUse

HOLD = """
import sys, time
from pathlib import Path
from elasticlake.server.folder import DataFolder
DataFolder(Path(sys.argv[1])).lock()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "deep" / "data")
    made.create()
    return made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits neither for a server that lives nor for one that drains."""
    monkeypatch.setattr(module, "LIVING_SECONDS", 0.2)
    monkeypatch.setattr(module, "DRAINING_SECONDS", 0.2)


def hold(folder: DataFolder) -> subprocess.Popen[bytes]:
    """Another process that holds the folder."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(folder.path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    return holder


def end(holder: subprocess.Popen[bytes]) -> None:
    holder.kill()
    holder.wait()
    assert holder.stdout is not None
    holder.stdout.close()


def test_it_is_made_for_its_owner_alone(folder: DataFolder) -> None:
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.create()
    for path in (folder.blobs, folder.history):
        assert path.is_dir()
    files = {folder.metadata, folder.delivery, folder.master_key, folder.wakeup_socket.resolve()}
    assert {path.parent for path in files} == {folder.path}
    assert len(files) == 4


def test_a_folder_that_was_moved_says_where_to(folder: DataFolder) -> None:
    assert folder.moved_to is None
    folder.require_not_moved()
    folder.moved.write_text("postgresql://db/lake\n")
    assert folder.moved_to == "postgresql://db/lake"
    with pytest.raises(DataMoved, match="was moved to postgresql://db/lake: give that with --metadata"):
        folder.require_not_moved()


@pytest.mark.usefixtures("impatient")
def test_a_second_server_is_refused_and_told_who_is_there(folder: DataFolder) -> None:
    holder = hold(folder)
    with pytest.raises(FolderInUse, match=rf"\(process {holder.pid}\).*{folder.path}"):
        folder.lock()
    end(holder)


def test_the_lock_ends_with_its_holder(folder: DataFolder) -> None:
    end(hold(folder))
    handle = folder.lock()
    assert (folder.path / "lock").read_text() == f"{os.getpid()}\n"
    assert os.get_inheritable(handle)
    os.close(handle)


@pytest.mark.usefixtures("impatient")
def test_a_child_keeps_the_lock_that_its_parent_took(folder: DataFolder) -> None:
    handle = folder.lock()
    child = subprocess.Popen(["sleep", "60"], pass_fds=[handle])
    os.close(handle)
    with pytest.raises(FolderInUse):
        folder.lock()
    child.kill()
    child.wait()
    os.close(folder.lock())


def test_the_children_of_a_killed_server_are_waited_for_longer_than_a_living_one(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIVING_SECONDS", 0.0)
    handle = folder.lock()
    child = subprocess.Popen(["sleep", "0.5"], pass_fds=[handle])
    os.close(handle)
    lock = folder.path / "lock"
    with pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
        folder.lock()
    dead = subprocess.Popen(["true"])
    dead.wait()
    lock.write_text(f"{dead.pid}\n")
    os.close(folder.lock())
    assert child.wait() == 0
    assert lock.read_text() == f"{os.getpid()}\n"
