"""A server that answers an object store's client as a test says, byte for byte, and breaks where it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Asked:
    """A request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def first_byte(self) -> int:
        """Where the range that is asked for begins."""
        return int(self.headers["range"].removeprefix("bytes=").partition("-")[0])


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; `cut_after` bytes of its body the connection is reset, `seconds` pass before it."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    seconds: float = 0.0


RESET = Answer(cut_after=-1)
"""The connection is reset before any byte."""

Script = Callable[[Asked], Answer]


@dataclass(slots=True)
class FaultyStore:
    """What was asked so far, and how the next is answered."""

    answer: Script
    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"s3://bucket?endpoint=http://127.0.0.1:{self.port}&region=eu-central-1"

    def methods(self) -> list[str]:
        return [asked.method for asked in self.asked]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        try:
            while asked := await _read(reader):
                self.asked.append(asked)
                if not await _send(writer, asked, self.answer(asked)):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def faulty_store(answer: Script) -> AsyncIterator[FaultyStore]:
    """A server on a free port of this machine."""
    store = FaultyStore(answer)
    connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.ensure_future(store.serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    store.port = server.sockets[0].getsockname()[1]
    try:
        yield store
    finally:
        server.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def in_turn(*answers: Answer) -> Script:
    """The answers one after another, the last one for ever."""
    rest = list(answers)
    return lambda asked: rest.pop(0) if len(rest) > 1 else rest[0]


def ranged(body: bytes, *, etag: str | None = '"etag"', cut_after: int | None = None) -> Script:
    """Serves ranges of `body`."""

    def answer(asked: Asked) -> Answer:
        start, _, last = asked.headers["range"].removeprefix("bytes=").partition("-")
        part = body[int(start) : int(last) + 1]
        headers = {"Content-Range": f"bytes {start}-{int(start) + len(part) - 1}/{len(body)}"}
        headers |= {"Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT"} | ({"ETag": etag} if etag else {})
        return Answer(206, part, headers, cut_after)

    return answer


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    split = urlsplit(target)
    return Asked(method, split.path, dict(parse_qsl(split.query, keep_blank_values=True)), headers, body)


async def _send(writer: asyncio.StreamWriter, asked: Asked, answer: Answer) -> bool:
    """Whether the connection goes on."""
    await asyncio.sleep(answer.seconds)
    if answer.cut_after == -1:
        writer.transport.abort()
        return False
    lines = {"Content-Length": str(len(answer.body)), **answer.headers}
    head = f"HTTP/1.1 {answer.status} Said\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    body = b"" if asked.method == "HEAD" else answer.body[: answer.cut_after]
    writer.write(head.encode("latin-1") + b"\r\n" + body)
    await writer.drain()
    if answer.cut_after is not None:
        # What was sent has to be on its way: a reset discards what is not.
        await asyncio.sleep(0.05)
        writer.transport.abort()
    return answer.cut_after is None
