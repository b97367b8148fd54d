"""Who waits for news of which buckets, and that a server which stops has none any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from elasticlake.metadata.database import Committed


class News:
    """Tells readers of the log that something was added. What another process commits to the same database may go
    untold, so whoever waits looks again every `look_again_seconds`."""

    def __init__(self, look_again_seconds: float) -> None:
        self.look_again_seconds = look_again_seconds
        self.is_over = False
        self._waiting: dict[int, set[asyncio.Event]] = {}
        self._hearers: set[Hearer] = set()

    @contextmanager
    def about(self, bucket_id: int) -> Iterator[asyncio.Event]:
        """What is set with each news of the bucket, and in the end."""
        woken = asyncio.Event()
        self._waiting.setdefault(bucket_id, set()).add(woken)
        try:
            yield woken
        finally:
            waiting = self._waiting[bucket_id]
            waiting.discard(woken)
            if not waiting:
                del self._waiting[bucket_id]

    def join(self, hearer: Hearer) -> None:
        """Tell `hearer` of each news, with no bucket named in the end, until it leaves."""
        self._hearers.add(hearer)

    def leave(self, hearer: Hearer) -> None:
        self._hearers.discard(hearer)

    def tell(self, committed: Committed) -> None:
        """Events were added to these buckets' logs."""
        for bucket_id in committed:
            for woken in self._waiting.get(bucket_id, ()):
                woken.set()
        for hearer in self._hearers:
            hearer(committed)

    def end(self) -> None:
        """There will be no more: whoever waits may go."""
        self.is_over = True
        self.tell(dict.fromkeys(self._waiting, 0))


Hearer = Callable[[Committed], None]


async def wait(woken: asyncio.Event, seconds: float) -> None:
    """Until there is news, or the time is over."""
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        return
