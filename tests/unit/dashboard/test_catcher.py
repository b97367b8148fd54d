"""The catcher, over real sockets: what comes is kept within bounds, and judged by its signature."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from tests.unit.dashboard.test_sessions import Watch

from elasticlake.dashboard.catcher import (
    LIFE_SECONDS,
    MAX_BODY_BYTES,
    MAX_PLACES,
    MAX_REQUESTS,
    Catchers,
    Place,
    is_catchers,
)
from elasticlake.signing import page_signature


@pytest.fixture
def clock() -> Watch:
    return Watch()


@pytest.fixture
async def catchers(clock: Watch) -> AsyncIterator[Catchers]:
    made = Catchers(clock)
    yield made
    made.close()


async def opened(catchers: Catchers, bucket: str = "a--b--c") -> Place:
    place = await catchers.open(bucket)
    place.webhook_id = f"wh_{bucket}"
    return place


async def raw(place: Place, request: bytes) -> int:
    """Send bytes to where the place listens; the answer's status, 0 if the connection was closed without."""
    parts = urlsplit(place.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request)
    try:
        answer = await reader.read()
    except ConnectionResetError:
        return 0
    finally:
        writer.close()
    return int(answer.split(b" ")[1]) if answer else 0


async def post(place: Place, body: bytes, signature: str | None = None, path: str = "", method: str = "POST") -> int:
    signed = page_signature(place.secret, body) if signature is None else signature
    head = (
        f"{method} {path or urlsplit(place.url).path} HTTP/1.1\r\nHost: x\r\nX-ElasticLake-Signature: {signed}\r\n"
        f"X-ElasticLake-Event: object:created\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return await raw(place, head.encode() + body)


async def test_a_delivery_is_kept_and_its_signature_verified(catchers: Catchers, clock: Watch) -> None:
    place = await opened(catchers)
    assert await post(place, b'{"event":"object:created"}') == 200
    (caught,) = place.caught
    assert caught.is_verified
    assert caught.body == b'{"event":"object:created"}'
    assert caught.header("x-elasticlake-event") == "object:created"
    assert caught.time_ms == clock.ms
    assert catchers.of_bucket("a--b--c") is place


@pytest.mark.parametrize("signature", ["", "sha256=00", "sha256=é"])
async def test_what_is_signed_otherwise_is_kept_and_said_to_be(catchers: Catchers, signature: str) -> None:
    place = await opened(catchers)
    assert await post(place, b"{}", signature) == 200
    assert not place.caught[0].is_verified


async def test_only_the_last_requests_are_kept_and_all_are_counted(catchers: Catchers) -> None:
    place = await opened(catchers)
    for number in range(MAX_REQUESTS + 3):
        place.take(number, (), b"")
    assert len(place.caught) == MAX_REQUESTS
    assert place.caught[-1].number == place.count == MAX_REQUESTS + 3


async def test_the_eldest_place_goes_for_an_eleventh(catchers: Catchers) -> None:
    places = [await opened(catchers, f"bucket-{number}") for number in range(MAX_PLACES + 1)]
    assert catchers.of_bucket("bucket-0") is None
    assert catchers.of_bucket("bucket-1") is places[1]
    assert await post(places[0], b"{}") == 410
    assert await post(places[1], b"{}") == 200


async def test_after_an_hour_a_place_is_forgotten_and_says_gone(catchers: Catchers, clock: Watch) -> None:
    place = await opened(catchers)
    clock.ms += int(LIFE_SECONDS * 1000) - 1
    assert await post(place, b"{}") == 200
    clock.ms += 1
    assert catchers.of_bucket("a--b--c") is None
    assert await post(place, b"{}") == 410
    assert place.count == 1


async def test_a_place_without_a_webhook_is_nobodys(catchers: Catchers) -> None:
    place = await catchers.open("a--b--c")
    assert catchers.of_bucket("a--b--c") is None
    catchers.forget(place)
    assert await post(place, b"{}") == 410


async def test_what_is_no_delivery_is_refused_and_not_kept(catchers: Catchers) -> None:
    place = await opened(catchers)
    path = urlsplit(place.url).path
    assert await post(place, b"{}", path="/guess") == 410
    assert await post(place, b"", method="GET") == 405
    # A body that is not read may cost its sender the answer.
    assert await post(place, b"x" * (MAX_BODY_BYTES + 1)) in (413, 0)
    assert await raw(place, f"POST {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) == 411
    assert await raw(place, f"POST {path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode()) == 411
    assert await raw(place, b"nonsense\r\n\r\n") == 400
    assert await raw(place, b"POST / HTTP/1.1\r\nX: " + b"y" * 200_000 + b"\r\n\r\n") == 0
    assert place.count == 0


async def test_a_body_of_the_largest_size_is_taken(catchers: Catchers) -> None:
    place = await opened(catchers)
    assert await post(place, b"x" * MAX_BODY_BYTES) == 200


async def test_who_waits_is_told_of_what_comes(catchers: Catchers) -> None:
    place = await opened(catchers)
    waiting = asyncio.create_task(place.wait_for(2, 30))
    await post(place, b"{}")
    assert not waiting.done()
    await post(place, b"{}")
    async with asyncio.timeout(5):
        await waiting


async def test_who_waits_for_nothing_goes_on(catchers: Catchers) -> None:
    place = await opened(catchers)
    await place.wait_for(1, 0.01)
    assert place.count == 0


async def test_all_places_listen_at_one_port_of_this_machine(catchers: Catchers) -> None:
    first, second = await opened(catchers), await opened(catchers, "other")
    assert urlsplit(first.url).netloc == urlsplit(second.url).netloc
    assert urlsplit(first.url).hostname == "127.0.0.1"
    assert first.secret != second.secret


async def test_a_place_is_known_by_its_url_after_its_catcher_is_gone() -> None:
    catchers = Catchers(Watch())
    place = await catchers.open("bucket")
    catchers.close()
    assert is_catchers(place.url)
    for other in ("http://127.0.0.1:5000/hook", "https://example.com/" + "a" * 22, place.url + "/more", ""):
        assert not is_catchers(other)
