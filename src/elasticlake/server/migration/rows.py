"""Rows on their way to the target, and the proof that all of them came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from elasticlake.metadata.database import Row
from elasticlake.metadata.moved_tables import RowsDigest
from elasticlake.metadata.postgres.transfer import Transfer
from elasticlake.metadata.sqlite_rows import rows_beyond
from elasticlake.server.migration.source import Piece
from elasticlake.service.check import Progress

BATCH_ROWS = 10_000
BATCH_BYTES = 8 * 1024 * 1024


def move_rows(pieces: Sequence[Piece], transfer: Transfer, progress: Progress) -> None:
    """Write every row that the target does not have yet, in batches, each of which the target then knows of."""
    total, done_before = sum(piece.total for piece in pieces), 0
    for piece in pieces:
        if piece.day is not None:
            transfer.make_day(piece.day)
        last, done = transfer.part(piece.name)
        for batch in _batches(rows_beyond(piece.connection, piece.shape, last)):
            done += len(batch)
            transfer.put(piece.name, piece.shape, batch, done, piece.fixed)
            progress("rows", done_before + done, total)
        done_before += piece.total


def differing_rows(pieces: Sequence[Piece], transfer: Transfer, progress: Progress) -> Iterator[str]:
    """What is not the same on both sides."""
    total, done = sum(piece.total for piece in pieces), 0
    for piece in pieces:
        here = RowsDigest.of(rows_beyond(piece.connection, piece.shape, None))
        there = transfer.digest(piece.shape, piece.fixed)
        if here.rows != there.rows:
            yield f"{piece.name}: {here.rows} rows in the folder, {there.rows} in the target"
        elif here != there:
            yield f"{piece.name}: {here.rows} rows on both sides, but not the same ones"
        done += piece.total
        progress("compare", done, total)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size_bytes = 0
    for row in rows:
        batch.append(row)
        size_bytes += sum(len(value) for value in row if isinstance(value, bytes | str))
        if len(batch) >= BATCH_ROWS or size_bytes >= BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch
