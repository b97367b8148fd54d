"""What an S3 server sees of remote blobs: names, requests, and what is left of those that were given up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.conformance.blobs.bodies import MIB, body_of, ids, read, store
from tests.conformance.blobs.conftest import PREFIX

from elasticlake.blobs.remote import RemoteBlobs, UnusableBlobs, open_remote_blobs
from elasticlake.blobs.store import BlobMissing
from elasticlake.errors import Unavailable
from elasticlake.model.ids import new_blob_id

PART = 8 * MIB


def keys(s3: Any, bucket: str) -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def uploads(s3: Any, bucket: str) -> list[str]:
    return [found["Key"] for found in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


async def test_a_blobs_name_begins_with_its_first_byte(s3_blobs: RemoteBlobs, s3: Any, bucket: str) -> None:
    blob_id = await store(s3_blobs, b"body")
    assert keys(s3, bucket) == [f"{PREFIX}/{blob_id[:2]}/{blob_id}"]


@pytest.mark.parametrize(("size_bytes", "parts"), [(1, ""), (PART, ""), (PART + 1, "1"), (2 * PART, "2")])
async def test_a_blob_of_one_part_is_one_request(
    s3_blobs: RemoteBlobs, s3: Any, bucket: str, size_bytes: int, parts: str
) -> None:
    """The ETag of a multipart upload ends in the number of its parts."""
    await store(s3_blobs, body_of(size_bytes))
    etag = s3.head_object(Bucket=bucket, Key=keys(s3, bucket)[0])["ETag"]
    assert etag.strip('"').partition("-")[2] == parts


async def test_an_aborted_blob_leaves_no_upload(s3_blobs: RemoteBlobs, s3: Any, bucket: str) -> None:
    writer = await s3_blobs.create(new_blob_id())
    await writer.write(body_of(20 * MIB))
    assert len(uploads(s3, bucket)) == 1
    await writer.abort()
    assert uploads(s3, bucket) == keys(s3, bucket) == []


@pytest.mark.parametrize("turns", [0, 1, 2, 5])
async def test_a_cancelled_blob_leaves_no_upload(s3_blobs: RemoteBlobs, s3: Any, bucket: str, turns: int) -> None:
    """Also if it is cancelled while the upload is being begun, when only the server knows of it."""
    writer = await s3_blobs.create(new_blob_id())
    writing = asyncio.create_task(writer.write(body_of(20 * MIB)))
    for _ in range(turns):
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await writer.abort()
    assert uploads(s3, bucket) == keys(s3, bucket) == []


async def test_a_commit_that_is_cancelled_can_be_aborted(s3_blobs: RemoteBlobs, s3: Any, bucket: str) -> None:
    writer = await s3_blobs.create(new_blob_id())
    await writer.write(body_of(9 * MIB))
    committing = asyncio.create_task(writer.commit())
    await asyncio.sleep(0)
    committing.cancel()
    await asyncio.gather(committing, return_exceptions=True)
    await writer.abort()
    assert uploads(s3, bucket) == keys(s3, bucket) == []


async def test_what_others_keep_there_is_no_blob(s3_blobs: RemoteBlobs, s3: Any, bucket: str) -> None:
    blob_id = await store(s3_blobs, b"body")
    others = ["other", f"{PREFIX}/notes.txt", f"{PREFIX}/zz/{new_blob_id()}", f"{PREFIX}2/{blob_id[:2]}/{blob_id}"]
    for key in [*others, f"{PREFIX}/{blob_id[:2]}/{blob_id}.old"]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"theirs")
    assert await ids(s3_blobs) == [blob_id]


async def test_a_listing_goes_on_after_its_first_page(s3_blobs: RemoteBlobs, s3: Any, bucket: str) -> None:
    names = sorted(new_blob_id() for _ in range(1_005))
    for name in names:
        s3.put_object(Bucket=bucket, Key=f"{PREFIX}/{name[:2]}/{name}", Body=b"")
    assert await ids(s3_blobs) == names
    await s3_blobs.delete(names)
    assert await ids(s3_blobs) == []


async def test_a_bucket_that_is_missing_is_not_a_missing_blob(s3_url: str, bucket: str) -> None:
    blobs = open_remote_blobs(s3_url.replace(bucket, "no-such-bucket"))
    with pytest.raises(Unavailable):
        await read(blobs, new_blob_id(), 0, 1)
    with pytest.raises(Unavailable):
        await store(blobs, b"body")
    with pytest.raises(Unavailable):
        await blobs.delete([new_blob_id()])
    with pytest.raises(Unavailable):
        await ids(blobs)


async def test_a_refused_key_is_a_fault_and_no_missing_blob(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    blobs = open_remote_blobs(s3_url)
    with pytest.raises(Unavailable):
        await read(blobs, new_blob_id(), 0, 1)
    with pytest.raises(Unavailable):
        await blobs.size(new_blob_id())


async def test_a_range_beyond_the_end_is_damage(s3_blobs: RemoteBlobs) -> None:
    blob_id = await store(s3_blobs, body_of(9 * MIB))
    for offset in (9 * MIB, 9 * MIB + 1):
        with pytest.raises(BlobMissing):
            await read(s3_blobs, blob_id, offset, 1)


async def test_a_place_belongs_to_one_installation(s3_url: str) -> None:
    """Another's sweep would take the first one's blobs for orphans."""
    first, second = open_remote_blobs(s3_url), open_remote_blobs(s3_url)
    await asyncio.gather(first.claim("ours"), second.claim("ours"))
    with pytest.raises(UnusableBlobs, match="another installation"):
        await second.claim("theirs")
    await first.claim("ours")
    assert [blob_id async for blob_id in first.ids()] == []
