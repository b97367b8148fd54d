"""Dialling several addresses: in order, but none may use up the time of the others (RFC 8305)."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from itertools import chain, zip_longest
from typing import Any

STAGGER_SECONDS = 0.25

Connect = Callable[[str], Coroutine[Any, Any, socket.socket]]
"""Dials an address; raises OSError where it cannot. It closes what it opened if it is cancelled."""


def interleaved(addresses: Iterable[str]) -> deque[str]:
    """The addresses with their families in turn, the first one's first (RFC 8305, section 4)."""
    listed = list(addresses)
    first = [address for address in listed if (":" in address) == (":" in listed[0])]
    other = [address for address in listed if (":" in address) != (":" in listed[0])]
    pairs = chain.from_iterable(zip_longest(first, other))
    return deque(address for address in pairs if address is not None)


async def race(
    addresses: deque[str], connect: Connect, stagger_seconds: float = STAGGER_SECONDS
) -> tuple[str, socket.socket]:
    """The first connection that comes about: its address and its socket. The next address is dialled when the last has
    failed, or been silent for the stagger's time.

    Takes from `addresses` what has failed or won, so that the caller may go on with the others. Raises OSError with
    all reasons if none is left.
    """
    if len(addresses) == 1:
        only = addresses.popleft()
        return only, await connect(only)
    return await _Race(addresses, connect, stagger_seconds).run()


class _Race:
    def __init__(self, addresses: deque[str], connect: Connect, stagger_seconds: float) -> None:
        self._addresses = addresses
        self._connect = connect
        self._stagger_seconds = stagger_seconds
        self._running: dict[asyncio.Task[socket.socket], str] = {}
        self._errors: list[OSError] = []

    async def run(self) -> tuple[str, socket.socket]:
        try:
            while self._addresses or self._running:
                if (winner := await self._turn()) is not None:
                    return winner
            raise _all_of(self._errors)
        finally:
            for task in self._running:
                task.cancel()
                task.add_done_callback(_close_result)
            self._addresses.extendleft(reversed(self._running.values()))

    async def _turn(self) -> tuple[str, socket.socket] | None:
        """Dial one more, and wait for news of any."""
        if self._addresses:
            address = self._addresses.popleft()
            self._running[asyncio.create_task(self._connect(address))] = address
        pause = self._stagger_seconds if self._addresses else None
        done, _ = await asyncio.wait(self._running, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            error = task.exception()
            if error is None:
                return self._running.pop(task), task.result()
            if not isinstance(error, OSError):
                raise error
            del self._running[task]
            self._errors.append(error)
        return None


def _close_result(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _all_of(errors: list[OSError]) -> OSError:
    """One error for all, with their number if they agree on it."""
    texts = list(dict.fromkeys(error.strerror or str(error) for error in errors))
    if len(texts) == 1:
        return errors[0]
    return OSError(errors[0].errno if len({error.errno for error in errors}) == 1 else None, "; ".join(texts))
