"""Large bodies whose transaction is refused leave no bytes behind."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.unit.world import Alone, World

from elasticlake.blobs.digests import Digests
from elasticlake.errors import NoSuchKey, NoSuchUpload
from elasticlake.model.objects import Attributes
from elasticlake.service.collector import Collector
from elasticlake.service.conditions import Conditions
from elasticlake.service.multipart import Multipart
from elasticlake.service.objects import Objects

SIZE_BYTES = 64 * 1024 + 1


class LargeBody:
    """Bytes just too many to be stored inline."""

    length: int | None = SIZE_BYTES
    algorithms: frozenset[str] = frozenset()

    async def __aiter__(self) -> AsyncIterator[bytes | memoryview]:
        yield bytes(SIZE_BYTES)

    async def whole(self) -> bytes:
        return bytes(SIZE_BYTES)

    def verify(self, digests: Digests) -> None:
        """Nobody claimed anything of these bytes."""


async def test_a_failed_condition_leaves_no_blob(world: World) -> None:
    bucket = await world.bucket("l--p--bucket")
    objects = Objects(world.stores)
    wrong = Conditions(if_match=("no-such-etag",))
    with pytest.raises(NoSuchKey):
        await objects.put(world.request(), bucket, b"k", LargeBody(), Attributes(), conditions=wrong)
    await assert_nothing_is_left(world)


async def test_a_part_of_an_upload_that_went_leaves_no_blob(world: World) -> None:
    await world.bucket("l--p--bucket")
    multipart = Multipart(world.stores)
    upload = await multipart.create(world.request(), "l--p--bucket", b"k", Attributes())
    await multipart.abort(world.request(), "l--p--bucket", b"k", upload.id)
    with pytest.raises(NoSuchUpload):
        await multipart.put_part(upload, 1, LargeBody())
    await assert_nothing_is_left(world)


async def assert_nothing_is_left(world: World) -> None:
    intents = await world.core.read(lambda reader: reader.rows("SELECT blob_id FROM blob_intents"))
    assert intents == []
    await Collector(world.stores, Alone()).collect()
    assert [blob_id async for blob_id in world.stores.blobs.ids()] == []
