"""Synchronous functions that wait without blocking the event loop.

The metadata layer is plain functions over a `Reader`. Here each runs in a greenlet: where a statement needs a round
trip, the greenlet hands a future to the coroutine that runs it and goes on with the result, while the loop serves
others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")


def wait(future: asyncio.Future[T]) -> T:
    """From inside a function that `run` runs: the future's result, once it is done."""
    parent = getcurrent().parent
    assert parent is not None, "only a function that `run` runs may wait"
    result: T = parent.switch(future)
    return result


async def run(function: Callable[[], T]) -> T:
    """Run `function`, whose `wait`s suspend this coroutine and nothing else."""
    green: greenlet = greenlet(function)
    outcome: Any = green.switch()
    while not green.dead:
        try:
            result = await outcome
        except BaseException as error:
            outcome = green.throw(error)
        else:
            outcome = green.switch(result)
    return outcome  # type: ignore[no-any-return]
