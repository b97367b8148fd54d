"""Events, one after the other, where asking about one may take long: all else has its turn in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

from elasticlake.service.selection import Selection

T = TypeVar("T")

HELD_SECONDS = 0.005
"""For how long events are asked about before all else has its turn."""


async def one_by_one(items: Iterable[T], selection: Selection) -> AsyncIterator[T]:
    """The items, of each of which the selection is asked; a quick one is not interrupted."""
    loop = asyncio.get_running_loop()
    until = loop.time() + HELD_SECONDS
    for item in items:
        yield item
        if selection.is_slow and loop.time() > until:
            await asyncio.sleep(0)
            until = loop.time() + HELD_SECONDS
