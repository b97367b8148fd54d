"""The data folder that everything is moved out of: locked, at the newest schema, and unchanged since the move began."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import apsw

from elasticlake.config.credentials import read_credentials
from elasticlake.config.master_key import MasterKey
from elasticlake.config.settings import Settings
from elasticlake.metadata.history_day import open_day
from elasticlake.metadata.moved_tables import CORE, DELIVERY, HISTORY, NUMBERED, Shape
from elasticlake.metadata.sqlite import SqliteReader, connect
from elasticlake.metadata.sqlite_rows import count, greatest_id, shape_of
from elasticlake.server.composition import load_master_key
from elasticlake.server.embedded import EmbeddedEngine
from elasticlake.server.folder import DataFolder, FolderInUse
from elasticlake.server.migration.faults import MoveRefused
from elasticlake.server.schema import NoData, locked

# What moves with every change of an object, of a webhook, of a delivery's state.
_SUMS = (
    ("buckets", "SELECT sum(sequence), sum(objects), sum(size_bytes) FROM buckets"),
    ("webhooks", "SELECT sum(revision), max(updated_at_ms) FROM webhooks"),
    ("positions", "SELECT sum(sequence), sum(delivered), sum(dead), sum(canceled), sum(expired) FROM positions"),
    ("lanes", "SELECT sum(head_sequence), sum(attempts), max(next_attempt_at_ms) FROM lanes"),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A table, or the part of one that is in a file of its own: what has the further columns `fixed` at the target."""

    name: str
    connection: apsw.Connection
    shape: Shape
    total: int
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def day(self) -> date | None:
        """Of attempts and their statistics: when they were made."""
        return self.fixed.get("day")


@dataclass(frozen=True, slots=True)
class Source:
    """The folder's databases, opened."""

    folder: DataFolder
    master_key: MasterKey
    installation: str
    """Names this data among all others; it moves along."""
    core: apsw.Connection
    delivery: apsw.Connection
    pieces: tuple[Piece, ...]

    @property
    def reader(self) -> SqliteReader:
        return SqliteReader(self.core)

    @property
    def credentials(self) -> dict[str, str]:
        """The root credentials that were generated."""
        return read_credentials(self.folder.path)

    def fingerprint(self) -> str:
        """Tells this folder from others, and from itself as it was before or will be after further changes."""
        rows = {piece.name: piece.total for piece in self.pieces if piece.day is None}
        opened = {piece.name: piece.connection for piece in self.pieces}
        sums = {table: SqliteReader(opened[table]).rows(sql)[0] for table, sql in _SUMS}
        return json.dumps({"installation": self.installation, "rows": rows, "sums": sums}, sort_keys=True)

    def next_numbers(self) -> dict[str, int]:
        """The next value of each sequence of ids, by the sequence's name or as `table.column`."""
        numbers = {
            f"{table}.{column}": greatest_id(self.delivery if table in DELIVERY else self.core, table, column) + 1
            for table, column in NUMBERED
        }
        attempts = [_greatest(piece) for piece in self.pieces if piece.shape.table == "attempts"]
        numbers["inline_body_ids"] = greatest_id(self.core, "inline_bodies", "id") + 1
        numbers["attempt_ids"] = max(attempts, default=0) + 1
        return numbers


@contextmanager
def open_source(settings: Settings, *, history: bool) -> Iterator[Source]:
    """The folder `settings.data`, its server kept out while the block runs; raises `ElasticLakeError`.

    It is brought to where a server's start would bring it: the newest schema, and no position beyond the log.
    """
    folder = DataFolder(settings.data)
    if not folder.metadata.exists():
        raise NoData(str(folder.path))
    with ExitStack() as opened:
        try:
            opened.enter_context(locked(folder))
        except FolderInUse as error:
            in_use = str(error).partition(";")[0]
            raise MoveRefused(f"{in_use}; stop it first") from None
        engine = EmbeddedEngine(folder)
        master_key = load_master_key(settings, folder, engine)
        engine.bring_up(master_key)
        installation = engine.installation()
        core = opened.enter_context(closing(connect(folder.metadata)))
        delivery = opened.enter_context(closing(connect(folder.delivery)))
        pieces = [_table(core, name) for name in CORE] + [_table(delivery, name) for name in DELIVERY]
        if history:
            pieces += [piece for path in sorted(folder.history.glob("*.db")) for piece in _day(opened, path)]
        yield Source(folder, master_key, installation, core, delivery, tuple(pieces))


def _table(connection: apsw.Connection, name: str) -> Piece:
    return Piece(name, connection, shape_of(connection, name), count(connection, name))


def _day(opened: ExitStack, path: Path) -> list[Piece]:
    try:
        day = datetime.strptime(path.stem, "%Y-%m-%d").replace(tzinfo=UTC).date()
        connection = opened.enter_context(closing(open_day(path)))
        return [
            Piece(f"{table} {day}", connection, shape_of(connection, table), count(connection, table), {"day": day})
            for table in HISTORY
        ]
    except (apsw.Error, ValueError) as error:
        raise MoveRefused(
            f"{path} cannot be read ({error}): remove it, or leave all history with --no-history"
        ) from None


def _greatest(piece: Piece) -> int:
    return int(SqliteReader(piece.connection).rows("SELECT coalesce(max(id), 0) FROM attempts")[0][0])
