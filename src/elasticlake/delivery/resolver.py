"""Names into addresses, without letting a slow name server hold up anything but the endpoints that depend on it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from elasticlake.clock import Clock, SystemClock
from elasticlake.model.endpoint import is_localhost

Lookup = Callable[[str], list[str]]
"""Blocks until it has the addresses of a name; raises OSError if there are none."""

FOUND_SECONDS = 30.0
NOT_FOUND_SECONDS = 3.0
SLOW_SECONDS = 1.0
REMEMBERED_NAMES = 4096


def system_lookup(name: str) -> list[str]:
    """The machine's own resolver (hosts file, DNS): addresses in the order of preference of RFC 6724."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True)
class _Answer:
    addresses: tuple[str, ...]
    error: str | None
    expires_at: float
    slow: bool


class BoundedResolver:
    """Looks names up in threads of its own, at most `fast + slow` at once.

    A name is looked up once however many wait for it, and the answer kept for 30 s (3 s for a failure). A name whose
    last lookup failed or took over a second goes through the few slow slots, so that names nobody answers for cannot
    take the rest. Threads are daemons, made per lookup: a hung `getaddrinfo` cannot be cancelled and must not delay
    shutdown.
    """

    def __init__(
        self, lookup: Lookup = system_lookup, clock: Clock | None = None, fast_slots: int = 8, slow_slots: int = 4
    ) -> None:
        self._lookup = lookup
        self._clock = clock or SystemClock()
        self._fast = asyncio.Semaphore(fast_slots)
        self._slow = asyncio.Semaphore(slow_slots)
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._running: dict[str, asyncio.Task[_Answer]] = {}

    async def resolve(self, host: str) -> tuple[str, ...]:
        """The addresses of `host`, in the order of preference; raises OSError if it has none."""
        # RFC 6761: these names are this machine, whatever a name server would say.
        return ("127.0.0.1", "::1") if is_localhost(host) else await self._addresses(host)

    async def close(self) -> None:
        """Give up on what is being looked up."""
        for task in list(self._running.values()):
            task.cancel()

    async def _addresses(self, host: str) -> tuple[str, ...]:
        answer = self._answers.get(host)
        if answer is None or answer.expires_at <= self._clock.monotonic():
            # Shielded: one attempt's deadline must not end the lookup that others wait for.
            answer = await asyncio.shield(self._shared_lookup(host))
        if answer.error is not None:
            raise OSError(answer.error)
        return answer.addresses

    def _shared_lookup(self, host: str) -> asyncio.Task[_Answer]:
        task = self._running.get(host)
        if task is None:
            task = self._running[host] = asyncio.create_task(self._look_up(host))
            task.add_done_callback(lambda _: self._running.pop(host, None))
        return task

    async def _look_up(self, host: str) -> _Answer:
        known = self._answers.get(host)
        async with self._slow if known is not None and known.slow else self._fast:
            started = self._clock.monotonic()
            outcome = await self._in_thread(host)
        now = self._clock.monotonic()
        if isinstance(outcome, str):
            answer = _Answer((), outcome, now + NOT_FOUND_SECONDS, slow=True)
        else:
            answer = _Answer(tuple(outcome), None, now + FOUND_SECONDS, slow=now - started > SLOW_SECONDS)
        self._remember(host, answer)
        return answer

    def _in_thread(self, host: str) -> asyncio.Future[list[str] | str]:
        """The addresses, or the reason why there are none."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[str] | str] = loop.create_future()

        def settle(outcome: list[str] | str) -> None:
            if not future.done():
                future.set_result(outcome)

        def run() -> None:
            outcome = _outcome(self._lookup, host)
            with contextlib.suppress(RuntimeError):  # the loop closed meanwhile
                loop.call_soon_threadsafe(settle, outcome)

        threading.Thread(target=run, name="webhook-dns", daemon=True).start()
        return future

    def _remember(self, host: str, answer: _Answer) -> None:
        self._answers[host] = answer
        self._answers.move_to_end(host)
        if len(self._answers) > REMEMBERED_NAMES:
            self._answers.popitem(last=False)


def _outcome(lookup: Lookup, host: str) -> list[str] | str:
    try:
        return lookup(host) or "the name has no address"
    except OSError as error:
        return error.strerror or str(error)
    except UnicodeError as error:  # getaddrinfo's own encoding of a name that is none
        return str(error)
