"""Multipart uploads: what their listing shows, and who may see it. The rest is tested through the protocol."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.world import ROOT, World

from elasticlake.errors import AccessDenied, InvalidInput, NoSuchBucket, NoSuchUpload
from elasticlake.model.accounts import ANONYMOUS, Caller, Scope
from elasticlake.model.objects import Attributes, Upload
from elasticlake.service.multipart import Completion, Multipart, NamedPart

BUCKET = "uploads"
KEYS = st.sampled_from([b"a", b"a/1", b"a/2", b"b", b"b\xc3\xa4", b"c"])


async def begin(world: World, keys: list[bytes]) -> list[tuple[bytes, str]]:
    """Uploads of these keys, in the order of a listing."""
    multipart = Multipart(world.stores)
    uploads = [await multipart.create(world.request(), BUCKET, key, Attributes()) for key in keys]
    return sorted((upload.key, upload.id) for upload in uploads)


async def pages(world: World, prefix: bytes, delimiter: bytes, limit: int) -> tuple[list[Upload], list[bytes], int]:
    """Every page's uploads, common prefixes, and how many pages there were."""
    multipart, caller = Multipart(world.stores), world.request().caller
    found: list[Upload] = []
    prefixes: list[bytes] = []
    key_marker, id_marker, count = b"", "", 0
    while True:
        page = await multipart.list_uploads(caller, BUCKET, prefix, delimiter, key_marker, id_marker, limit)
        found, prefixes, count = found + page.items, prefixes + page.prefixes, count + 1
        if not page.truncated:
            return found, prefixes, count
        assert page.last is not None
        ends_with_upload = bool(page.items) and page.items[-1].key == page.last
        key_marker, id_marker = page.last, page.items[-1].id if ends_with_upload else ""


@given(
    st.lists(KEYS, min_size=1, max_size=14), st.sampled_from([b"", b"a", b"b"]), st.sampled_from([b"", b"/"]),
    st.integers(1, 5),
)  # fmt: skip
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_pages_of_uploads_follow_each_other(
    world: World, keys: list[bytes], prefix: bytes, delimiter: bytes, limit: int
) -> None:
    await world.bucket(BUCKET)
    made = [entry for entry in await begin(world, keys) if entry[0].startswith(prefix)]
    grouped = sorted({b"a/" for key, _ in made if delimiter and key.startswith(b"a/")})
    plain = [entry for entry in made if not (delimiter and entry[0].startswith(b"a/"))]
    found, prefixes, count = await pages(world, prefix, delimiter, limit)
    assert [(upload.key, upload.id) for upload in found] == plain
    assert prefixes == grouped
    assert count == max(1, -(-(len(plain) + len(grouped)) // limit))
    await world.buckets.delete(world.request(), BUCKET)


@pytest.mark.embedded
async def test_an_upload_does_not_begin_in_a_new_bucket_of_the_name(world: World) -> None:
    await world.bucket(BUCKET)
    await world.accounts.create(ROOT, "alice", "alice", "alice@example.com")
    outcomes = await asyncio.gather(
        world.buckets.delete(world.request(), BUCKET),
        world.bucket(BUCKET, "alice"),
        begin(world, [b"key"]),
        return_exceptions=True,
    )
    assert isinstance(outcomes[2], NoSuchBucket)
    assert await world.core.read(lambda reader: reader.rows("SELECT id FROM uploads")) == []


async def test_a_public_bucket_shows_uploads_but_not_their_parts(world: World) -> None:
    multipart = Multipart(world.stores)
    await world.buckets.create(world.request(), BUCKET, acl="public-read")
    ((key, upload_id),) = await begin(world, [b"key"])
    page = await multipart.list_uploads(ANONYMOUS, BUCKET, b"", b"", b"", "", 10)
    assert [upload.id for upload in page.items] == [upload_id]
    with pytest.raises(AccessDenied):
        await multipart.list_parts(ANONYMOUS, BUCKET, key, upload_id, 0, 10)


async def test_a_key_of_one_prefix_lists_uploads_under_it_alone(world: World) -> None:
    multipart = Multipart(world.stores)
    await world.bucket(BUCKET)
    await begin(world, [b"in/key", b"out/key"])
    caller = Caller("root", "AKID", Scope(prefixes=("in/",)))
    page = await multipart.list_uploads(caller, BUCKET, b"in/", b"", b"", "", 10)
    assert [upload.key for upload in page.items] == [b"in/key"]
    with pytest.raises(AccessDenied):
        await multipart.list_uploads(caller, BUCKET, b"", b"", b"", "", 10)


async def test_an_upload_is_found_by_its_bucket_and_key_alone(world: World) -> None:
    multipart, request = Multipart(world.stores), world.request()
    await world.bucket(BUCKET)
    await world.bucket("another")
    ((key, upload_id),) = await begin(world, [b"key"])
    for bucket, other in ((BUCKET, b"other"), ("another", key)):
        with pytest.raises(NoSuchUpload):
            await multipart.abort(request, bucket, other, upload_id)
        with pytest.raises(NoSuchUpload):
            await multipart.complete(request, bucket, other, upload_id, Completion([NamedPart(1, "etag")]))


@pytest.mark.parametrize("number", [0, -1, 10_001])
async def test_part_numbers(world: World, number: int) -> None:
    multipart = Multipart(world.stores)
    await world.bucket(BUCKET)
    ((key, upload_id),) = await begin(world, [b"key"])
    with pytest.raises(InvalidInput):
        await multipart.authorize_part(world.request(), BUCKET, key, upload_id, number)
