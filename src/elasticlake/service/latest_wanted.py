"""The last events of keys that a selection wants, looked for from the log's end, in pieces that hold nobody up.

Forwards, each event of a key would ask anew what comes after it; backwards, mostly one row tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from elasticlake.metadata import events
from elasticlake.metadata.database import Database
from elasticlake.model.events import Event
from elasticlake.service.selection import Selection

PIECE_ROWS = 100
"""Read at once: they hold the event loop for about a millisecond."""
ENOUGH_ROWS = 20_000
_ENDLESS = 2**62


class LatestWanted:
    """For one request: what it has found of a key it does not look for again."""

    def __init__(self, core: Database, selection: Selection) -> None:
        self._core = core
        self._selection = selection
        self._known: dict[tuple[int, bytes], Event] = {}
        self._rows_read = 0

    @property
    def is_spent(self) -> bool:
        """Whether so many rows were read that the rest is another request's."""
        return self._rows_read >= ENOUGH_ROWS

    async def event(self, bucket_id: int, sequence: int) -> Event | None:
        """The event, as far as the log has it."""
        found = await self._core.read(lambda reader: events.get(reader, bucket_id, sequence), loose=True)
        await self._passed(1)
        return found

    async def batch(self, bucket_id: int, after: int, limit: int) -> list[Event]:
        """At most `limit` of the log's events beyond `after`; fewer only at its end."""
        found: list[Event] = []
        while len(found) < limit:
            size = min(PIECE_ROWS, limit - len(found))
            rows = await self._forwards(bucket_id, found[-1].sequence if found else after, size)
            found += rows
            if len(rows) < size:
                break
        return found

    async def within(self, batch: Sequence[Event], prefix: bytes) -> list[Event]:
        """Of each key with that prefix the last of these events that is wanted, in sequence."""
        found: dict[bytes, Event] = {}
        for number, event in enumerate(reversed(batch), start=1):
            if event.key.startswith(prefix) and event.key not in found and await self.wants(event):
                found[event.key] = event
            if number % PIECE_ROWS == 0:
                await asyncio.sleep(0)
        return list(reversed(found.values()))

    async def beyond(self, bucket_id: int, key: bytes, sequence: int) -> Event | None:
        """The key's last event beyond `sequence` that is wanted."""
        known = self._known.get((bucket_id, key))
        if known is not None and known.sequence > sequence:
            return known
        up_to, size = _ENDLESS, 1
        while True:
            rows = await self._backwards(bucket_id, key, sequence, up_to, size)
            for event in rows:
                if await self.wants(event):
                    self._known[bucket_id, key] = event
                    return event
            if len(rows) < size:
                return None
            up_to, size = rows[-1].sequence - 1, PIECE_ROWS

    async def wants(self, event: Event) -> bool:
        """Whether the event is selected."""
        if self._selection.is_slow:
            # An expression may take a while: all else has its turn before the next.
            await asyncio.sleep(0)
        return self._selection.selects(event)

    async def _forwards(self, bucket_id: int, beyond: int, limit: int) -> list[Event]:
        rows = await self._core.read(lambda reader: events.after(reader, bucket_id, beyond, limit), loose=True)
        await self._passed(len(rows))
        return rows

    async def _backwards(self, bucket_id: int, key: bytes, beyond: int, up_to: int, limit: int) -> list[Event]:
        rows = await self._core.read(
            lambda reader: events.of_key_backwards(reader, bucket_id, key, beyond, up_to, limit), loose=True
        )
        await self._passed(len(rows))
        return rows

    async def _passed(self, rows: int) -> None:
        self._rows_read += rows
        # SQLite is read on the event loop, without a pause.
        await asyncio.sleep(0)
