"""Remote blobs against a store that fails: what is repeated, what is given up, and what the caller is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from obstore.store import LocalStore
from tests.integration.server import free_port
from tests.unit.blobs.faulty_store import RESET, Answer, Asked, FaultyStore, Script, faulty_store, in_turn, ranged

from elasticlake.blobs import remote_writer
from elasticlake.blobs.remote import RemoteBlobs, open_remote_blobs
from elasticlake.blobs.remote_store import Patience
from elasticlake.blobs.remote_writer import RemoteWriter
from elasticlake.blobs.store import BlobMissing
from elasticlake.errors import InsufficientStorage, Unavailable
from elasticlake.model.ids import new_blob_id

MIB = 1024 * 1024
BODY = bytes(range(256)) * 8192
QUICK = Patience(1, 1, 2, 3, 0.01, 0.02)
NO_RETRIES = replace(QUICK, retries=0)
BUSY = Answer(503, b"<Error><Code>SlowDown</Code></Error>")
UPLOAD = Answer(
    body=b"<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>key</Key><UploadId>u1</UploadId>"
    b"</InitiateMultipartUploadResult>"
)
COMPLETED = Answer(body=b"<CompleteMultipartUploadResult><ETag>&quot;e&quot;</ETag></CompleteMultipartUploadResult>")
DELETED = Answer(body=b"<DeleteResult><Deleted><Key>key</Key></Deleted></DeleteResult>")
STORED = Answer(headers={"ETag": '"e"'})

Use = Callable[[RemoteBlobs], Coroutine[Any, Any, object]]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")


async def read(blobs: RemoteBlobs, size_bytes: int = len(BODY)) -> bytes:
    return b"".join([piece async for piece in blobs.read("ab" * 16, 0, size_bytes)])


async def write(blobs: RemoteBlobs, size_bytes: int = 1) -> None:
    writer = await blobs.create("ab" * 16)
    for start in range(0, size_bytes, MIB):
        await writer.write(bytes(min(MIB, size_bytes - start)))
    await writer.commit()


async def fill(writer: RemoteWriter) -> None:
    """Four parts and more."""
    for _ in range(40):
        await writer.write(bytes(MIB))
    await writer.commit()


async def settled(store: FaultyStore) -> int:
    """How often the store was asked, once it is asked no more."""
    asked = -1
    while asked != len(store.asked):
        asked = len(store.asked)
        await asyncio.sleep(0.1)
    return asked


async def ids(blobs: RemoteBlobs) -> list[str]:
    return [blob_id async for blob_id in blobs.ids()]


USES: dict[str, Use] = {
    "read": read,
    "read nothing": lambda blobs: read(blobs, 0),
    "write": write,
    "write much": lambda blobs: write(blobs, 9 * MIB),
    "delete": lambda blobs: blobs.delete(["ab" * 16]),
    "ids": ids,
    "size": lambda blobs: blobs.size("ab" * 16),
}


@pytest.mark.parametrize("etag", ['"etag"', None])
@pytest.mark.parametrize("patience", [QUICK, NO_RETRIES], ids=["the library retries", "the library does not"])
async def test_a_stream_that_breaks_is_resumed_where_it_broke(etag: str | None, patience: Patience) -> None:
    breaking = ranged(BODY, etag=etag, cut_after=700_000)
    whole = ranged(BODY, etag=etag)
    async with faulty_store(lambda asked: (breaking if asked.first_byte < 1_400_000 else whole)(asked)) as store:
        assert await read(open_remote_blobs(store.url, patience)) == BODY
    starts = [asked.first_byte for asked in store.asked]
    assert len(starts) > 2
    assert starts[0] == 0
    assert starts == sorted(starts)


async def test_a_stream_that_brings_nothing_any_more_is_given_up() -> None:
    first, broken = ranged(BODY, cut_after=600_000), ranged(BODY, cut_after=0)
    async with faulty_store(lambda asked: (broken if asked.first_byte else first)(asked)) as store:
        with pytest.raises(Unavailable):
            await read(open_remote_blobs(store.url, NO_RETRIES))
    assert len(store.asked) < 10


async def test_a_blob_that_goes_while_it_is_read_is_missing() -> None:
    first, gone = ranged(BODY, cut_after=600_000), Answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
    async with faulty_store(lambda asked: gone if asked.first_byte else first(asked)) as store:
        with pytest.raises(BlobMissing):
            await read(open_remote_blobs(store.url, NO_RETRIES))


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_a_store_that_cannot_be_reached_is_unavailable(use: Use) -> None:
    url = f"s3://bucket?endpoint=http://127.0.0.1:{free_port()}"
    began = time.monotonic()
    with pytest.raises(Unavailable):
        await use(open_remote_blobs(url, QUICK))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_a_store_that_never_answers_is_unavailable(use: Use) -> None:
    async with faulty_store(in_turn(Answer(seconds=60))) as store:
        with pytest.raises(Unavailable):
            await use(open_remote_blobs(store.url, replace(NO_RETRIES, silence_seconds=0.2)))


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("fault", [BUSY, RESET], ids=["503", "reset"])
async def test_what_fails_for_ever_is_unavailable(use: Use, fault: Answer) -> None:
    async with faulty_store(in_turn(fault)) as store:
        with pytest.raises(Unavailable):
            await use(open_remote_blobs(store.url, QUICK))
    assert len(store.asked) > 1


@pytest.mark.parametrize("fault", [BUSY, Answer(500), RESET], ids=["503", "500", "reset"])
async def test_requests_are_repeated(fault: Answer) -> None:
    listed = Answer(body=b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
    sized = Answer(headers={"Content-Length": "7", "Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT", "ETag": '"e"'})
    answers = {"GET": listed, "HEAD": sized, "PUT": STORED, "POST": DELETED}
    failed: dict[str, int] = {}

    def answer(asked: Asked) -> Answer:
        failed[asked.method] = failed.get(asked.method, 0) + 1
        return fault if failed[asked.method] <= 2 else answers[asked.method]

    async with faulty_store(answer) as store:
        blobs = open_remote_blobs(store.url, QUICK)
        await write(blobs)
        assert await blobs.size("ab" * 16) == 7
        assert await ids(blobs) == []
        await blobs.delete(["ab" * 16])
    assert failed == dict.fromkeys(answers, 3)


@pytest.mark.parametrize(
    "answer",
    [Answer(507), Answer(403, b"<Error><Code>QuotaExceeded</Code></Error>")],
    ids=["507", "quota"],
)
async def test_a_full_store_is_said_to_be_full(answer: Answer) -> None:
    async with faulty_store(in_turn(answer)) as store:
        with pytest.raises(InsufficientStorage):
            await write(open_remote_blobs(store.url, QUICK))


def upload(**faults: Answer) -> Script:
    """Answers a multipart upload; `begin`, `part`, `complete` and `abort` may be told to fail."""

    def answer(asked: Asked) -> Answer:
        match asked.method:
            case "POST" if "delete" in asked.query:
                return DELETED
            case "POST":
                return faults.get("begin", UPLOAD) if "uploads" in asked.query else faults.get("complete", COMPLETED)
            case "PUT":
                return faults.get("part", STORED)
            case _:
                return faults.get("abort", Answer(204))

    return answer


async def test_parts_arrive_whole_and_in_order() -> None:
    body = BODY * 10
    async with faulty_store(upload()) as store:
        writer = await open_remote_blobs(store.url, QUICK).create("ab" * 16)
        for start in range(0, len(body), MIB):
            await writer.write(body[start : start + MIB])
        await writer.commit()
    parts = {int(asked.query["partNumber"]): asked.body for asked in store.asked if asked.method == "PUT"}
    assert b"".join(parts[number] for number in sorted(parts)) == body


@pytest.mark.parametrize("fault", ["begin", "part", "complete"])
async def test_after_a_fault_a_blob_can_only_be_aborted(fault: str) -> None:
    async with faulty_store(upload(**{fault: Answer(400)})) as store:
        writer = await open_remote_blobs(store.url, QUICK).create("ab" * 16)
        with pytest.raises(Unavailable):
            await fill(writer)
        # Parts go side by side: one that was under way when another failed still arrives.
        asked = await settled(store)
        with pytest.raises(Unavailable):
            await writer.write(b"more")
        with pytest.raises(Unavailable):
            await writer.commit()
        assert await settled(store) == asked
        await writer.abort()
        deletes = [request for request in store.asked if request.method == "DELETE"]
        assert any("uploadId" in request.query for request in deletes) == (fault != "begin")


async def test_a_commit_whose_answer_was_lost_is_taken_back() -> None:
    async with faulty_store(upload(complete=RESET)) as store:
        writer = await open_remote_blobs(store.url, NO_RETRIES).create("ab" * 16)
        await writer.write(bytes(9 * MIB))
        with pytest.raises(Unavailable):
            await writer.commit()
        await writer.abort()
    assert f"<Key>ab/{'ab' * 16}</Key>".encode() in store.asked[-1].body
    assert "delete" in store.asked[-1].query


async def test_a_request_does_not_wait_for_a_store_that_clears_nothing_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_writer, "ABORT_SECONDS", 0.1)
    asked_for_abort = asyncio.Event()

    def answer(asked: Asked) -> Answer:
        if asked.method == "DELETE":
            asked_for_abort.set()
        return upload(abort=Answer(204, seconds=5))(asked)

    async with faulty_store(answer) as store:
        blobs = open_remote_blobs(store.url, QUICK)
        writer = await blobs.create("ab" * 16)
        await writer.write(bytes(9 * MIB))
        began = time.monotonic()
        await writer.abort()
        assert time.monotonic() - began < 4
        await asyncio.wait_for(asked_for_abort.wait(), 10)


async def test_an_abort_does_not_raise_for_the_stores_sake() -> None:
    async with faulty_store(upload(abort=Answer(403))) as store:
        writer = await open_remote_blobs(store.url, QUICK).create("ab" * 16)
        await writer.write(bytes(9 * MIB))
        await writer.abort()
        await writer.abort()
    assert "DELETE" in store.methods()


async def test_stores_that_delete_one_by_one_do_not_stop_at_a_missing_one(tmp_path: Path) -> None:
    """Google's and Azure's say of a missing object that it is; so do files, which stand for them here."""
    blobs = RemoteBlobs(LocalStore(tmp_path))
    stored = [new_blob_id() for _ in range(25)]
    for blob_id in stored:
        writer = await blobs.create(blob_id)
        await writer.commit()
    missing = [new_blob_id() for _ in range(25)]
    await blobs.delete([blob_id for pair in zip(missing, stored, strict=True) for blob_id in pair])
    assert await ids(blobs) == []
