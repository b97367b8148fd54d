"""Attempts in flight: how many, of which webhook, and how many more there may be (I6)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

from elasticlake.errors import Unavailable

MAX_IN_FLIGHT = 320
MAX_IN_FLIGHT_PER_WEBHOOK = 32
MAX_RETRIES_IN_FLIGHT = 240
"""The other slots are for first attempts alone: what fails again and again keeps nothing new waiting."""
OWN_FAULT_SECONDS = 1.0

_log = structlog.get_logger("delivery")


class Flights:
    """One task for each attempt."""

    def __init__(self) -> None:
        self._tasks: dict[str, set[asyncio.Task[None]]] = {}
        self._total = 0
        self._retries = 0

    @property
    def total(self) -> int:
        return self._total

    @property
    def is_full(self) -> bool:
        return self._total >= MAX_IN_FLIGHT

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        return {task for tasks in self._tasks.values() for task in tasks}

    @property
    def may_retry(self) -> bool:
        """Whether there is a slot for an attempt that is not a delivery's first."""
        return self._retries < MAX_RETRIES_IN_FLIGHT

    def of(self, webhook_id: str) -> int:
        """How many of the webhook are in flight."""
        return len(self._tasks.get(webhook_id, ()))

    def has_room(self, webhook_id: str) -> bool:
        """Whether the webhook may have one more in flight: the fuller all slots are the fewer it may have, so that a
        webhook that has none finds one."""
        free = MAX_IN_FLIGHT - self._total
        limit = MAX_IN_FLIGHT_PER_WEBHOOK if free > MAX_IN_FLIGHT // 2 else max(1, free // 10)
        return self.of(webhook_id) < limit

    def start(
        self,
        webhook_id: str,
        attempt: Awaitable[None],
        put_back: Callable[[], None],
        ended: Callable[[], None],
        *,
        is_retry: bool = False,
    ) -> None:
        """Make the attempt. `put_back` is called if it could not be made, `ended` when it is over in any way."""
        task = asyncio.ensure_future(_guarded(attempt, put_back))
        tasks = self._tasks.setdefault(webhook_id, set())
        tasks.add(task)
        self._total += 1
        self._retries += is_retry

        def finished(task: asyncio.Task[None]) -> None:
            tasks.discard(task)
            if not tasks and self._tasks.get(webhook_id) is tasks:
                del self._tasks[webhook_id]
            self._total -= 1
            self._retries -= is_retry
            ended()

        task.add_done_callback(finished)

    async def abort(self, webhook_ids: Iterable[str] | None = None) -> None:
        """End the attempts of these webhooks, or all, at once and uncounted; returns when they are over."""
        wanted = list(self._tasks) if webhook_ids is None else list(webhook_ids)
        tasks = [task for webhook_id in wanted for task in self._tasks.get(webhook_id, ())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _guarded(attempt: Awaitable[None], put_back: Callable[[], None]) -> None:
    """If it raises, the fault is ours (no sockets, no memory, a database error): let that pass, then the event goes
    again."""
    try:
        await attempt
    except Unavailable as error:
        _log.warning("attempt put off", error=str(error))
        await asyncio.sleep(OWN_FAULT_SECONDS)
        put_back()
    except Exception as error:
        _log.error("delivery fault", exc_info=error)
        await asyncio.sleep(OWN_FAULT_SECONDS)
        put_back()
