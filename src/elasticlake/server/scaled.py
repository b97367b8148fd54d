"""The scaled engine: PostgreSQL, shared by any number of gateways and dispatchers."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager

import psycopg

from elasticlake.config.credentials import read_credentials, write_credentials
from elasticlake.config.master_key import MasterKey
from elasticlake.metadata import facts
from elasticlake.metadata.database import Committed, Database, Row
from elasticlake.metadata.postgres.blocking import connect, told
from elasticlake.metadata.postgres.database import PostgresDatabase
from elasticlake.metadata.postgres.history import PostgresHistoryReader, PostgresHistoryWriter
from elasticlake.metadata.postgres.migrations import require_newest, versions
from elasticlake.metadata.postgres.notifications import Notifier, listen
from elasticlake.metadata.postgres.transfer import require_finished
from elasticlake.model.ids import new_blob_id
from elasticlake.server.engine import Hear
from elasticlake.server.folder import DataFolder
from elasticlake.service import system

ROOT_CREDENTIALS = "rootCredentials"
"""Names the fact that holds the root credentials, sealed."""
_VERSION = "SELECT current_setting('server_version')"
_GET = "SELECT value FROM facts WHERE name = %s"
# Whoever comes first decides for all nodes.
_OFFER = "INSERT INTO facts (name, value) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING"


class ScaledEngine:
    """An `Engine` at a `postgresql://` URL."""

    is_shared = True
    look_again_seconds = 1.0

    def __init__(self, url: str, folder: DataFolder) -> None:
        self._url = url
        self._folder = folder

    def holds_data(self) -> bool:
        with self._connected() as connection:
            return versions(connection)["core"] > 0 and _fact(connection, facts.MASTER_KEY_ID) is not None

    def prepare(self, master_key: MasterKey) -> int:
        """Positions and log are one database here: a restore brings back both as of one moment."""
        with self._connected() as connection:
            require_newest(connection)
            require_finished(connection)
            master_key.require_opens(_agreed(connection, facts.MASTER_KEY_ID, master_key.id))
        return 0

    def installation(self) -> str:
        with self._connected() as connection:
            return _agreed(connection, facts.INSTALLATION, new_blob_id())

    def blob_place(self) -> str | None:
        with self._connected() as connection:
            return _fact(connection, facts.BLOB_PLACE)

    def agree_on_blob_place(self, offered: str) -> str:
        with self._connected() as connection:
            return _agreed(connection, facts.BLOB_PLACE, offered)

    def kept_credentials(self, master_key: MasterKey) -> dict[str, str]:
        with self._connected() as connection:
            kept = _fact(connection, ROOT_CREDENTIALS)
        return self._shown(_opened(kept, master_key)) if kept is not None else {}

    def keep_credentials(self, made: dict[str, str], master_key: MasterKey) -> dict[str, str]:
        with self._connected() as connection:
            kept = _agreed(connection, ROOT_CREDENTIALS, sealed(made, master_key))
        return self._shown(_opened(kept, master_key))

    def _shown(self, credentials: dict[str, str]) -> dict[str, str]:
        """Also in the folder's own file, where people and the command line look."""
        if read_credentials(self._folder.path) != credentials:
            write_credentials(self._folder.path, credentials)
        return credentials

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Row]]:
        with told("the metadata database cannot be used"), closing(connect(self._url)) as connection:
            yield connection

    def open_core(self, *, reads_in_order: bool = False) -> PostgresDatabase:
        return PostgresDatabase(self._url)

    def open_delivery(self) -> PostgresDatabase:
        return PostgresDatabase(self._url, durable=False)

    async def facts(self, core: Database) -> system.Engine:
        row = await core.read(lambda reader: reader.row(_VERSION), loose=True)
        # As distributions write it, the version is followed by whose build it is.
        return system.Engine("PostgreSQL", str(row[0]).split()[0] if row else "", {})

    def open_history(self) -> PostgresHistoryReader:
        return PostgresHistoryReader(self._url)

    def open_history_log(self) -> PostgresHistoryWriter:
        return PostgresHistoryWriter(self._url)

    def open_wake(self, core: Database) -> Notifier:
        assert isinstance(core, PostgresDatabase)
        notifier = Notifier(self._url)
        core.on_commit(notifier)
        core.on_other_change(notifier)
        return notifier

    @asynccontextmanager
    async def hearing_as_gateway(self, core: Database, hear: Hear) -> AsyncIterator[None]:
        assert isinstance(core, PostgresDatabase)

        def hear_and_forget(heads: Committed) -> None:
            if heads:
                hear(heads)
            else:
                core.forget_recent()

        async with self.hearing_as_dispatcher(hear_and_forget):
            yield

    @asynccontextmanager
    async def hearing_as_dispatcher(self, hear: Hear) -> AsyncIterator[None]:
        listening = asyncio.create_task(listen(self._url, hear))
        try:
            yield
        finally:
            listening.cancel()


def _agreed(connection: psycopg.Connection[Row], name: str, offered: str) -> str:
    """What the nodes hold to be the fact; ours if there was none."""
    connection.execute(_OFFER, (name, offered))
    agreed = _fact(connection, name)
    assert agreed is not None
    return agreed


def _fact(connection: psycopg.Connection[Row], name: str) -> str | None:
    row = connection.execute(_GET, (name,)).fetchone()
    return str(row[0]) if row is not None else None


def sealed(credentials: dict[str, str], master_key: MasterKey) -> str:
    """The credentials as the fact holds them."""
    return b64encode(master_key.encrypt(json.dumps(credentials))).decode()


def _opened(fact: str, master_key: MasterKey) -> dict[str, str]:
    credentials: dict[str, str] = json.loads(master_key.decrypt(b64decode(fact)))
    return credentials
