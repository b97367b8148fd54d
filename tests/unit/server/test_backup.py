"""A backup is whole or not there, and says what it lacks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.world import attempt

from elasticlake.config.master_key import MasterKey, MasterKeyError
from elasticlake.metadata.history import HistoryReader, HistoryWriter
from elasticlake.metadata.sqlite import connect
from elasticlake.metadata.sqlite_copy import CopyFailed
from elasticlake.server.backup import BackupFailed, BlobsGone, Summary, back_up
from elasticlake.server.embedded import EmbeddedEngine
from elasticlake.server.folder import DataFolder

BLOBS = {"aa1": b"one", "aa2": b"two", "bb3": b"three"}
KILLED_AT_THE_BLOBS = """
import os, signal, sys
from pathlib import Path
from elasticlake.server.backup import back_up
from elasticlake.server.folder import DataFolder
def progress(stage, done, total):
    if stage == "blobs":
        os.kill(os.getpid(), signal.SIGKILL)
back_up(DataFolder(Path(sys.argv[1])), Path(sys.argv[2]), progress)
"""


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """A data folder with an object of two blobs, a part, an empty part, and a blob that nothing names."""
    made = DataFolder(tmp_path / "data")
    made.create()
    EmbeddedEngine(made).prepare(MasterKey.load_or_create(made.master_key))
    (made.path / "credentials.json").write_text("{}")
    for blob_id, body in {**BLOBS, "cc4": b"orphan"}.items():
        path = made.blobs / blob_id[:2] / blob_id
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body)
    with closing(connect(made.metadata)) as connection:
        for number, blob_id in enumerate(("aa1", "bb3")):
            connection.execute("INSERT INTO manifests VALUES ('m', ?, ?, 3, NULL)", (number, blob_id))
        for number, blob_id in enumerate(("aa2", "")):
            connection.execute("INSERT INTO parts VALUES ('u', ?, 'etag', 3, ?, 0, NULL)", (number, blob_id))
    return made


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return tmp_path / "deep/backup"


def quiet(_stage: str, _done: int, _total: int) -> None:
    pass


def stored(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("blobs/*/*")}


def refused(folder: DataFolder, destination: Path, *, with_master_key: bool = False) -> str:
    with pytest.raises((BackupFailed, CopyFailed, MasterKeyError)) as failure:
        back_up(folder, destination, quiet, with_master_key=with_master_key)
    return str(failure.value)


def test_it_holds_the_databases_and_every_blob_that_a_row_names(folder: DataFolder, destination: Path) -> None:
    told: list[tuple[str, int, int]] = []
    summary = back_up(folder, destination, lambda *one: told.append(one))
    assert stored(destination) == BLOBS
    assert list(destination.parent.iterdir()) == [destination]
    size_bytes = sum((destination / name).stat().st_size for name in ("delivery.db", "metadata.db")) + 11
    assert summary == Summary(["delivery.db", "metadata.db"], 3, size_bytes, seconds=summary.seconds)
    # Positions before the log, the log before what it names.
    assert list(dict.fromkeys(stage for stage, _, _ in told)) == ["delivery.db", "metadata.db", "blobs"]
    assert told[-1] == ("blobs", 3, 3)
    EmbeddedEngine(DataFolder(destination)).prepare(MasterKey.parse(folder.master_key.read_text()))


def test_everything_in_it_is_its_owners_alone(folder: DataFolder, destination: Path) -> None:
    for path in (folder.blobs / "aa").iterdir():
        path.chmod(0o600)
    (folder.blobs / "bb/bb3").chmod(0o600)
    back_up(folder, destination, quiet, with_master_key=True)
    for path in (destination, *destination.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_secrets_are_in_it_only_if_asked_for(folder: DataFolder, destination: Path) -> None:
    summary = back_up(folder, destination, quiet)
    assert (summary.master_key, summary.credentials) == (False, False)
    assert not {"master.key", "credentials.json"} & {path.name for path in destination.iterdir()}
    summary = back_up(folder, destination.with_name("other"), quiet, with_master_key=True)
    assert (summary.master_key, summary.credentials) == (True, True)
    for name in ("master.key", "credentials.json"):
        assert (destination.with_name("other") / name).read_bytes() == (folder.path / name).read_bytes()


def test_a_master_key_that_is_missing_or_another_is_refused(folder: DataFolder, destination: Path) -> None:
    folder.master_key.rename(folder.path / "old.key")
    assert f"no {folder.master_key}" in refused(folder, destination, with_master_key=True)
    MasterKey.load_or_create(folder.master_key)
    assert "was encrypted with" in refused(folder, destination, with_master_key=True)
    folder.master_key.write_text("no key")
    assert "base64" in refused(folder, destination, with_master_key=True)
    assert not destination.exists()
    assert not back_up(folder, destination, quiet).master_key


def test_history_is_copied_and_its_damage_forgiven(folder: DataFolder, destination: Path) -> None:
    writer = HistoryWriter(folder.history)
    writer.append([attempt("whk_1", 1, 1)])
    (folder.history / "2000-01-01.db").write_bytes(b"damaged")
    summary = back_up(folder, destination, quiet)
    writer.close()
    assert len(summary.databases) == 3
    assert [f"history/{path.name}" for path in (destination / "history").iterdir()] == summary.databases[2:]
    reader = HistoryReader(destination / "history")
    assert len(reader.of_delivery("whk_1", 1, 1, 0)) == 1
    reader.close()


def test_no_destination_is_overwritten(folder: DataFolder, destination: Path) -> None:
    destination.mkdir(parents=True)
    (destination / "mine").write_text("mine")
    assert "not an empty folder" in refused(folder, destination)
    assert "not an empty folder" in refused(folder, destination / "mine")
    assert (destination / "mine").read_text() == "mine"
    assert "in the data folder" in refused(folder, folder.blobs / "backup")
    assert "mounted" in refused(folder, Path("/dev/shm"))
    assert "cannot be made" in refused(folder, Path("/dev/null/backup"))


def test_an_empty_folder_and_a_link_to_one_will_do(folder: DataFolder, destination: Path) -> None:
    destination.mkdir(parents=True)
    back_up(folder, destination, quiet)
    destination.with_name("empty").mkdir()
    destination.with_name("link").symlink_to("empty")
    back_up(folder, destination.with_name("link"), quiet)
    assert stored(destination.with_name("empty")) == BLOBS


def test_what_is_no_data_folder_is_told(folder: DataFolder, destination: Path) -> None:
    assert "no metadata.db" in refused(DataFolder(folder.blobs), destination)
    with folder.metadata.open("r+b") as file:
        file.write(b"\xff" * 4096)
    assert "metadata.db" in refused(folder, destination)
    assert not destination.exists()


def test_missing_blobs_are_counted_and_the_backup_stays_unfinished(folder: DataFolder, destination: Path) -> None:
    for blob_id in ("aa2", "bb3"):
        (folder.blobs / blob_id[:2] / blob_id).unlink()
    with pytest.raises(BlobsGone, match=r"2 blobs .* not in the data folder"):
        back_up(folder, destination, quiet)
    partial = destination.with_name("backup.partial")
    assert not destination.exists()
    assert stored(partial) == {"aa1": b"one"}
    assert f"{partial} is there" in refused(folder, destination)


def test_an_interrupted_backup_leaves_nothing(folder: DataFolder, destination: Path) -> None:
    for stage in ("delivery.db", "metadata.db", "blobs"):

        def interrupt(at: str, _done: int, _total: int, stage: str = stage) -> None:
            if at == stage:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            back_up(folder, destination, interrupt)
        assert list(destination.parent.iterdir()) == []


def test_one_that_was_killed_is_left_unfinished(folder: DataFolder, destination: Path) -> None:
    command = [sys.executable, "-c", KILLED_AT_THE_BLOBS, str(folder.path), str(destination)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert [path.name for path in destination.parent.iterdir()] == ["backup.partial"]
    assert "did not finish" in refused(folder, destination)


def test_a_full_disk_is_one_line(folder: DataFolder, destination: Path) -> None:
    command = [
        sys.executable, "-m", "elasticlake", "backup", str(destination), "--data", str(folder.path),
    ]  # fmt: skip
    limited = ["prlimit", "--fsize=65536", *command]
    ran = subprocess.run(limited, capture_output=True, text=True, check=False, env={**os.environ, "TERM": "dumb"})
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1, ran.stderr
    assert list(destination.parent.iterdir()) == []
