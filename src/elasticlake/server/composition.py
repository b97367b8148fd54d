"""The adapters behind the services: the one place that names concrete ones."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import apsw

from elasticlake.blobs.disk import LocalDisk
from elasticlake.blobs.files import FileBlobs
from elasticlake.clock import SystemClock
from elasticlake.config.credentials import RootCredentials
from elasticlake.config.master_key import MasterKey, MasterKeyError
from elasticlake.config.settings import Settings
from elasticlake.metadata import facts
from elasticlake.metadata.migrations import migrate_sqlite
from elasticlake.metadata.sqlite import SqliteReader, SqliteTransaction, connect
from elasticlake.metadata.sqlite_database import SqliteDatabase
from elasticlake.server.folder import DataFolder
from elasticlake.service.context import SpaceGuard, Stores

_MASTER_KEY_FACT = "masterKeyId"


@dataclass(frozen=True, slots=True)
class Installation:
    """What the processes of one server share."""

    settings: Settings
    folder: DataFolder
    credentials: RootCredentials
    master_key: MasterKey
    port: int


def load_master_key(settings: Settings, folder: DataFolder) -> MasterKey:
    """The operator's master key, or the folder's own."""
    if settings.master_key is not None:
        return MasterKey.parse(settings.master_key.get_secret_value())
    if settings.master_key_file is not None:
        try:
            return MasterKey.parse(settings.master_key_file.read_text())
        except OSError as error:
            raise MasterKeyError(f"the master key file cannot be read: {error}") from None
    if not folder.master_key.exists() and folder.metadata.exists():
        raise MasterKeyError(f"{folder.master_key} is missing: without it the stored secrets cannot be read")
    return MasterKey.load_or_create(folder.master_key)


def prepare_databases(folder: DataFolder, master_key: MasterKey) -> None:
    """Bring both databases to the newest schema; raises `MasterKeyError` if they were encrypted with another key."""
    with closing(connect(folder.metadata)) as core:
        migrate_sqlite(core, "core")
        _check_master_key(core, master_key)
    with closing(connect(folder.delivery)) as delivery:
        migrate_sqlite(delivery, "delivery")


def _check_master_key(core: apsw.Connection, master_key: MasterKey) -> None:
    known = facts.get(SqliteReader(core), _MASTER_KEY_FACT)
    if known is None:
        facts.put(SqliteTransaction(core), _MASTER_KEY_FACT, master_key.id)
    elif known != master_key.id:
        raise MasterKeyError(f"the data was encrypted with master key {known}, but this one is {master_key.id}")


def open_stores(settings: Settings, folder: DataFolder, owner: str) -> Stores:
    """The embedded adapters: SQLite and files."""
    blobs = FileBlobs(folder.blobs, LocalDisk())
    clock = SystemClock()
    space = SpaceGuard(blobs, clock, int(settings.min_free_space))
    grace_ms = settings.blob_grace_seconds * 1000
    return Stores(SqliteDatabase(folder.metadata), blobs, clock, space, owner, grace_ms)
