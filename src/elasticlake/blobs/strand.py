"""Jobs that run one after another, each in some thread of a pool, without waiting for the event loop in between."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class Strand:
    """Keeps the order of its jobs, however many threads the pool has. A job that fails does not stop the next."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._jobs: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._running = False

    def submit(self, job: Callable[[], Any]) -> asyncio.Future[Any]:
        """Run `job` after those submitted before it; the future has its result."""
        future: Future[Any] = Future()
        with self._lock:
            self._jobs.append((job, future))
            starts, self._running = not self._running, True
        if starts:
            self._pool.submit(self._drain)
        return asyncio.wrap_future(future)

    def _drain(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._running = False
                    return
                job, future = self._jobs.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = job()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
