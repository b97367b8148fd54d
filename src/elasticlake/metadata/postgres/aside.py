"""Long mutations, on an event loop of their own in a thread: thousands of rows keep no request waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from elasticlake.metadata.database import Committed
from elasticlake.metadata.postgres.committer import Committer, Waiting
from elasticlake.metadata.postgres.links import Links


class Aside:
    """A committer beside the main one; started by its first mutation."""

    def __init__(self, make_links: Callable[[], Links], committed: Callable[[Committed, bool], None]) -> None:
        self._make_links = make_links
        self._committed = committed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._links: Links | None = None
        self._committer: Committer | None = None

    async def commit(self, waiting: Waiting) -> None:
        """Run and commit the mutation; its future, which belongs to the caller's loop, has the outcome."""
        here = asyncio.get_running_loop()
        loop = self._started(here)
        asyncio.run_coroutine_threadsafe(self._commit(waiting, here), loop)
        await asyncio.wait([waiting.future])

    async def close(self) -> None:
        """Commit what waits and end the thread."""
        loop, self._loop = self._loop, None
        if loop is None or self._thread is None:
            return
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._finish(), loop))
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(self._thread.join)
        loop.close()

    def _started(self, here: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._links = self._make_links()

            def tell(committed: Committed, was_alone: bool) -> None:
                here.call_soon_threadsafe(self._committed, committed, was_alone)

            self._committer = Committer(self._links, tell)
            self._thread = threading.Thread(target=self._loop.run_forever, name="long commits", daemon=True)
            self._thread.start()
        return self._loop

    async def _commit(self, waiting: Waiting, here: asyncio.AbstractEventLoop) -> None:
        assert self._committer is not None
        inner = Waiting(waiting.mutation, waiting.touching, True, asyncio.get_running_loop().create_future())
        self._committer.submit(inner)
        await asyncio.wait([inner.future])
        here.call_soon_threadsafe(_hand_over, inner.future, waiting.future)

    async def _finish(self) -> None:
        assert self._committer is not None
        assert self._links is not None
        await self._committer.finish()
        # What was told to the main loop goes before the end.
        await asyncio.sleep(0)
        self._links.close()


def _hand_over(done: asyncio.Future[object], waiting: asyncio.Future[object]) -> None:
    error = done.exception()
    if waiting.done():
        return
    if error is None:
        waiting.set_result(done.result())
    else:
        waiting.set_exception(error)
