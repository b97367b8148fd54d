"""`elasticlake migrate`: the newest schema, on either engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from elasticlake.errors import ElasticLakeError
from elasticlake.metadata.migrations import Schema, SchemaTooNew, migrate_sqlite, sqlite_version, steps
from elasticlake.metadata.sqlite import connect
from elasticlake.server.folder import DataFolder
from elasticlake.server.place import Place


class NoData(ElasticLakeError):
    """There is no ElasticLake data where it was said to be."""

    def __init__(self, place: str) -> None:
        super().__init__(f"there is no ElasticLake data in {place}")


class FolderTooOld(ElasticLakeError):
    """The folder's databases have not been migrated to what this version needs."""

    def __init__(self, folder: DataFolder, schema: Schema, found: int, known: int) -> None:
        super().__init__(
            f"the {schema} schema of {folder.path} has version {found}; this ElasticLake needs {known}. "
            f"Run: elasticlake migrate --data {folder.path}"
        )


class Migrated(NamedTuple):
    """A schema and its versions; 0 is none."""

    schema: Schema
    before: int
    now: int


def migrate(place: Place) -> list[Migrated]:
    """Bring every schema to the newest version; raises `ElasticLakeError` if it is newer still or cannot be had."""
    return _migrate_folder(place.folder) if place.metadata is None else _migrate_postgres(place.metadata)


def require_newest(folder: DataFolder) -> None:
    """Raises `NoData`, `SchemaTooNew` or `FolderTooOld`."""
    for schema, found in _versions(folder).items():
        known = len(steps(schema, "sqlite"))
        if found > known:
            raise SchemaTooNew(found, known)
        if found < known:
            raise FolderTooOld(folder, schema, found, known)


def _migrate_folder(folder: DataFolder) -> list[Migrated]:
    found = _versions(folder)
    known = {schema: len(steps(schema, "sqlite")) for schema in found}
    if found != known:
        # No server may run: one of another version would not understand what it finds. Nor need it run to look.
        with locked(folder):
            for schema, path in _files(folder).items():
                with closing(connect(path)) as connection:
                    migrate_sqlite(connection, schema)
    return [Migrated(schema, found[schema], known[schema]) for schema in found]


def _migrate_postgres(url: str) -> list[Migrated]:
    # An extra: the embedded default does without its libraries.
    from elasticlake.metadata.postgres.blocking import connect as connect_postgres
    from elasticlake.metadata.postgres.blocking import told
    from elasticlake.metadata.postgres.migrations import migrate_postgres

    with told("the database cannot be migrated"), closing(connect_postgres(url)) as connection:
        return [Migrated(schema, *versions) for schema, versions in migrate_postgres(connection).items()]


def _versions(folder: DataFolder) -> dict[Schema, int]:
    found: dict[Schema, int] = {}
    for schema, path in _files(folder).items():
        found[schema] = 0
        if path.exists():
            with closing(connect(path)) as connection:
                found[schema] = sqlite_version(connection)
    return found


def _files(folder: DataFolder) -> dict[Schema, Path]:
    if not folder.metadata.exists():
        raise NoData(str(folder.path))
    return {"core": folder.metadata, "delivery": folder.delivery}


@contextmanager
def locked(folder: DataFolder) -> Iterator[None]:
    """Keep servers out of the folder; raises `FolderInUse`."""
    handle = folder.lock()
    try:
        yield
    finally:
        os.close(handle)
