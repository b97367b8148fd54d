"""A data folder with rows of every kind, made from what SQLite says of its tables' columns."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.unit.world import attempt

from elasticlake.config.credentials import write_credentials
from elasticlake.config.master_key import MasterKey
from elasticlake.config.settings import Settings, load_settings
from elasticlake.metadata.history import HistoryWriter
from elasticlake.metadata.moved_tables import CORE, DELIVERY, LEFT_BEHIND
from elasticlake.metadata.sqlite import SqliteReader, connect
from elasticlake.server.embedded import EmbeddedEngine
from elasticlake.server.folder import DataFolder

ROWS = 7
CREDENTIALS = {"accessKeyId": "ROOTKEY", "apiToken": "root-token"}


def fill(path: Path, rows: int = ROWS) -> Settings:
    """The settings of a server on the new folder, which has so many rows in each table."""
    folder = DataFolder(path)
    folder.create()
    EmbeddedEngine(folder).prepare(MasterKey.load_or_create(folder.master_key))
    write_credentials(path, CREDENTIALS)
    for file, tables in ((folder.metadata, CORE), (folder.delivery, DELIVERY)):
        with closing(connect(file)) as connection:
            reader = SqliteReader(connection)
            for table in tables:
                columns = reader.rows(f"PRAGMA table_info({table})")
                marks = ", ".join("?" * len(columns))
                for number in range(1, rows + 1):
                    row = [value_of(table, *column[1:4], number) for column in columns]
                    connection.execute(f"INSERT INTO {table} VALUES ({marks})", row)
    for table in ("manifests", "parts"):
        for number in range(1, rows + 1):
            write_blob(folder, blob_id(table, number), number)
    writer = HistoryWriter(folder.history)
    writer.append(attempt("wh_1", 1, number) for number in range(1, rows + 1))
    writer.close()
    return load_settings({"data": path})


def value_of(table: str, column: str, kind: str, is_required: int, number: int) -> Any:
    """A value that a row may have there; every other row lacks what may be lacking."""
    if column == "blob_id":
        return blob_id(table, number)
    if column == "checksum":
        return f"CRC32:FULL_OBJECT:{number}"
    if column in ("headers", "metadata"):
        return None if number % 2 else f'{{"name": "{number} é"}}'
    if not is_required and number % 2 and kind != "INTEGER":
        return None
    match kind:
        case "INTEGER":
            return number
        case "REAL":
            return number + 0.5
        case "BLOB":
            return b"\x00\xff%d" % number
        case _:
            return f"{column} {number} é\U0001f5c3"


def blob_id(table: str, number: int) -> str:
    return hashlib.sha256(f"{table} {number}".encode()).hexdigest()[:32]


def write_blob(folder: DataFolder, identity: str, size_bytes: int) -> None:
    path = folder.blobs / identity[:2] / identity
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size_bytes)


def tables_of(path: Path) -> set[str]:
    """The tables that the file has."""
    with closing(connect(path)) as connection:
        sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        return {row[0] for row in SqliteReader(connection).rows(sql)}


KNOWN_TABLES = {*CORE, *DELIVERY, *LEFT_BEHIND}
