"""The embedded engine: SQLite files in the data folder, for the processes of one server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import apsw

from elasticlake.config.credentials import read_credentials, write_credentials
from elasticlake.config.master_key import MasterKey
from elasticlake.delivery.wakeup import WakeupSender, listen
from elasticlake.metadata import facts
from elasticlake.metadata.database import Database
from elasticlake.metadata.history import HistoryReader, HistoryWriter
from elasticlake.metadata.migrations import migrate_sqlite
from elasticlake.metadata.sqlite import CACHE_BYTES, SMALL_CACHE_BYTES, SqliteReader, SqliteTransaction, connect
from elasticlake.metadata.sqlite_database import SqliteDatabase
from elasticlake.model.ids import new_blob_id
from elasticlake.server.engine import Hear
from elasticlake.server.folder import DataFolder
from elasticlake.service import system
from elasticlake.service.clamp import clamp_positions
from elasticlake.service.feed import LOOK_AGAIN_SECONDS


class EmbeddedEngine:
    """An `Engine` in a data folder."""

    is_shared = False
    look_again_seconds = LOOK_AGAIN_SECONDS

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder

    def holds_data(self) -> bool:
        return self._folder.metadata.exists()

    def prepare(self, master_key: MasterKey) -> int:
        self._folder.require_not_moved()
        return self.bring_up(master_key)

    def bring_up(self, master_key: MasterKey) -> int:
        """As `prepare`, also for a folder whose data was moved."""
        with closing(connect(self._folder.metadata)) as core:
            migrate_sqlite(core, "core")
            _check_master_key(core, master_key)
        with closing(connect(self._folder.delivery)) as delivery:
            migrate_sqlite(delivery, "delivery")
        return asyncio.run(self._clamp())

    def installation(self) -> str:
        return self._agreed(facts.INSTALLATION, new_blob_id())

    def blob_place(self) -> str | None:
        with closing(connect(self._folder.metadata)) as core:
            return facts.get(SqliteReader(core), facts.BLOB_PLACE)

    def agree_on_blob_place(self, offered: str) -> str:
        return self._agreed(facts.BLOB_PLACE, offered)

    def _agreed(self, name: str, offered: str) -> str:
        with closing(connect(self._folder.metadata)) as core:
            known = facts.get(SqliteReader(core), name)
            if known is None:
                known = offered
                facts.put(SqliteTransaction(core), name, known)
            return known

    def kept_credentials(self, master_key: MasterKey) -> dict[str, str]:
        return read_credentials(self._folder.path)

    def keep_credentials(self, made: dict[str, str], master_key: MasterKey) -> dict[str, str]:
        return write_credentials(self._folder.path, made)

    def open_core(self, *, reads_in_order: bool = False) -> SqliteDatabase:
        return SqliteDatabase(self._folder.metadata, cache_bytes=SMALL_CACHE_BYTES if reads_in_order else CACHE_BYTES)

    def open_delivery(self) -> SqliteDatabase:
        return SqliteDatabase(self._folder.delivery, durable=False)

    async def facts(self, core: Database) -> system.Engine:
        return system.Engine("SQLite", apsw.sqlite_lib_version(), await asyncio.to_thread(self._sizes))

    def _sizes(self) -> dict[str, int]:
        history = self._folder.history.glob("*.db*")
        return {
            "core": sum(map(_size_bytes, _with_log(self._folder.metadata))),
            "delivery": sum(map(_size_bytes, _with_log(self._folder.delivery))),
            "history": sum(map(_size_bytes, history)),
        }

    def open_history(self) -> HistoryReader:
        return HistoryReader(self._folder.history)

    def open_history_log(self) -> HistoryWriter:
        return HistoryWriter(self._folder.history)

    def open_wake(self, core: Database) -> WakeupSender:
        wake = WakeupSender(self._folder.wakeup_socket)
        core.on_commit(wake)
        return wake

    @asynccontextmanager
    async def hearing_as_gateway(self, core: Database, hear: Hear) -> AsyncIterator[None]:
        """Other gateways share the file, and whoever waits for their events looks again by itself."""
        yield

    @asynccontextmanager
    async def hearing_as_dispatcher(self, hear: Hear) -> AsyncIterator[None]:
        transport = await listen(self._folder.wakeup_socket, hear)
        try:
            yield
        finally:
            transport.close()

    async def _clamp(self) -> int:
        """Forget what deliveries remember beyond the log, in case that an older log was restored.

        Before any gateway runs: what is written first after a restore would hide it.
        """
        core, delivery = self.open_core(), self.open_delivery()
        try:
            return len(await clamp_positions(core, delivery))
        finally:
            await core.close()
            await delivery.close()


def _with_log(path: Path) -> tuple[Path, Path]:
    """The database, and what was written and not yet copied into it."""
    return path, path.with_name(f"{path.name}-wal")


def _size_bytes(path: Path) -> int:
    """A file of history, or a log, may go while we look."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _check_master_key(core: apsw.Connection, master_key: MasterKey) -> None:
    known = facts.get(SqliteReader(core), facts.MASTER_KEY_ID)
    if known is None:
        facts.put(SqliteTransaction(core), facts.MASTER_KEY_ID, master_key.id)
    else:
        master_key.require_opens(known)
