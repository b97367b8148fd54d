"""Connections that are kept between exchanges."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

from elasticlake.delivery.connection import Connection

KEEP_ALIVE_SECONDS = 15.0


class Pool:
    """Keeps idle connections for a while, apart by a key: they serve whoever has the same.

    The one used last is taken first, so that those beyond what is needed grow old. Make it inside the event loop.
    """

    def __init__(self, idle_seconds: float = KEEP_ALIVE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._loop = asyncio.get_running_loop()
        # Both in the order in which they were put here; the dictionaries by key are stacks.
        self._idle: dict[Connection, tuple[Hashable, float]] = {}
        self._by_key: dict[Hashable, dict[Connection, None]] = {}
        self._sweep_timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._idle)

    def take(self, key: Hashable) -> Connection | None:
        """A usable connection of the key, which is the caller's from now on."""
        stack = self._by_key.get(key)
        while stack:
            connection = next(reversed(stack))
            _, kept_at = self._remove(connection)
            if self._loop.time() - kept_at < self._idle_seconds and connection.is_silent():
                return connection
            connection.abort()
        return None

    def keep(self, key: Hashable, connection: Connection) -> None:
        """Keep the connection for whoever asks next."""
        now = self._loop.time()
        self._idle[connection] = key, now
        self._by_key.setdefault(key, {})[connection] = None
        if self._sweep_timer is None:
            self._sweep_timer = self._loop.call_at(now + self._idle_seconds, self._sweep)

    def close(self) -> None:
        """Close all that are kept."""
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        for connection in list(self._idle):
            self._remove(connection)
            connection.abort()

    def _remove(self, connection: Connection) -> tuple[Hashable, float]:
        entry = self._idle.pop(connection)
        stack = self._by_key[entry[0]]
        del stack[connection]
        if not stack:
            del self._by_key[entry[0]]
        return entry

    def _sweep(self) -> None:
        self._sweep_timer = None
        oldest_kept = self._loop.time() - self._idle_seconds
        for connection, (_, kept_at) in list(self._idle.items()):
            if kept_at > oldest_kept:
                self._sweep_timer = self._loop.call_at(kept_at + self._idle_seconds, self._sweep)
                break
            self._remove(connection)
            connection.abort()
