"""What nodes tell each other through the database (NOTIFY): which logs grew, and that definitions changed.

Each is a hint that may be lost. They are sent on a connection of their own, many as one, and never inside a transaction
that writes: a commit with a NOTIFY in it waits for every other such commit.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import psycopg
import structlog

from elasticlake.metadata.database import Committed

CHANNEL = "elasticlake"
GATHER_SECONDS = 0.002
RECONNECT_SECONDS = 0.5
# A payload holds at most 8,000 bytes.
_BUCKETS_PER_PAYLOAD = 150
_NOTIFY = "SELECT pg_notify(%s, %s)"

_log = structlog.get_logger("notifications")


async def _connect(conninfo: str) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(
        conninfo,
        autocommit=True,
        connect_timeout=3,
        application_name="elasticlake notifications",
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=10_000,
    )


class Notifier:
    """Tells the other nodes, and never waits for them (I7)."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._heads: Committed = {}
        self._has_change = False
        self._sending: asyncio.Task[None] | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None

    def __call__(self, heads: Committed | None = None) -> None:
        """Name the buckets that changed; nothing for a change of webhooks or requested deliveries."""
        if heads:
            self._heads.update(heads)
        else:
            self._has_change = True
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def close(self) -> None:
        if self._sending is not None:
            await self._sending
        await self._let_go()

    async def _send(self) -> None:
        try:
            await asyncio.sleep(GATHER_SECONDS)
            while self._heads or self._has_change:
                for payload in self._take():
                    await self._tell(payload)
        except psycopg.Error as error:
            # Whoever should have heard looks by itself within a second.
            _log.debug("could not notify", error=str(error))
            await self._let_go()
        finally:
            self._sending = None

    def _take(self) -> list[str]:
        heads, self._heads = list(self._heads.items()), {}
        pieces = [dict(heads[at : at + _BUCKETS_PER_PAYLOAD]) for at in range(0, len(heads), _BUCKETS_PER_PAYLOAD)]
        if self._has_change:
            self._has_change = False
            pieces.append({})
        return [json.dumps(piece, separators=(",", ":")) for piece in pieces]

    async def _tell(self, payload: str) -> None:
        if self._connection is None:
            self._connection = await _connect(self._conninfo)
        await self._connection.execute(_NOTIFY, (CHANNEL, payload))

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _heads(payload: str) -> Committed:
    """What a payload says; one that is not understood (another version's) says that something changed."""
    try:
        return {int(bucket): int(sequence) for bucket, sequence in json.loads(payload).items()}
    except (ValueError, TypeError, AttributeError):
        return {}


async def listen(conninfo: str, hear: Callable[[Committed], None]) -> None:
    """Hear what others tell, until cancelled: the last sequence of each bucket named, or (none named) that something
    else changed. After a connection was lost something may have been missed, so that counts as a change."""
    was_well = True
    while True:
        try:
            async with await _connect(conninfo) as connection:
                await connection.execute(f"LISTEN {CHANNEL}".encode())
                if not was_well:
                    _log.info("connected to the database's notifications again")
                was_well = True
                hear({})
                async for notice in connection.notifies():
                    hear(_heads(notice.payload))
        except psycopg.Error as error:
            if was_well:
                _log.warning("not connected to the database's notifications", error=" ".join(str(error).split()))
            was_well = False
        await asyncio.sleep(RECONNECT_SECONDS)
