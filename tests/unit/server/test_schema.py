"""Schemas on either engine, brought to this version."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from elasticlake.config.master_key import MasterKey
from elasticlake.metadata import migrations
from elasticlake.metadata.migrations import SchemaTooNew, sqlite_version
from elasticlake.metadata.sqlite import connect
from elasticlake.server.embedded import EmbeddedEngine
from elasticlake.server.folder import DataFolder, FolderInUse
from elasticlake.server.place import Place, without_password
from elasticlake.server.schema import FolderTooOld, Migrated, NoData, migrate, require_newest


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.create()
    EmbeddedEngine(made).prepare(MasterKey(bytes(32)))
    return made


def test_a_folder_at_this_version_stays_even_beside_a_server(folder: DataFolder) -> None:
    handle = folder.lock()
    try:
        assert [(one.schema, one.before == one.now) for one in migrate(Place(folder))] == [
            ("core", True),
            ("delivery", True),
        ]
    finally:
        os.close(handle)


def test_an_older_folder_is_brought_up_when_no_server_runs(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    require_newest(folder)
    known = migrations.steps("delivery", "sqlite")

    def steps(schema: str, engine: str) -> list[str]:
        return [*known, "CREATE TABLE more (a)"] if schema == "delivery" else []

    for place in ("elasticlake.server.schema", "elasticlake.metadata.migrations"):
        monkeypatch.setattr(f"{place}.steps", steps)
    with closing(connect(folder.metadata)) as core:
        core.execute("PRAGMA user_version=0")
    with pytest.raises(FolderTooOld, match=f"Run: elasticlake migrate --data {folder.path}"):
        require_newest(folder)
    handle = folder.lock()
    try:
        with pytest.raises(FolderInUse):
            migrate(Place(folder))
    finally:
        os.close(handle)
    assert migrate(Place(folder))[1] == Migrated("delivery", len(known), len(known) + 1)
    with closing(connect(folder.delivery)) as delivery:
        assert sqlite_version(delivery) == len(known) + 1
        assert delivery.execute("SELECT count(*) FROM more").fetchall() == [(0,)]


def test_a_newer_folder_and_none_at_all_are_refused(folder: DataFolder, tmp_path: Path) -> None:
    with closing(connect(folder.delivery)) as delivery:
        delivery.execute("PRAGMA user_version=1000")
    for action in (lambda: migrate(Place(folder)), lambda: require_newest(folder)):
        with pytest.raises(SchemaTooNew, match="1000"):
            action()
    for action in (lambda: migrate(Place(DataFolder(tmp_path))), lambda: require_newest(DataFolder(tmp_path))):
        with pytest.raises(NoData):
            action()


def test_postgresql_is_migrated_once(postgres_url: str) -> None:
    place = Place(DataFolder(Path("nowhere")), postgres_url)
    first = migrate(place)
    assert [(one.schema, one.before) for one in first] == [("core", 0), ("delivery", 0), ("history", 0)]
    assert migrate(place) == [one._replace(before=one.now) for one in first]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@db.example:5432/lake?sslmode=require", "postgresql://me@db.example:5432/lake"),
        ("postgresql://db/lake?password=secret", "postgresql://db/lake"),
        ("s3://bucket/prefix?region=x", "s3://bucket/prefix"),
    ],
)
def test_a_url_is_shown_without_secrets(url: str, shown: str) -> None:
    assert without_password(url) == shown
