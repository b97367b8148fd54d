"""A server that takes a connection, and then falls silent."""

from __future__ import annotations

import asyncio

import pytest

from elasticlake.metadata.postgres.link import CONNECT_SECONDS, LinkLost, open_link

_AUTHENTICATED = b"R\x00\x00\x00\x08\x00\x00\x00\x00"
_READY = b"Z\x00\x00\x00\x05I"


async def _welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The protocol's greeting without a password, and not a word more."""
    await reader.read(8192)
    writer.write(_AUTHENTICATED + _READY)


async def test_a_server_that_falls_silent_is_given_up() -> None:
    async with await asyncio.start_server(_welcome, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        opening = open_link(f"postgresql://nobody@127.0.0.1:{port}/none?sslmode=disable&gssencmode=disable")
        async with asyncio.timeout(CONNECT_SECONDS * 3):
            with pytest.raises(LinkLost):
                await opening
