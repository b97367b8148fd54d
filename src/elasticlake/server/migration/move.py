"""The whole move, step by step. Every step may be interrupted, and comes again as if it had not been.

Rows, then blobs; then the proof that both sides are the same, and the integrity check of the target; then the folder
is marked as moved, and last the target is opened for servers.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from elasticlake.blobs.remote_location import RemoteLocation
from elasticlake.blobs.store import BlobStore
from elasticlake.config.master_key import write_private
from elasticlake.config.settings import Settings
from elasticlake.errors import Unavailable
from elasticlake.metadata import blob_records, facts
from elasticlake.metadata.postgres.transfer import Transfer
from elasticlake.server.checking import check
from elasticlake.server.composition import open_blobs
from elasticlake.server.migration.blobs import Copying, missing_blobs
from elasticlake.server.migration.faults import MoveRefused, MoveStopped
from elasticlake.server.migration.rows import differing_rows, move_rows
from elasticlake.server.migration.source import Source, open_source
from elasticlake.server.migration.target import begin, open_target
from elasticlake.server.place import Place, without_password
from elasticlake.server.scaled import ROOT_CREDENTIALS, sealed
from elasticlake.service.check import Progress

MAX_FINDINGS = 100


@dataclass(frozen=True, slots=True)
class Move:
    """What is asked for: the folder is `settings.data`; `from_blobs` None is the folder's, `to_blobs` None is where
    they are."""

    settings: Settings
    to: str
    from_blobs: str | None = None
    to_blobs: str | None = None
    history: bool = True
    checks: bool = True


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of it: the rows of each table, or by what the sides differ (then the move has not ended)."""

    rows: dict[str, int]
    blobs: int
    differences: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    checked_objects: int | None = None
    seconds: float = 0.0
    was_done: bool = False
    """Whether an earlier run had done it all."""

    @property
    def is_whole(self) -> bool:
        return not self.differences and not self.findings


def move(wanted: Move, progress: Progress) -> Moved:
    """Do it, or go on with it; raises `ElasticLakeError` where it cannot begin or go on."""
    with _resumable(), open_source(wanted.settings, history=wanted.history) as source, open_target(wanted.to) as target:
        summary = begin(target, source.fingerprint())
        if summary is not None:
            _mark_folder(source, wanted)
            return Moved(**json.loads(summary), was_done=True)
        return _Moving(wanted, source, target, progress).run()


@contextmanager
def _resumable() -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        raise MoveStopped(str(error)) from error


class _Moving:
    """One run of the move."""

    def __init__(self, wanted: Move, source: Source, target: Transfer, progress: Progress) -> None:
        self._wanted = wanted
        self._source = source
        self._target = target
        self._progress = progress
        self._started_at = time.monotonic()

    def run(self) -> Moved:
        tables = dict.fromkeys(piece.shape.table for piece in self._source.pieces)
        move_rows(self._source.pieces, self._target, self._progress)
        self._target.analyze(tables)
        differences = asyncio.run(self._move_blobs())
        differences += differing_rows(self._source.pieces, self._target, self._progress)
        findings, checked = self._check() if self._wanted.checks and not differences else ([], None)
        moved = Moved(
            self._rows(),
            blob_records.count_named(self._source.reader),
            tuple(differences[:MAX_FINDINGS]),
            tuple(findings[:MAX_FINDINGS]),
            checked,
            round(time.monotonic() - self._started_at, 3),
        )
        if moved.is_whole:
            self._finish(moved)
        return moved

    async def _move_blobs(self) -> list[str]:
        """Copy them if they are to go elsewhere; returns which are not where they have to be."""
        async with self._open_blobs(self._wanted.from_blobs) as source:
            if self._wanted.to_blobs is None:
                return await self._missing(source)
            async with self._open_blobs(self._wanted.to_blobs) as target:
                name = f"blobs {self._wanted.to_blobs}"
                await Copying(name, self._source.reader, source, target).run(self._target, self._progress)
                return await self._missing(target)

    @asynccontextmanager
    async def _open_blobs(self, url: str | None) -> AsyncIterator[BlobStore]:
        if url is not None:
            # An extra: who moves no blobs does without its library.
            from elasticlake.blobs.remote import UnusableBlobs, open_remote_blobs

            try:
                await open_remote_blobs(url).claim(self._source.installation)
            except UnusableBlobs as fault:
                raise MoveRefused(f"the blob store {RemoteLocation.parse(url).place} cannot be used: {fault}") from None
        blobs = open_blobs(url, self._source.folder)
        try:
            yield blobs
        finally:
            blobs.close()

    async def _missing(self, store: BlobStore) -> list[str]:
        found: list[str] = []
        async for missing in missing_blobs(self._source.reader, store, self._progress):
            found.append(missing)
            if len(found) == MAX_FINDINGS:
                break
        return found

    def _check(self) -> tuple[list[str], int]:
        blobs = self._wanted.to_blobs or self._wanted.from_blobs
        checked = check(Place(self._source.folder, self._wanted.to, blobs), self._progress, read_bodies=True)
        return checked.findings, checked.objects

    def _finish(self, moved: Moved) -> None:
        credentials = self._source.credentials
        decided = {ROOT_CREDENTIALS: sealed(credentials, self._source.master_key)} if credentials else {}
        if self._wanted.to_blobs is not None:
            decided[facts.BLOB_PLACE] = RemoteLocation.parse(self._wanted.to_blobs).place
        summary = {"rows": moved.rows, "blobs": moved.blobs, "checked_objects": moved.checked_objects}
        _mark_folder(self._source, self._wanted)
        self._target.finish(self._source.next_numbers(), decided, json.dumps(summary))

    def _rows(self) -> dict[str, int]:
        rows: dict[str, int] = {}
        for piece in self._source.pieces:
            rows[piece.shape.table] = rows.get(piece.shape.table, 0) + piece.total
        return rows


def _mark_folder(source: Source, wanted: Move) -> None:
    """From now on no server runs on the folder's own metadata: it would deliver again, and delete blobs in use."""
    write_private(source.folder.moved, f"{without_password(wanted.to)}\n".encode())
