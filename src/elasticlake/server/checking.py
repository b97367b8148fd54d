"""`elasticlake check`: the integrity check on whatever engine and blob store there is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from elasticlake.blobs.store import BlobStore
from elasticlake.errors import ElasticLakeError
from elasticlake.metadata import audit, deliveries
from elasticlake.metadata.audit import AuditReader
from elasticlake.metadata.database import Reader
from elasticlake.metadata.sqlite import SqliteReader, connect
from elasticlake.server.composition import open_blobs
from elasticlake.server.folder import DataFolder
from elasticlake.server.place import Place, without_password
from elasticlake.server.schema import NoData, require_newest
from elasticlake.service.check import Check, Progress, check_deliveries, delivery_notes


class NoBlobs(ElasticLakeError):
    """The folder for blobs is not there."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, what is wrong with it, and what is worth knowing though it is not wrong."""

    objects: int
    events: int
    findings: list[str]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _Views:
    """The database as of one moment, and the state of deliveries as of that moment or an earlier one."""

    core: AuditReader
    delivery: Reader


def check(place: Place, progress: Progress, *, read_bodies: bool) -> Checked:
    """Check all of it, beside servers or without any; raises `ElasticLakeError` if it cannot be read."""
    opening = _open_folder(place.folder) if place.metadata is None else _open_postgres(place.metadata)
    with opening as views, _open_blobs(place) as blobs:
        # Before the log: positions never pass it as it is later.
        remembered, notes = deliveries.furthest(views.delivery), delivery_notes(views.delivery)
        checking = Check(views.core, blobs, read_bodies=read_bodies, progress=progress)
        findings = asyncio.run(checking.run())
        findings += check_deliveries(remembered, audit.buckets(views.core))
        notes += _moved_note(place)
    return Checked(checking.checked_objects, checking.checked_events, findings, notes)


def _moved_note(place: Place) -> list[str]:
    moved_to = place.folder.moved_to if place.metadata is None else None
    return [] if moved_to is None else [f"the data was moved to {moved_to}: this is the folder as it was before"]


@contextmanager
def _open_folder(folder: DataFolder) -> Iterator[_Views]:
    require_newest(folder)
    with closing(connect(folder.metadata)) as core, closing(connect(folder.delivery)) as delivery:
        core.execute("BEGIN")
        delivery.execute("BEGIN")
        yield _Views(SqliteReader(core), SqliteReader(delivery))


@contextmanager
def _open_postgres(url: str) -> Iterator[_Views]:
    # An extra: the embedded default does without its libraries.
    from elasticlake.metadata.postgres.snapshot import snapshot

    with snapshot(url) as reader:
        if reader is None:
            raise NoData(without_password(url))
        yield _Views(reader, reader)


@contextmanager
def _open_blobs(place: Place) -> Iterator[BlobStore]:
    if place.blobs is None and not place.folder.blobs.is_dir():
        raise NoBlobs(f"there is no {place.folder.blobs}: say where the blobs are, with --data or --blobs")
    blobs = open_blobs(place.blobs, place.folder)
    try:
        yield blobs
    finally:
        blobs.close()
