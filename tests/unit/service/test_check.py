"""The integrity check names each kind of damage once, and suspects nothing sound."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.simulation.store import MemoryBody
from tests.unit.world import World, open_world

from elasticlake.metadata import audit, blob_records, uploads
from elasticlake.metadata.audit import AuditedBucket
from elasticlake.model.objects import Attributes, Part
from elasticlake.service import check_objects
from elasticlake.service.check import Check, check_deliveries, delivery_notes
from elasticlake.service.objects import Objects

BUCKET = "lake1--pond1--checked"
SIZES_BYTES = {b"empty": 0, b"large": 200_000, b"larger": 300_000, b"small": 10, b"small/2": 5000}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Objects without bytes, inline, and in blobs."""
    async with open_world(tmp_path) as opened:
        bucket = await opened.bucket(BUCKET)
        objects = Objects(opened.stores)
        for key, size_bytes in SIZES_BYTES.items():
            target = await objects.authorize_put(opened.request(), bucket.name.name, key)
            await objects.put(opened.request(), target, key, MemoryBody(body_of(key)), Attributes())
            assert len(body_of(key)) == size_bytes
        yield opened


def body_of(key: bytes) -> bytes:
    return hashlib.shake_128(key).digest(SIZES_BYTES[key])


async def findings(world: World, *, read_bodies: bool = True) -> list[str]:
    reader: Any = await world.core.read(lambda reader: reader)
    checking = Check(reader, world.stores.blobs, read_bodies=read_bodies)
    found = await checking.run()
    assert checking.checked_objects <= len(SIZES_BYTES)
    return found


async def blob_of(world: World, key: bytes) -> str:
    sql = "SELECT m.blob_id FROM objects o JOIN manifests m ON m.id = o.manifest_id WHERE o.key = ?"
    return str((await world.core.read(lambda reader: reader.rows(sql, (key,))))[0][0])


def blob_path(world: World, blob_id: str) -> Path:
    return world.folder / "blobs" / blob_id[:2] / blob_id


async def test_sound_data_is_not_suspected(world: World) -> None:
    assert await findings(world) == []
    assert await findings(world, read_bodies=False) == []


@pytest.mark.parametrize("limit", ["_RUN_BYTES", "_RUN_PARTS"])
async def test_a_page_is_taken_in_pieces_that_fit(world: World, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_objects, limit, 1)
    monkeypatch.setattr(check_objects, "SIZES_AT_ONCE", 1)
    monkeypatch.setattr(audit, "_BATCH", 2)
    assert await findings(world) == []
    await damage(world, "UPDATE objects SET etag = 'x' WHERE key = ?", b"small/2")
    assert len(await findings(world)) == 2


async def damage(world: World, sql: str, *values: Any) -> None:
    await world.core.write(lambda tx: tx.run(sql, values))


@pytest.mark.parametrize(
    ("sql", "key", "said"),
    [
        ("UPDATE objects SET etag = 'x' WHERE key = ?", b"small", "/small: event 4 has etag"),
        ("UPDATE objects SET etag = 'x' WHERE key = ?", b"large", "/large: its bytes have etag"),
        ("UPDATE objects SET size_bytes = 11 WHERE key = ?", b"small", "/small: holds 10 bytes instead of 11"),
        ("UPDATE objects SET size_bytes = 11 WHERE key = ?", b"small", "its row says 5 of 505010"),
        ("DELETE FROM events WHERE key = ?", b"larger", "/larger: has no event"),
        ("DELETE FROM events WHERE key = ?", b"larger", "event 3 is missing, 4 follows"),
        ("DELETE FROM events WHERE key = ?", b"small/2", "the log ends at 4, the bucket at 5"),
        ("DELETE FROM objects WHERE key = ?", b"small", "/small: last event object:created, but no such object"),
        ("DELETE FROM objects WHERE key = ?", b"small", "1 inline bodies belong to no object"),
        ("DELETE FROM objects WHERE key = ?", b"large", "1 manifests belong to no object"),
        ("UPDATE inline_bodies SET body = x'00' WHERE length(body) = 10 OR ? = ''", b"small", "/small: holds 1 bytes"),
        ("DELETE FROM inline_bodies WHERE length(body) = 10 OR ? = ''", b"small", "/small: its inline body is missing"),
    ],
)
async def test_rows_that_do_not_fit_are_named(world: World, sql: str, key: bytes, said: str) -> None:
    await damage(world, sql, key)
    assert said in "\n".join(await findings(world))


@pytest.mark.parametrize(
    ("change", "said", "is_quick"),
    [
        (lambda path: path.unlink(), "is missing", True),
        (lambda path: path.write_bytes(b"x"), "has 1 bytes instead of 200000", True),
        (lambda path: path.write_bytes(bytes(200_000)), "/large: its bytes have etag", False),
    ],
)
async def test_a_blob_that_is_not_what_it_was_is_named(
    world: World, change: Callable[[Path], object], said: str, is_quick: bool
) -> None:
    change(blob_path(world, await blob_of(world, b"large")))
    [finding] = await findings(world)
    assert said in finding
    assert len(await findings(world, read_bodies=False)) == is_quick


async def test_blobs_of_uploads_count_too(world: World) -> None:
    blob_id = await blob_of(world, b"large")
    for number, part in enumerate((blob_id, "", "f" * 32), start=1):
        row = Part(number, "etag", 200_000 if part else 0, part, 1, None)
        await world.core.write(lambda tx: uploads.put_part(tx, "upload", row))  # noqa: B023
    [finding] = await findings(world)
    assert finding == f"upload upload, part 3: blob {'f' * 32} has None bytes instead of 200000"


async def test_a_blob_in_use_must_not_wait_to_be_deleted(world: World) -> None:
    blob_id = await blob_of(world, b"large")
    await world.core.write(lambda tx: blob_records.delete_later(tx, [blob_id], 0))
    assert await findings(world) == [f"blob {blob_id} is in use, and queued for deletion"]


def test_what_deliveries_remember_lies_within_the_log() -> None:
    buckets = [AuditedBucket(1, "one-bucket", 1, 5, 0, 0)]
    remembered = [("wh_1", 1, 5), ("wh_2", 1, 6), ("wh_2", 9, 1)]
    assert check_deliveries(remembered, buckets) == [
        "one-bucket: webhook wh_2 has come to event 6, the log ends at 5",
        "bucket 9: webhook wh_2 has come to event 1, the log ends at 0",
    ]


async def test_webhooks_without_a_dispatcher_are_noted(world: World) -> None:
    assert await world.delivery.read(delivery_notes) == []
    await world.delivery.write(lambda tx: tx.run("INSERT INTO assignments VALUES ('wh_1', 7)"))
    [note] = await world.delivery.read(delivery_notes)
    assert note.startswith("1 webhooks")
