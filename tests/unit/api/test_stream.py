"""Live streams over HTTP: the form of Server-Sent Events, where they begin, and how they end."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from starlette.types import Message
from tests.unit.world import ROOT, World

from elasticlake.api.stream import EventStream, is_wanted
from elasticlake.errors import NoSuchBucket
from elasticlake.metadata import events
from elasticlake.model.events import encode_payload, payload
from elasticlake.service.place_tail import Place
from elasticlake.service.tail import Tail, Told

STREAM = {"Accept": "text/event-stream"}
BUCKET = "lake1--pond1--my-bucket"


async def turns(count: int) -> None:
    """Let everybody have so many turns, however slow the machine is."""
    for _ in range(count):
        await asyncio.sleep(0.005)


async def whole(api: httpx.AsyncClient, world: World, path: str, *, count: int = 60, **headers: str) -> Any:
    """The answer that a stream is until its server stops, a moment from now."""
    asking = asyncio.create_task(api.get(f"/v1/{path}", headers={**STREAM, **headers}))
    await turns(count)
    world.feed.close()
    async with asyncio.timeout(10):
        return await asking


def ids(answer: httpx.Response) -> list[str]:
    return [line[4:] for line in answer.text.splitlines() if line.startswith("id: ")]


async def fill(world: World, count: int) -> None:
    await world.bucket(BUCKET)
    for number in range(count):
        await world.put(BUCKET, "ключ\r\n".encode() + b"%d" % number)


async def test_a_stream_is_the_payloads_byte_for_byte(api: httpx.AsyncClient, world: World) -> None:
    await fill(world, 2)
    answer = await whole(api, world, f"buckets/{BUCKET}/events?after=0")
    bucket = await world.hierarchy.get_bucket(ROOT, BUCKET)
    logged = await world.core.read(lambda reader: events.after(reader, bucket.id, 0, 10))
    frames = [
        b"id: %d\nevent: object:created\ndata: %s\n\n" % (event.sequence, encode_payload(payload(event)))
        for event in logged
    ]
    assert answer.content == b"retry: 1000\nid: 0\n\n" + b"".join(frames)
    assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("query", "header", "expected"),
    [
        ("", None, ["3"]),
        ("?after=1", None, ["1", "2", "3"]),
        ("?after=1", "2", ["2", "3"]),
        ("", "0", ["0", "1", "2", "3"]),
    ],
)
async def test_where_a_stream_begins(
    api: httpx.AsyncClient, world: World, query: str, header: str | None, expected: list[str]
) -> None:
    await fill(world, 3)
    given = {} if header is None else {"Last-Event-ID": header}
    assert ids(await whole(api, world, f"buckets/{BUCKET}/events{query}", **given)) == expected


@pytest.mark.both_engines
@pytest.mark.parametrize("place", ["buckets/" + BUCKET, "lakes/lake1", "lakes/lake1/ponds/pond1"])
async def test_what_happens_meanwhile_is_told(api: httpx.AsyncClient, world: World, place: str) -> None:
    await fill(world, 1)
    asking = asyncio.create_task(whole(api, world, f"{place}/events", count=300))
    await turns(100)
    await world.put(BUCKET, b"new")
    answer = await asking
    begun, told = ids(answer)
    assert begun != told
    (data,) = [line[6:] for line in answer.text.split("\n") if line.startswith("data: ")]
    assert json.loads(data)["object"]["key"] == "new"


async def position_in(world: World, place: str) -> str:
    """Where a stream of the place is now."""
    if place.startswith("buckets"):
        return (await world.feed.tail_bucket(await world.hierarchy.get_bucket(ROOT, BUCKET), None)).position
    lake, pond = (await world.hierarchy.get_lake(ROOT, "lake1"), await world.hierarchy.get_pond(ROOT, "lake1", "pond1"))
    named = Place("pond", pond.id) if "ponds" in place else Place("lake", lake.id)
    return (await world.feed.tail_place(ROOT, named, None)).position


@pytest.mark.both_engines
@pytest.mark.parametrize("place", ["buckets/" + BUCKET, "lakes/lake1", "lakes/lake1/ponds/pond1"])
async def test_a_stream_goes_on_after_the_last_event_seen(api: httpx.AsyncClient, world: World, place: str) -> None:
    await fill(world, 1)
    position = await position_in(world, place)
    await world.put(BUCKET, b"missed")
    first, told = ids(await whole(api, world, f"{place}/events", **{"Last-Event-ID": position}))
    assert first == position != told


async def test_an_expired_position_is_410_before_the_stream(api: httpx.AsyncClient, world: World) -> None:
    await fill(world, 3)
    await world.trim_log(await world.hierarchy.get_bucket(ROOT, BUCKET), 3)
    answer = await api.get(f"/v1/buckets/{BUCKET}/events", headers={**STREAM, "Last-Event-ID": "1"})
    assert (answer.status_code, answer.json()["firstSequence"]) == (410, 3)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("place", ["buckets/" + BUCKET, "lakes/lake1", "lakes/lake1/ponds/pond1"])
@pytest.mark.parametrize("position", ["-1", "x", "9" * 30, "AQ", "AAAA", "٣"])
async def test_what_is_no_position_is_said(api: httpx.AsyncClient, world: World, place: str, position: str) -> None:
    await fill(world, 1)
    answer = await api.get(f"/v1/{place}/events", headers={**STREAM, "Last-Event-ID": position.encode()})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Last-Event-ID")
    answer = await api.get(f"/v1/{place}/events", headers=STREAM, params={"after": position})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "after")


@pytest.mark.parametrize("place", ["buckets/none", "lakes/none", "lakes/lake1/ponds/none"])
async def test_what_does_not_exist(api: httpx.AsyncClient, world: World, place: str) -> None:
    await fill(world, 1)
    assert (await api.get(f"/v1/{place}/events", headers=STREAM)).status_code == 404


async def test_the_form_is_as_asked(api: httpx.AsyncClient, world: World) -> None:
    await fill(world, 1)
    json_only = {"Accept": "application/json"}
    assert (await api.get("/v1/lakes/lake1/events", headers=json_only)).status_code == 406
    assert len((await api.get(f"/v1/buckets/{BUCKET}/events", headers=json_only)).json()["items"]) == 1


@pytest.mark.parametrize(
    ("accept", "of_two", "of_one"),
    [
        (None, False, True),
        ("*/*", False, True),
        ("text/event-stream", True, True),
        ("application/json, Text/Event-Stream;q=0.5", True, True),
        ("text/event-stream;q=0, */*", False, False),
        ("text/event-stream; q=x", False, False),
        ("text/*", False, True),
        ("application/json", False, False),
        ("", False, True),
    ],
)
def test_what_accept_asks_for(accept: str | None, of_two: bool, of_one: bool) -> None:
    assert is_wanted(accept, alone=False) is of_two
    assert is_wanted(accept, alone=True) is of_one


async def test_head_ends_at_once(api: httpx.AsyncClient, world: World) -> None:
    await fill(world, 1)
    async with asyncio.timeout(10):
        answer = await api.head(f"/v1/buckets/{BUCKET}/events", headers=STREAM)
    assert (answer.status_code, answer.content) == (200, b"")


class Watched:
    """A tail that counts what is asked of it."""

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self.reads = 0
        self.is_closed = False
        self.position = tail.position

    async def read(self, limit: int, wait_seconds: float) -> list[Told] | None:
        self.reads += 1
        return await self._tail.read(min(limit, 10), wait_seconds)

    def close(self) -> None:
        self.is_closed = True


class Reader:
    """The other side of a stream: takes `takes` pieces of the body, then no more until it goes."""

    def __init__(self, takes: int) -> None:
        self.bodies: list[bytes] = []
        self.has_gone = asyncio.Event()
        self._takes = takes

    async def receive(self) -> Message:
        await self.has_gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            self.bodies.append(message["body"])
            if len(self.bodies) >= self._takes:
                await asyncio.Event().wait()


async def allowed() -> None:
    """Always."""


async def watched_stream(world: World, after: int | None) -> Watched:
    bucket = await world.hierarchy.get_bucket(ROOT, BUCKET)
    return Watched(await world.feed.tail_bucket(bucket, after))


async def test_a_reader_that_stops_stops_the_reading_and_one_that_goes_ends_it(world: World) -> None:
    await fill(world, 100)
    tail, reader = await watched_stream(world, 0), Reader(takes=3)
    answering = asyncio.create_task(EventStream(tail, allowed)({"type": "http"}, reader.receive, reader.send))
    await turns(40)
    assert (tail.reads, len(reader.bodies)) == (2, 3), "the start and two reads, however much there is"
    reader.has_gone.set()
    async with asyncio.timeout(10):
        await answering
    assert tail.is_closed


async def test_silence_is_broken_by_pings_until_the_token_or_the_place_goes(world: World) -> None:
    await fill(world, 1)
    questions = 0

    async def allowed_twice() -> None:
        nonlocal questions
        questions += 1
        if questions > 2:
            raise NoSuchBucket

    tail, reader = await watched_stream(world, None), Reader(takes=100)
    async with asyncio.timeout(10):
        await EventStream(tail, allowed_twice, 0.05)({"type": "http"}, reader.receive, reader.send)
    assert reader.bodies == [b"retry: 1000\nid: 1\n\n", b": ping\n\n", b": ping\n\n", b""]
    assert tail.is_closed


async def test_a_revoked_token_ends_its_streams(api: httpx.AsyncClient, world: World, monkeypatch: Any) -> None:
    await fill(world, 1)
    monkeypatch.setattr(EventStream.__init__, "__defaults__", (0.1,))
    for place in (f"buckets/{BUCKET}", "lakes/lake1", "lakes/lake1/ponds/pond1"):
        made, text = await world.tokens.create(ROOT, access="read")
        headers = {**STREAM, "Authorization": f"Bearer {text}"}
        asking = asyncio.create_task(api.get(f"/v1/{place}/events", headers=headers))
        await turns(60)
        assert not asking.done()
        await world.tokens.delete(ROOT, made.id)
        async with asyncio.timeout(10):
            assert (await asking).status_code == 200
